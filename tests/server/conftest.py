"""A web application on an empty database, with a queue that only remembers what it was sent."""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from automl.records import DatasetState, RunSettings, RunState
from automl.records.dataset_summary import read_summary
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.checks import check_dataset
from automl.store.database import Database, find_dataset
from automl.store.tables import Artifact, Base, Dataset, DatasetFile, Run
from server import access, create_app
from server.access import Rule
from server.services import Services
from server.task_queue import QueueUnavailable
from tests.reports import made_report


class RememberingQueue:
    """Stands in for Celery. `away`: Redis cannot be reached."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, ...]] = []
        self.away = False

    def __call__(self, task: str, /, *ids: str) -> None:
        if self.away:
            raise QueueUnavailable("The queue does not answer.")
        self.sent.append((task, *ids))


class World:
    """The application's parts, and rows made with one call."""

    def __init__(self, app: Flask, settings: Settings, queue: RememberingQueue) -> None:
        services: Services = app.extensions["darkroom"]
        self.app, self.settings, self.queue = app, settings, queue
        self.database: Database = services.database
        self.store: ArtifactStore = services.store

    def add_dataset(self, state: DatasetState = DatasetState.READY, n_files: int = 4, **values: object) -> str:
        with self.database.session() as session:
            summary = read_summary(values.pop("summary", {}))
            dataset = Dataset(**{"name": "flowers", "state": state, "summary": summary, **values})
            dataset.files = [DatasetFile(name=f"flowers/a/{i}.jpg", sha256=str(i), n_bytes=10) for i in range(n_files)]
            session.add(dataset)
            session.flush()
            return dataset.id

    def add_checked(self, files: Mapping[str, bytes]) -> str:
        """A data set of these files, judged by a real check."""
        with self.database.session() as session:
            dataset = Dataset(name="pets", state=DatasetState.CHECKING)
            session.add(dataset)
            session.flush()
            for name, content in files.items():
                stored = self.store.write(f"datasets/{dataset.id}", io.BytesIO(content), max_bytes=1 << 30)
                found = {"key": stored.key, "sha256": stored.sha256, "n_bytes": stored.n_bytes}
                session.add(DatasetFile(dataset_id=dataset.id, name=name, **found))
        check_dataset(self.database, self.store, dataset.id, settings=self.settings)
        return dataset.id

    def file_ids(self, dataset_id: str) -> dict[str, int]:
        """By name."""
        with self.database.session() as session:
            return {file.name: file.id for file in find_dataset(session, dataset_id).files}

    def add_run(self, state: RunState = RunState.QUEUED, dataset_id: str | None = None, **values: object) -> str:
        """settings, result: records, or what a test wants to be in them, see `reports.report_values`."""
        settings, result = values.pop("settings", {}), values.pop("result", None)
        if not isinstance(settings, RunSettings):
            settings = RunSettings.model_validate(settings)
        if isinstance(result, dict) or (result is None and state is RunState.DONE):
            result = made_report(**(result or {}))
        with self.database.session() as session:
            run = Run(
                dataset_id=dataset_id or self.add_dataset(),
                state=state,
                result=result,
                settings=settings,
                **{"budget_s": settings.budget_s, **values},
            )
            session.add(run)
            session.flush()
            return run.id

    def add_artifact(self, run_id: str, kind: str, content: bytes, name: str, media_type: str, title: str = "") -> str:
        stored = self.store.write(f"runs/{run_id}", io.BytesIO(content), max_bytes=1 << 20)
        with self.database.session() as session:
            artifact = Artifact(
                run_id=run_id,
                kind=kind,
                name=name,
                title=title,
                media_type=media_type,
                key=stored.key,
                n_bytes=stored.n_bytes,
            )
            session.add(artifact)
            session.flush()
            return artifact.id

    def files(self, dataset_id: str) -> list[DatasetFile]:
        with self.database.session() as session:
            return list(session.query(DatasetFile).filter_by(dataset_id=dataset_id).order_by(DatasetFile.id))

    def dataset(self, dataset_id: str) -> Dataset:
        with self.database.session() as session:
            return session.get_one(Dataset, dataset_id)

    def run(self, run_id: str) -> Run:
        with self.database.session() as session:
            return session.get_one(Run, run_id)

    def stored_files(self) -> list[Path]:
        return [path for path in self.settings.files_dir.rglob("*") if path.is_file()]


def add_page(app: Flask, path: str, view: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that only a test has, open to everybody."""
    endpoint = f"test{path.replace('/', '_')}"
    monkeypatch.setitem(access.RULES, endpoint, Rule.EVERYBODY)
    app.add_url_rule(path, endpoint, view)


@pytest.fixture
def limits() -> dict[str, str]:
    """Settings that a test wants smaller, by environment variable."""
    return {}


@pytest.fixture
def world(tmp_path: Path, limits: dict[str, str]) -> Iterator[World]:
    settings = load_settings({"DARKROOM_HOME": str(tmp_path), **limits})
    queue = RememberingQueue()
    app = create_app(settings, queue)
    world = World(app, settings, queue)
    Base.metadata.create_all(world.database.engine)
    yield world
    world.database.close()


@pytest.fixture
def client(world: World) -> FlaskClient:
    return world.app.test_client()


def form_file(name: str, content: bytes = b"picture") -> tuple[io.BytesIO, str]:
    """One file of a form, as the Flask client wants it."""
    return io.BytesIO(content), name


def zip_of(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()

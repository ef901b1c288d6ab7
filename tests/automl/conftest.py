import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from automl.records import FileState
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database, find_dataset
from automl.store.tables import Dataset, DatasetFile, Run


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    small = load_settings({"DARKROOM_HOME": str(tmp_path / "home")})
    limits = {"max_files": 200, "max_upload_bytes": 50_000_000, "max_image_bytes": 3_000_000}
    return small.model_copy(update=limits)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    return ArtifactStore(settings.files_dir)


class UploadedDataset:
    """A data set as the web server leaves it, and what became of its files."""

    def __init__(self, database: Database, store: ArtifactStore) -> None:
        self.database, self.store = database, store
        with database.session() as session:
            dataset = Dataset(name="pets")
            session.add(dataset)
            session.flush()
            self.id = dataset.id

    def add(self, files: Mapping[str, bytes]) -> None:
        with self.database.session() as session:
            for name, content in files.items():
                stored = self.store.write(f"datasets/{self.id}", io.BytesIO(content), max_bytes=1 << 30)
                session.add(
                    DatasetFile(
                        dataset_id=self.id, name=name, key=stored.key, sha256=stored.sha256, n_bytes=stored.n_bytes
                    )
                )

    def start_run(self, **values: Any) -> str:
        """The id of a new run on it."""
        with self.database.session() as session:
            run = Run(dataset_id=self.id, budget_s=60.0, **values)
            session.add(run)
        return run.id

    @property
    def row(self) -> Dataset:
        with self.database.session() as session:
            return find_dataset(session, self.id)

    def files(self) -> dict[str, DatasetFile]:
        with self.database.session() as session:
            rows = session.scalars(select(DatasetFile).where(DatasetFile.dataset_id == self.id))
            return {row.name: row for row in rows}

    def accepted(self) -> set[str]:
        return {name for name, file in self.files().items() if file.state is FileState.ACCEPTED}

    def reasons(self) -> dict[str, str]:
        return {name: file.reason for name, file in self.files().items() if file.state is FileState.REFUSED}


@pytest.fixture
def uploaded(database: Database, store: ArtifactStore) -> Callable[[Mapping[str, bytes]], UploadedDataset]:
    def upload(files: Mapping[str, bytes]) -> UploadedDataset:
        dataset = UploadedDataset(database, store)
        dataset.add(files)
        return dataset

    return upload

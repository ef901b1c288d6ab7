"""A database with one queued run, and a supervisor whose pipeline does as it is told."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest
from celery import Celery

from automl.records import DatasetState, RunState
from automl.settings import Settings, load_settings
from automl.store.database import Database, find_run
from automl.store.tables import Dataset, DatasetFile, Run
from scripts.stack import services
from worker.celery_app import make_app
from worker.supervisor import Supervisor

FAKE_PIPELINE = Path(__file__).parent / "fake_pipeline.py"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"DARKROOM_HOME": str(tmp_path), "DARKROOM_LEASE_S": "6"})


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def add_dataset(database: Database) -> Callable[..., str]:
    def add(state: DatasetState = DatasetState.READY, n_files: int = 1) -> str:
        with database.session() as session:
            files = [DatasetFile(name=f"cat/{i}.jpg") for i in range(n_files)]
            dataset = Dataset(name="pets", state=state, files=files)
            session.add(dataset)
            session.flush()
            return dataset.id

    return add


@pytest.fixture
def add_run(database: Database, add_dataset: Callable[..., str]) -> Callable[..., str]:
    def add(dataset_id: str | None = None, **values: object) -> str:
        dataset_id = dataset_id or add_dataset()
        with database.session() as session:
            run = Run(dataset_id=dataset_id, budget_s=60.0, **values)
            session.add(run)
            session.flush()
            return run.id

    return add


@pytest.fixture
def run_id(add_run: Callable[..., str]) -> str:
    return add_run()


@pytest.fixture
def load_run(database: Database) -> Callable[[str], Run]:
    def load(run_id: str) -> Run:
        with database.session() as session:
            return find_run(session, run_id)

    return load


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def make_supervisor(
    database: Database, settings: Settings, stopping: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Supervisor]:
    monkeypatch.setenv("PYTHONPATH", str(FAKE_PIPELINE.parents[2]))

    def make(behaviour: str) -> Supervisor:
        return Supervisor(database, settings, stopping, command=(sys.executable, str(FAKE_PIPELINE), behaviour))

    return make


@pytest.fixture
def in_background() -> Iterator[Callable[[Callable[[], None]], threading.Thread]]:
    threads: list[threading.Thread] = []

    def start(work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work)
        thread.start()
        threads.append(thread)
        return thread

    yield start
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def under_way(load_run: Callable[[str], Run]) -> Callable[[str], None]:
    """Waits until the run's pipeline has been started."""

    def wait(run_id: str) -> None:
        wait_until(lambda: load_run(run_id).state is RunState.PREPARING)
        time.sleep(1)

    return wait


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Settings]:
    """A real Redis, in a folder whose name needs quoting."""
    home = tmp_path / "a home"
    (home / "redis").mkdir(parents=True)
    url = f"redis+socket://{str(home).replace(' ', '%20')}/redis/redis.sock"
    settings = load_settings({"DARKROOM_HOME": str(home), "DARKROOM_BROKER_URL": url})
    service = services.redis(load_settings({**os.environ, "DARKROOM_HOME": str(home)}), settings.redis_socket)
    with Popen(service.command, stdout=DEVNULL) as server:
        wait_until(settings.redis_socket.exists)
        yield settings
        server.terminate()


@pytest.fixture
def client(broker: Settings) -> Iterator[Celery]:
    with make_app(broker) as app:
        yield app


def wait_until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)

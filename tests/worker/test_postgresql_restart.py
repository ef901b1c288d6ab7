"""A PostgreSQL that is restarted in the middle of a run."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.records import RunState
from automl.store.tables import Run
from bench.chaos import Site
from tests.postgresql_server import PostgresqlServer, postgresql_server
from tests.worker.conftest import wait_until
from tests.worker.quick_pipeline import N_TRIALS
from worker.supervisor import Supervisor

pytestmark = pytest.mark.slow

QUICK_PIPELINE = Path(__file__).parent / "quick_pipeline.py"


@pytest.fixture
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


def test_the_run_ends_well_and_nothing_is_blamed(
    server: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(QUICK_PIPELINE.parents[2]))
    site = Site(tmp_path, database_url=server.url)
    dataset_id = site.add_dataset()
    with site.database.session() as session:
        run = Run(dataset_id=dataset_id, budget_s=300.0)
        session.add(run)
    supervisor = Supervisor(
        site.database, site.settings, threading.Event(), command=(sys.executable, str(QUICK_PIPELINE))
    )
    watching = threading.Thread(target=supervisor.supervise_next)
    watching.start()
    try:
        wait_until(lambda: len(site.trials(run.id)) > 2, 120)
        assert len(site.trials(run.id)) < N_TRIALS, "the run was over before the restart"
        server.restart()
    finally:
        watching.join(120)
    assert not watching.is_alive()
    ended = site.run(run.id)
    assert (ended.state, ended.attempts, ended.error_message, ended.notes) == (RunState.DONE, 1, "", [])
    assert site.trials(run.id) == list(range(N_TRIALS))
    with site.database.session() as session:
        assert {trial.state for trial in session.get_one(Run, run.id).trials} == {"complete"}
    site.database.close()

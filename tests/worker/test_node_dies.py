"""What becomes of a run when the worker's node ends, softly or not. Celery and Redis are real, the pipeline is not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery

from automl.records import DatasetState, RunState
from automl.settings import SETTINGS, Settings
from automl.store.database import Database, find_dataset
from automl.store.tables import Run
from scripts.stack.services import LIGHT_ARGUMENTS, TRAIN_ARGUMENTS
from tests.worker.conftest import wait_until
from worker.messages import Messages
from worker.reaper import send_lost_messages, take_back_lost_runs

pytestmark = pytest.mark.stack

REPOSITORY = Path(__file__).parents[2]
StartNode = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def settings(broker: Settings) -> Settings:
    return broker


@pytest.fixture
def start_node(settings: Settings) -> Iterator[StartNode]:
    """Starts a node, of the training kind by default; all that are left are killed at the end."""
    environment = {**os.environ, **{row.variable: str(getattr(settings, row.name)) for row in SETTINGS}}
    environment |= {"PYTHONPATH": str(REPOSITORY), "DARKROOM_LIGHT_TASKS": "2"}
    nodes = []

    def start(like: tuple[str, ...] = TRAIN_ARGUMENTS, app: str = "fake_node") -> subprocess.Popen[bytes]:
        arguments = [argument.replace("worker.celery_app", f"tests.worker.{app}") for argument in like]
        with (settings.home / "node.log").open("ab") as log:
            nodes.append(
                subprocess.Popen([sys.executable, *arguments], cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
            )
        return nodes[-1]

    yield start
    for node in nodes:
        node.kill()
        node.wait()


@pytest.fixture
def node(start_node: StartNode, client: Celery, run_id: str, settings: Settings) -> subprocess.Popen[bytes]:
    """A node in the middle of the run."""
    Messages(client).train(run_id)
    node = start_node()
    wait_until((settings.home / "pipeline.pid").exists)
    return node


def pipeline_is_gone(settings: Settings) -> bool:
    return not Path("/proc", (settings.home / "pipeline.pid").read_text()).exists()


def test_a_stopped_node_hands_its_run_back_and_takes_its_pipeline_along(
    node: subprocess.Popen[bytes], settings: Settings, load_run: Callable[[str], Run], run_id: str
) -> None:
    node.terminate()
    assert node.wait(10) == 0
    assert pipeline_is_gone(settings)
    run = load_run(run_id)
    assert (run.state, run.lease_owner, run.attempts) == (RunState.QUEUED, "", 0)


def test_a_killed_node_takes_its_pipeline_along_and_the_reaper_recovers_the_run_at_once(
    node: subprocess.Popen[bytes],
    start_node: StartNode,
    settings: Settings,
    database: Database,
    client: Celery,
    load_run: Callable[[str], Run],
    run_id: str,
) -> None:
    node.send_signal(signal.SIGKILL)
    node.wait()
    wait_until(lambda: pipeline_is_gone(settings))
    take_back_lost_runs(database)
    assert load_run(run_id).state is RunState.QUEUED
    send_lost_messages(database, Messages(client), settle_s=0)
    start_node()
    wait_until(lambda: load_run(run_id).state is RunState.PREPARING)
    assert load_run(run_id).attempts == 2


def test_a_check_that_never_ends_keeps_no_other_one_waiting(
    start_node: StartNode, client: Celery, add_dataset: Callable[..., str], settings: Settings
) -> None:
    dataset_ids = [add_dataset(DatasetState.CHECKING) for _ in range(2)]
    for dataset_id in dataset_ids:
        Messages(client).check_dataset(dataset_id)
    start_node(LIGHT_ARGUMENTS, "quick_node")
    wait_until(lambda: all((settings.home / f"checking-{dataset_id}").exists() for dataset_id in dataset_ids), 60.0)


@pytest.mark.slow
def test_a_picture_that_kills_every_process_that_reads_it_ends_the_check(
    start_node: StartNode, client: Celery, database: Database, add_dataset: Callable[..., str]
) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING)
    Messages(client).check_dataset(dataset_id)
    node = start_node(LIGHT_ARGUMENTS)

    def is_invalid() -> bool:
        with database.session() as session:
            return find_dataset(session, dataset_id).state is DatasetState.INVALID

    wait_until(is_invalid)
    node.terminate()
    assert node.wait(10) == 0

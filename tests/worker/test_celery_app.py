import fcntl
import sys
from contextlib import nullcontext
from pathlib import Path
from subprocess import Popen
from types import SimpleNamespace

import pytest
import redis
from celery import Celery

from automl.processors import n_processors
from automl.settings import Settings
from automl.task_names import LIGHT_QUEUE, QUEUES, TRAIN, TRAIN_QUEUE
from tests.worker.conftest import wait_until
from worker import celery_app
from worker.celery_app import app, make_app, n_light_tasks
from worker.messages import Messages


def test_only_json_is_spoken(settings: Settings) -> None:
    conf = make_app(settings).conf
    assert (conf.task_serializer, conf.accept_content) == ("json", ["json"])


def test_a_message_is_not_delivered_again_during_the_longest_run(settings: Settings) -> None:
    assert make_app(settings).conf.broker_transport_options["visibility_timeout"] > settings.max_budget_s


def test_a_task_is_acknowledged_after_its_work_and_one_at_a_time(settings: Settings) -> None:
    conf = make_app(settings).conf
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)


def test_how_many_checks_run_side_by_side_follows_from_memory_and_processors_or_is_set(settings: Settings) -> None:
    n_by_processors = min(max(2, n_processors()), 8)
    assert n_light_tasks(available=10**12) == n_by_processors
    assert (n_light_tasks(available=5_000_000_000), n_light_tasks(available=10**9)) == (2, 1)
    assert make_app(settings.model_copy(update={"light_tasks": 5})).conf.worker_concurrency == 5


def test_every_name_is_a_task_with_its_queue_and_every_task_has_a_name() -> None:
    app.loader.import_default_modules()
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in app.tasks if name.startswith("darkroom.")}
    assert queues == dict(QUEUES)
    assert [task for task, queue in queues.items() if queue == TRAIN_QUEUE] == [TRAIN]
    assert set(queues.values()) == set(app.amqp.queues) == {TRAIN_QUEUE, LIGHT_QUEUE}


@pytest.mark.stack
def test_each_message_waits_in_its_own_queue_only(client: Celery) -> None:
    messages = Messages(client)
    messages.train("r")
    messages.check_dataset("d")
    messages.export("r")
    assert (messages.n_waiting("train"), messages.n_waiting("light")) == (1, 2)


@pytest.mark.stack
def test_an_emptied_broker_has_nothing_waiting(client: Celery, broker: Settings) -> None:
    messages = Messages(client)
    messages.train("r")
    with redis.Redis(unix_socket_path=str(broker.redis_socket)) as server:
        server.flushall()
    assert messages.n_waiting("train") == 0


@pytest.mark.stack
def test_the_sockets_are_private(broker: Settings) -> None:
    # Redis makes it, then takes it from the others.
    wait_until(lambda: broker.redis_socket.stat().st_mode & 0o777 == 0o600)


def test_importing_the_application_loads_no_tensorflow() -> None:
    code = "import sys, worker.tasks; sys.exit('tensorflow' in sys.modules or 'flask' in sys.modules)"
    with Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2]) as process:
        assert process.wait(60) == 0


@pytest.mark.parametrize(("queue", "ends"), [(TRAIN_QUEUE, True), (LIGHT_QUEUE, False)])
def test_a_second_worker_that_trains_on_one_card_ends_with_a_sentence(
    queue: str, ends: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(celery_app, "load_settings", lambda: settings)
    monkeypatch.setattr(celery_app, "visible_cards", lambda: ("GPU-aa11",))
    settings.locks_dir.mkdir(parents=True)
    worker = SimpleNamespace(app=make_app(settings))
    worker.app.amqp.queues.select([queue])
    with (settings.locks_dir / "gpu-GPU-aa11.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(SystemExit) if ends else nullcontext():
            celery_app.take_the_card(worker)
    assert ("is used by another worker" in capsys.readouterr().err) == ends

"""The Celery application: two queues, JSON only, ids only.

`train` (one task a device, thread pool: its task only watches another process) and `light` (checks, samples and formats
of finished models). Nothing that must last lives in the broker: results are in the database, and the reaper, see
`worker.duties`, sends again what a lost broker forgot.
"""

import sys
from typing import Any

import structlog
from celery import Celery
from celery.apps.worker import Worker
from celery.signals import celeryd_after_setup, heartbeat_sent
from kombu.entity import Exchange, Queue

from automl.available_memory import available_bytes
from automl.errors import NotAllowedNow
from automl.models.cards import lock_card, visible_cards
from automl.processors import n_processors
from automl.settings import Settings, load_settings
from automl.store.worker_signs import SignsAway, WorkerSigns
from automl.task_names import LIGHT_QUEUE, QUEUES, TRAIN_QUEUE

_FEWEST_TASKS, _MOST_TASKS = 2, 8

_BYTES_OF_A_TASK = 2_000_000_000
"""An export takes about that; the decoders of all checks are counted for themselves."""


def _queue(name: str) -> Queue:
    # An exchange of its own: queues that share the default one also share their messages.
    return Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]


def make_app(settings: Settings) -> Celery:
    """A Celery application on `settings.broker_url`. Opens no connection."""
    app = Celery("darkroom", broker=settings.broker_url, include=["worker.tasks", "worker.task_log"])
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        result_expires=None,
        task_queues=[_queue(TRAIN_QUEUE), _queue(LIGHT_QUEUE)],
        task_default_queue=LIGHT_QUEUE,
        task_routes={task: {"queue": queue} for task, queue in QUEUES.items()},
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # Of the node `light`: the other one is told on its command line that it does one run at a time.
        worker_concurrency=settings.light_tasks or n_light_tasks(),
        # A message that is out for longer is delivered again, so this must be more than the longest run.
        broker_transport_options={"visibility_timeout": settings.max_budget_s + 3600},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_send_task_events=False,
    )
    return app


def n_light_tasks(*, available: int | None = None) -> int:
    """How many checks and exports run side by side, so that a long one keeps no other waiting; at least 1.

    available: bytes that are free; by default those of this machine or container.
    """
    free = available_bytes() if available is None else available
    by_processors = min(max(_FEWEST_TASKS, n_processors()), _MOST_TASKS)
    return by_processors if free is None else max(1, min(by_processors, free // _BYTES_OF_A_TASK))


app = make_app(load_settings())
_signs = WorkerSigns(load_settings().broker_url)
_log = structlog.stdlib.get_logger(__name__)


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def take_the_card(instance: Worker, **_: object) -> None:
    """A worker that trains has its graphics card to itself; a second one on the same card ends with a sentence."""
    if TRAIN_QUEUE not in instance.app.amqp.queues.consume_from:
        return
    try:
        lock_card(load_settings().locks_dir, visible_cards())
    except NotAllowedNow as error:
        sys.stderr.write(f"{error.message}\n")  # Celery would swallow the text of an exit
        sys.exit(1)


@heartbeat_sent.connect  # type: ignore[untyped-decorator]
def leave_a_sign(sender: Any, **_: object) -> None:
    """Every few seconds, whatever the node's tasks do: `/readyz` and `automl doctor` ask for these signs."""
    try:
        _signs.leave(sender.eventer.hostname)
    except SignsAway:
        _log.debug("no sign of life could be left: the queue does not answer")

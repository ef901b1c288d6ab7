"""Sends tasks to the worker by name, without importing the worker's code."""

from celery import Celery
from kombu.exceptions import OperationalError

from automl.errors import DarkroomError
from automl.task_names import QUEUES
from automl.text.messages import server as server_messages

_TIMEOUT_S = 3


class QueueUnavailable(DarkroomError):
    """The queue of the worker cannot be reached; nothing was started."""

    code = "queue_unavailable"


class TaskQueue:
    """A Celery client. It connects to the broker when the first task is sent."""

    def __init__(self, broker_url: str) -> None:
        self._celery = Celery("darkroom.web", broker=broker_url, set_as_current=False)
        self._celery.conf.update(
            task_ignore_result=True,
            # If Redis is unavailable, a page must answer soon instead of retrying for ever as a worker does.
            broker_transport_options={
                "max_retries": 1,
                "interval_start": 0,
                "interval_step": 0.2,
                "interval_max": 0.2,
                "socket_connect_timeout": _TIMEOUT_S,
                "socket_timeout": _TIMEOUT_S,
            },
        )

    def send(self, task: str, /, *ids: str) -> None:
        """Enqueues `task` with opaque ids as its arguments.

        Raises:
            QueueUnavailable: Redis cannot be reached within a few seconds.
        """
        try:
            self._celery.send_task(task, args=ids, queue=QUEUES[task], retry=False)
        except (OperationalError, OSError) as error:
            raise QueueUnavailable(server_messages.QUEUE_SILENT) from error

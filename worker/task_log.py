"""The log of the worker: ours in place of Celery's, with the task and its ids in every line that it writes."""

import inspect
from collections.abc import Mapping, Sequence

import structlog
from celery import Task
from celery.signals import setup_logging, task_postrun, task_prerun

from automl.logs import configure_logging
from automl.settings import load_settings


@setup_logging.connect  # type: ignore[untyped-decorator]
def configure(**_: object) -> None:
    """Having a receiver of this signal keeps Celery from setting up handlers of its own."""
    configure_logging(load_settings(), process="worker")


@task_prerun.connect  # type: ignore[untyped-decorator]
def bind_ids(task: Task, args: Sequence[object], kwargs: Mapping[str, object], **_: object) -> None:
    structlog.contextvars.bind_contextvars(task=task.name, **_ids_of(task, args, kwargs))


@task_postrun.connect  # type: ignore[untyped-decorator]
def forget_ids(**_: object) -> None:
    # The thread runs other tasks after this one.
    structlog.contextvars.clear_contextvars()


def _ids_of(task: Task, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, object]:
    """The arguments that are ids, by name. A message with other arguments than the task takes has none."""
    try:
        arguments = inspect.signature(task.run).bind(*args, **kwargs).arguments
    except TypeError:
        return {}
    return {name: value for name, value in arguments.items() if name.endswith("_id")}

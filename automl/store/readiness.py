"""Whether an installation can do its work: its database, queue, workers and disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from automl.records import RunState
from automl.settings import Settings
from automl.store.database import Database, SchemaAge
from automl.store.room import free_bytes
from automl.store.tables import Run, now
from automl.store.worker_signs import SignsAway, WorkerSigns
from automl.task_names import DUTIES, LIGHT_QUEUE, TRAIN_QUEUE
from automl.text.durations import duration_in_words
from automl.text.lists import names_in_words
from automl.text.messages import operations as operations_messages
from automl.text.numbers import size_in_words

_OF_SCHEMA = {
    SchemaAge.CURRENT: operations_messages.DATABASE_ANSWERS,
    SchemaAge.NONE: operations_messages.DATABASE_EMPTY,
    SchemaAge.OLDER: operations_messages.DATABASE_OLDER,
    SchemaAge.NEWER: operations_messages.DATABASE_NEWER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing that must be in order.

    Attributes:
        name: In one word, for programs.
        is_met: Whether it is in order.
        message: How it is, in words, and what to do where it is not in order.
    """

    name: str
    is_met: bool
    message: str


def conditions(settings: Settings, database: Database, signs: WorkerSigns) -> Iterator[Condition]:
    """All of them, one after another. None takes longer than a few seconds, and none raises."""
    yield from _of_database(database)
    yield from _of_workers(signs)
    yield of_disk(settings.home, settings.reserve_bytes)


def of_disk(folder: Path, wanted_bytes: int) -> Condition:
    """Whether so much is free on the disk of a folder, which may not be there yet."""
    free = free_bytes(folder)
    is_met = free >= wanted_bytes
    words = operations_messages.DISK_ENOUGH if is_met else operations_messages.DISK_SHORT
    message = words.format(free=size_in_words(free), folder=folder, wanted=size_in_words(wanted_bytes))
    return Condition(name="disk", is_met=is_met, message=message)


def oldest_wait_s(database: Database) -> float | None:
    """Seconds since the oldest run that still waits was asked for; None where none waits."""
    with database.session() as session:
        since = session.scalar(
            select(func.min(Run.created_at)).where(Run.state == RunState.QUEUED, Run.deleted_at.is_(None))
        )
    return None if since is None else (now() - since).total_seconds()


def _of_database(database: Database) -> Iterator[Condition]:
    try:
        age = database.schema_age()
        yield Condition(name="database", is_met=age is SchemaAge.CURRENT, message=_OF_SCHEMA[age])
        if age is SchemaAge.CURRENT:
            wait_s = oldest_wait_s(database)
            words = operations_messages.NOTHING_WAITS
            if wait_s is not None:
                words = operations_messages.OLDEST_WAITS.format(time=duration_in_words(wait_s))
            yield Condition(name="waiting", is_met=True, message=words)
    except SQLAlchemyError:
        yield Condition(name="database", is_met=False, message=operations_messages.DATABASE_AWAY)


def _of_workers(signs: WorkerSigns) -> Iterator[Condition]:
    try:
        nodes = signs.nodes()
    except SignsAway as error:
        yield Condition(name="queue", is_met=False, message=error.message)
        return
    yield Condition(name="queue", is_met=True, message=operations_messages.QUEUE_ANSWERS)
    kinds = {node.split("@")[0] for node in nodes}
    missing = [kind for kind in (TRAIN_QUEUE, LIGHT_QUEUE, DUTIES) if kind not in kinds]
    message = operations_messages.NODES_THERE.format(nodes=names_in_words(list(nodes)))
    if missing:
        message = operations_messages.NO_NODE.format(kinds=names_in_words(missing))
    yield Condition(name="workers", is_met=not missing, message=message)

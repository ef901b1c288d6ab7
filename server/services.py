"""What every view needs: the settings, the database, the files and the queue."""

from dataclasses import dataclass
from typing import Protocol

from flask import current_app

from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database


class Enqueue(Protocol):
    """Sends one task by name. Raises `server.queue.QueueUnavailable`."""

    def __call__(self, task: str, /, *ids: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: Database
    store: ArtifactStore
    enqueue: Enqueue


def services() -> Services:
    """Those of the application that serves the present request."""
    found = current_app.extensions["darkroom"]
    assert isinstance(found, Services)
    return found

"""What every view needs: the settings, the database, the files, the queue and the models that are open."""

from dataclasses import dataclass, field
from typing import Protocol

from flask import current_app

from automl.serving.model_cache import ModelCache
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.events import RunEvents
from server.live.hub import LiveHub


class Enqueue(Protocol):
    """Sends one task by name. Raises `server.task_queue.QueueUnavailable`."""

    def __call__(self, task: str, /, *ids: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    settings: Settings
    database: Database
    store: ArtifactStore
    enqueue: Enqueue
    events: RunEvents
    live: LiveHub
    models: ModelCache = field(default_factory=ModelCache)


def services() -> Services:
    """Those of the application that serves the present request."""
    found = current_app.extensions["darkroom"]
    assert isinstance(found, Services)
    return found

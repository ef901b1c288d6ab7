"""What every view needs: settings, database, files, queue, live events and opened models."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from flask import current_app

from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.pool import Decoders
from automl.serving.model_cache import ModelCache
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.events import RunEvents
from automl.store.worker_signs import WorkerSigns
from server.figures import WebFigures
from server.live.hub import LiveHub
from server.packed_models import PackedModels


class Enqueue(Protocol):
    """Sends one task by name. Raises `server.task_queue.QueueUnavailable`."""

    def __call__(self, task: str, /, *ids: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """One set for each application."""

    settings: Settings
    database: Database
    store: ArtifactStore
    enqueue: Enqueue
    events: RunEvents
    live: LiveHub
    """Hands live events out to open pages."""
    signs: WorkerSigns
    """Tells which worker nodes are alive."""
    figures: WebFigures = field(default_factory=WebFigures)
    """What this process counts."""
    models: ModelCache = field(default_factory=ModelCache)
    """Models that answer questions about single photos."""
    packed_models: PackedModels = field(default_factory=PackedModels)
    """Models as browsers fetch them, to run them themselves."""

    @cached_property
    def decoders(self) -> Decoders:
        """Processes that open photos, since this one must stay small and quick whatever is in a file."""
        return Decoders(DecodingLimits(max_image_bytes=self.settings.max_image_bytes))


def services() -> Services:
    """The services of the application that answers the current request."""
    found = current_app.extensions["darkroom"]
    assert isinstance(found, Services)
    return found

"""The bin, as the API shows it."""

from collections.abc import Iterable
from typing import Literal

from automl.store.bin import BinEntry
from automl.store.tables import now
from server.api.resources.resource import Resource, Timestamp


class BinEntryResource(Resource):
    """A data set or a run that is in the bin."""

    kind: Literal["dataset", "run"]
    """What it is."""

    id: str
    """Its id, by which it can be put back."""

    name: str
    """What people call it; of a run, it may be empty."""

    dataset: str
    """Id of the data set, or of that of the run."""

    n_photos: int
    """Photos in it; 0 for a run."""

    n_runs: int
    """Runs that go with it; 1 for a run."""

    n_models: int
    """Models that can be downloaded again once it is put back."""

    n_bytes: int
    """Size of its files. They count until it is removed."""

    deleted_at: Timestamp
    """When it was deleted."""

    removal_at: Timestamp
    """When it is removed for good."""

    @classmethod
    def of(cls, entry: BinEntry) -> "BinEntryResource":
        contents = entry.contents
        return cls(
            kind="run" if entry.run else "dataset",
            id=entry.id,
            name=entry.run.name if entry.run else entry.dataset.name,
            dataset=entry.dataset.id,
            n_photos=contents.n_photos,
            n_runs=contents.n_runs,
            n_models=contents.n_models,
            n_bytes=contents.n_bytes,
            deleted_at=entry.deleted_at or now(),
            removal_at=entry.removal_at or now(),
        )


class BinResource(Resource):
    """All that can be put back."""

    entries: list[BinEntryResource]
    """What was deleted last comes first."""

    @classmethod
    def of(cls, entries: Iterable[BinEntry]) -> "BinResource":
        return cls(entries=[BinEntryResource.of(entry) for entry in entries])

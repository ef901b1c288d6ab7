"""The surest mistakes of a result, and the labels that it doubts, with their photos."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from server.seen_photos import SeenPhoto, SeenPhotos


@dataclass(frozen=True, slots=True)
class Mistake:
    """A test photo that was taken for something else. `nearest`: the most alike of those that were learned from."""

    photo: SeenPhoto
    said: str
    confidence: float
    nearest: tuple[SeenPhoto, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A photo that was learned from and whose label is doubted. `confidence`: of `suggested`, 0-1."""

    photo: SeenPhoto
    suggested: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Mistakes:
    """`suspects`: those that are still used. `n_corrected`: how many of all these photos have another class now."""

    worst: tuple[Mistake, ...]
    suspects: tuple[Suspect, ...]

    @property
    def n_corrected(self) -> int:
        photos = [one.photo for one in self.suspects] + [one.photo for one in self.worst]
        return len({photo.now.id for photo in photos if photo.now and photo.moved_to})


def view_mistakes(session: Session, dataset_id: str, result: Mapping[str, Any]) -> Mistakes:
    """result: `metrics.json`, also of a version that had neither list."""
    wrong, doubted = result.get("mistakes") or (), result.get("suspects") or ()
    shown = [*wrong, *doubted, *(near for row in wrong for near in row["nearest"])]
    photos = SeenPhotos(session, dataset_id, (row["sha256"] for row in shown))
    suspects = (Suspect(photos.of(row), row["suggested"], row["confidence"]) for row in doubted)
    return Mistakes(
        worst=tuple(
            Mistake(photos.of(row), row["predicted"], row["confidence"], tuple(map(photos.of, row["nearest"])))
            for row in wrong
        ),
        suspects=tuple(one for one in suspects if one.photo.now is not None and one.photo.is_used),
    )

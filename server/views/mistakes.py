"""The surest mistakes of a result, and the labels that it doubts, with their photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from server.views.seen_photos import SeenPhoto, SeenPhotos
from server.views.test_photos import Answer


@dataclass(frozen=True, slots=True)
class Mistake:
    """A test photo that was taken for something else. `nearest`: the most alike of those that were learned from.

    `is_sure`: None where the model has no threshold for it, or nobody can tell any more.
    """

    photo: SeenPhoto
    said: str
    confidence: float
    is_sure: bool | None
    nearest: tuple[SeenPhoto, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A photo that was learned from and whose label is doubted. `confidence`: of `suggested`, 0-1."""

    photo: SeenPhoto
    suggested: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Doubts:
    """On how many test photos the model would have said "not sure": of those that it got wrong, and right."""

    n_wrong_unsure: int
    n_wrong: int
    n_right_unsure: int
    n_right: int


@dataclass(frozen=True, slots=True)
class Mistakes:
    """`suspects`: those that are still used. `n_corrected`: how many of all these photos have another class now.

    `doubts`: None where the model has no threshold, or the answers are not kept.
    """

    worst: tuple[Mistake, ...]
    suspects: tuple[Suspect, ...]
    doubts: Doubts | None

    @property
    def n_corrected(self) -> int:
        photos = [one.photo for one in self.suspects] + [one.photo for one in self.worst]
        return len({photo.now.id for photo in photos if photo.now and photo.moved_to})


def view_mistakes(
    session: Session, dataset_id: str, result: Mapping[str, Any], answers: Sequence[Answer] | None
) -> Mistakes:
    """result: `metrics.json`, also of a version that had neither list. answers: to all test photos."""
    wrong, doubted = result.get("mistakes") or (), result.get("suspects") or ()
    shown = [*wrong, *doubted, *(near for row in wrong for near in row["nearest"])]
    photos = SeenPhotos(session, dataset_id, (row["sha256"] for row in shown))
    is_sure = {answer.sha256: answer.is_sure for answer in answers or ()}
    suspects = (Suspect(photos.of(row), row["suggested"], row["confidence"]) for row in doubted)
    return Mistakes(
        worst=tuple(
            Mistake(
                photo=photos.of(row),
                said=row["predicted"],
                confidence=row["confidence"],
                is_sure=is_sure.get(row["sha256"]),
                nearest=tuple(map(photos.of, row["nearest"])),
            )
            for row in wrong
        ),
        suspects=tuple(one for one in suspects if one.photo.now is not None and one.photo.is_used),
        doubts=_doubts(answers or ()),
    )


def _doubts(answers: Sequence[Answer]) -> Doubts | None:
    if all(answer.is_sure is None for answer in answers):
        return None
    right = [answer.is_sure is False for answer in answers if answer.is_right]
    wrong = [answer.is_sure is False for answer in answers if not answer.is_right]
    return Doubts(sum(wrong), len(wrong), sum(right), len(right))

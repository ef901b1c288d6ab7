"""The most confident mistakes of a result, and the labels that it doubts, with their photos."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from sqlalchemy.orm import Session

from automl.datasets.edits import confirmed_labels
from automl.records.report import RunReport
from automl.store.checks import current_edits
from server.views.seen_photos import SeenPhoto, SeenPhotos
from server.views.test_photos import AnsweredPhoto


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A test photo that was taken for something else.

    Attributes:
        photo: As it was, and as it is today.
        said: The class that the model named.
        confidence: How sure it was, 0-1.
        is_sure: Whether that counts as sure; None where the model has no threshold, or the answers are not kept.
        nearest: The training photos that look most like it.
    """

    photo: SeenPhoto
    said: str
    confidence: float
    is_sure: bool | None
    nearest: tuple[SeenPhoto, ...]


@dataclass(frozen=True, slots=True)
class DoubtedPhoto:
    """A training photo whose label is doubted.

    Attributes:
        photo: As it was, and as it is today.
        suggested: The class that it probably shows.
        confidence: How sure the models were of that, 0-1.
    """

    photo: SeenPhoto
    suggested: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """On how many test photos the model would have said "not sure".

    Attributes:
        n_wrong_unsure: Of the wrong answers.
        n_wrong: All wrong answers.
        n_right_unsure: Of the right answers.
        n_right: All right answers.
    """

    n_wrong_unsure: int
    n_wrong: int
    n_right_unsure: int
    n_right: int


@dataclass(frozen=True, slots=True)
class Mistakes:
    """What the page of a result shows of single photos.

    Attributes:
        worst: The most confident mistakes.
        suspects: Photos with a doubted label, as far as they are still used and nobody has said that it is right.
        doubts: None where the model has no threshold, or the answers are not kept.
    """

    worst: tuple[Mistake, ...]
    suspects: tuple[DoubtedPhoto, ...]
    doubts: Doubts | None

    @property
    def n_doubted(self) -> int:
        """How many doubted labels nobody has corrected yet."""
        return sum(not one.photo.moved_to for one in self.suspects)

    @property
    def n_corrected(self) -> int:
        """How many of all these photos have another class now."""
        photos = [one.photo for one in self.suspects] + [one.photo for one in self.worst]
        return len({photo.now.id for photo in photos if photo.now and photo.moved_to})


def view_mistakes(
    session: Session, dataset_id: str, *, report: RunReport, answers: Sequence[AnsweredPhoto] | None
) -> Mistakes:
    """answers: to all test photos; None where they are not kept."""
    nearest = (photo for mistake in report.mistakes for photo in mistake.nearest)
    shown = [*report.mistakes, *report.suspects, *nearest]
    photos = SeenPhotos(session, dataset_id, (photo.sha256 for photo in shown))
    confirmed = confirmed_labels(current_edits(session, dataset_id)) if report.suspects else frozenset[int]()
    is_sure = {answer.sha256: answer.is_sure for answer in answers or ()}
    suspects = (DoubtedPhoto(photos.of(one), one.suggested, one.confidence) for one in report.suspects)
    return Mistakes(
        worst=tuple(
            Mistake(
                photo=photos.of(mistake),
                said=mistake.predicted,
                confidence=mistake.confidence,
                is_sure=is_sure.get(mistake.sha256),
                nearest=tuple(map(photos.of, mistake.nearest)),
            )
            for mistake in report.mistakes
        ),
        suspects=tuple(one for one in suspects if _is_open(one, confirmed)),
        doubts=_doubts(answers or ()),
    )


def _is_open(suspect: DoubtedPhoto, confirmed: Set[int]) -> bool:
    """Whether its photo is still used, and nobody has said that the label is right."""
    return suspect.photo.now is not None and suspect.photo.is_used and suspect.photo.now.id not in confirmed


def _doubts(answers: Sequence[AnsweredPhoto]) -> Doubts | None:
    if all(answer.is_sure is None for answer in answers):
        return None
    right = [answer.is_sure is False for answer in answers if answer.is_right]
    wrong = [answer.is_sure is False for answer in answers if not answer.is_right]
    return Doubts(n_wrong_unsure=sum(wrong), n_wrong=len(wrong), n_right_unsure=sum(right), n_right=len(right))

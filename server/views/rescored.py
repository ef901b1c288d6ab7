"""The answers of a finished run, scored with the labels that its photos have today."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.records import FileState
from automl.store.tables import DatasetFile
from automl.text.numbers import percent
from server.views.test_photos import AnsweredPhoto

_IN_A_STATEMENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoredAnswers:
    """What a run answered, under the labels of today.

    Attributes:
        answers: Those to photos that are not left out today, with their classes called as they are called today. A
            photo that is gone has the label that it had.
        n_corrected: Photos among them that have another class today than the run knew; a new name alone is none.
        n_left_out: Photos that are left out today.
        n_right_then: How many of `answers` were right by the labels that the run knew.
    """

    answers: tuple[AnsweredPhoto, ...]
    n_corrected: int
    n_left_out: int
    n_right_then: int

    @property
    def n_right(self) -> int:
        """How many are right by the labels of today."""
        return sum(answer.is_right for answer in self.answers)

    @property
    def share_now(self) -> str:
        return percent(self.n_right / len(self.answers)) if self.answers else ""

    @property
    def share_then(self) -> str:
        return percent(self.n_right_then / len(self.answers)) if self.answers else ""


def rescored(session: Session, dataset_id: str, answers: Sequence[AnsweredPhoto]) -> RescoredAnswers:
    """What the answers are worth today; they are kept as they were, so any label can be asked again."""
    labels = _labels_today(session, dataset_id, [answer.sha256 for answer in answers])
    names = _names_today(answers, labels, classes=_classes_today(session, dataset_id))
    kept = [answer for answer in answers if labels.get(answer.sha256) != ""]
    now = [_relabelled(answer, labels.get(answer.sha256), names) for answer in kept]
    return RescoredAnswers(
        answers=tuple(now),
        n_corrected=sum(after.really != names[before.really] for before, after in zip(kept, now, strict=True)),
        n_left_out=len(answers) - len(kept),
        n_right_then=sum(answer.is_right for answer in kept),
    )


def _relabelled(answer: AnsweredPhoto, label: str | None, names: Mapping[str, str]) -> AnsweredPhoto:
    return replace(
        answer,
        really=label or names[answer.really],
        said=names.get(answer.said, answer.said),
        runner_up=names.get(answer.runner_up, answer.runner_up),
    )


def _labels_today(session: Session, dataset_id: str, digests: Sequence[str]) -> dict[str, str]:
    """By SHA-256: the class of each photo that is still there, empty where it is not used any more."""
    found: dict[str, str] = {}
    for start in range(0, len(digests), _IN_A_STATEMENT):
        some = DatasetFile.sha256.in_(digests[start : start + _IN_A_STATEMENT])
        query = select(DatasetFile.sha256, DatasetFile.label, DatasetFile.state)
        for row in session.execute(query.where(DatasetFile.dataset_id == dataset_id, some)):
            label = row.label if row.state is FileState.ACCEPTED and row.label else ""
            found[row.sha256] = label or found.get(row.sha256, "")
    return found


def _classes_today(session: Session, dataset_id: str) -> set[str]:
    query = select(DatasetFile.label).where(
        DatasetFile.dataset_id == dataset_id, DatasetFile.state == FileState.ACCEPTED
    )
    return {label for label in session.scalars(query.distinct()) if label}


def _names_today(answers: Sequence[AnsweredPhoto], labels: Mapping[str, str], *, classes: set[str]) -> dict[str, str]:
    """What each class of the run is called today.

    A class that is not there any more was renamed, or joined with another one, to what most of its photos are called.
    """
    names = {answer.really: answer.really for answer in answers}
    for name in names.keys() - classes:
        now = Counter(labels[one.sha256] for one in answers if one.really == name and labels.get(one.sha256))
        if now:
            names[name] = min(now, key=lambda label: (-now[label], label))
    return names

"""What the delivered model said of each test photo: the tables in a run's download."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeGuard

from sqlalchemy.orm import Session

from automl.errors import BadBundle, NotFound
from automl.store.artifacts import ArtifactStore
from automl.store.tables import Artifact, Run
from server.downloads.members import read_member
from server.views.run import downloadable

_Rows = tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredPhoto:
    """One test photo and what the delivered model said of it.

    Attributes:
        name: The path that the user gave it.
        really: Its class when the run was made.
        said: The likeliest class.
        confidence: Probability of `said`, 0-1.
        is_sure: Whether that counts as sure; None where the model has no threshold for it.
        runner_up: The second likeliest class.
        runner_up_confidence: Probability of `runner_up`, 0-1.
        together: The same for photos of one clip and for copies of one picture, which are right or wrong together; the
            SHA-256 where the version that made the run did not say.
        sha256: Of its bytes.
    """

    name: str
    really: str
    said: str
    confidence: float
    is_sure: bool | None
    runner_up: str
    runner_up_confidence: float
    together: str
    sha256: str

    @property
    def is_right(self) -> bool:
        return self.said == self.really


def answers_of(session: Session, store: ArtifactStore, run: Run) -> tuple[AnsweredPhoto, ...] | None:
    """In the order of the test; None where the run has no final download, or one of an older version."""
    return answers_in(store, run, downloadable(session, run))


def answers_in(store: ArtifactStore, run: Run, download: Artifact | None) -> tuple[AnsweredPhoto, ...] | None:
    """The same, where the download is known. Where the run's user has chosen when an answer is sure, that counts."""
    answers = _read_answers(store, download.key) if _is_final(download) else None
    threshold = run.sure_threshold
    if answers is None or threshold is None:
        return answers
    return tuple(replace(answer, is_sure=answer.confidence >= threshold) for answer in answers)


def photos_of_test(session: Session, store: ArtifactStore, run: Run) -> Mapping[str, str] | None:
    """The class of each test photo by its SHA-256; None where that is not kept."""
    download = downloadable(session, run)
    if (answers := answers_in(store, run, download)) is not None:
        return {answer.sha256: answer.really for answer in answers}
    photos = _read_table(store, download.key, "photos.csv") if _is_final(download) else None
    return None if photos is None else {row["sha256"]: row["class"] for row in photos if row["part"] == "test"}


def _is_final(download: Artifact | None) -> TypeGuard[Artifact]:
    """Not the best model so far: its .zip has no such tables."""
    return download is not None and download.kind == "bundle"


@lru_cache(maxsize=8)
def _read_answers(store: ArtifactStore, key: str) -> tuple[AnsweredPhoto, ...] | None:
    """The bytes behind a key never change, and each page of one run asks for the same."""
    rows = _read_table(store, key, "answers.csv")
    return None if rows is None else tuple(map(_answer, rows))


def _read_table(store: ArtifactStore, key: str, name: str) -> _Rows | None:
    """None where the file is gone, or has no such table."""
    try:
        text = read_member(store, key, name).decode()
    except (NotFound, BadBundle):  # a damaged download says so where it is asked for
        return None
    return tuple(csv.DictReader(io.StringIO(text, newline="")))


def _answer(row: Mapping[str, str]) -> AnsweredPhoto:
    return AnsweredPhoto(
        name=row["photo"],
        really=row["class"],
        said=row["answer"],
        confidence=float(row["confidence"]),
        is_sure={"yes": True, "no": False}.get(row["sure"]),
        runner_up=row["runner_up"],
        runner_up_confidence=float(row["runner_up_confidence"]),
        together=row.get("together", row["sha256"]),
        sha256=row["sha256"],
    )

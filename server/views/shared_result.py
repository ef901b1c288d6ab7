"""What somebody who has only a read-only link sees of a result: figures, and photos where its maker said so."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from automl.records.report import RunReport
from automl.store.results import report_of
from automl.store.tables import Run
from server.views.confusion import ConfusionMatrix, view_confusion
from server.views.mistakes import Mistake, view_mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedResult:
    """The result of a run without anything that leads further.

    Attributes:
        report: Its figures.
        matrix: What it mixes up, without links.
        mistakes: Photos that it took for something else, and that can still be shown; empty where none may be.
    """

    report: RunReport
    matrix: ConfusionMatrix
    mistakes: tuple[Mistake, ...]

    @property
    def photo_ids(self) -> frozenset[int]:
        """The photos that this page shows, by the number of their file."""
        return frozenset(one.photo.now.id for one in self.mistakes if one.photo.now)


def view_shared_result(session: Session, run: Run, *, shows_photos: bool) -> SharedResult:
    """Raises NotFound where the run has no result."""
    report = report_of(run)
    mistakes: tuple[Mistake, ...] = ()
    if shows_photos:
        worst = view_mistakes(session, run.dataset_id, report=report, answers=None).worst
        mistakes = tuple(one for one in worst if one.photo.now and one.photo.now.has_picture)
    return SharedResult(report=report, matrix=view_confusion(report, ""), mistakes=mistakes)

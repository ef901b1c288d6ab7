"""What the page of a finished run shows beside the run itself: its confusions, its mistakes, and what may follow."""

from collections.abc import Sequence
from functools import cached_property

from flask import current_app, url_for
from sqlalchemy.orm import Session

from automl.datasets.none_of_these import AnythingElse, anything_else
from automl.records.learning_curve import CurvePoint
from automl.records.report import RunReport
from automl.store.results import report_of
from automl.store.sortings import sortings_of
from automl.store.tables import Artifact, Run, Sorting
from server.services import Services
from server.views.advice import Advice, advise
from server.views.charts import Chart
from server.views.comparison import ComparisonRow, setting_rows
from server.views.confusion import ConfusionMatrix, is_drawn, n_mistakes, view_confusion
from server.views.dataset import labels_of
from server.views.follow_up import NextSteps, next_steps
from server.views.gained import Gain, gain_of
from server.views.history import SearchHistory, draw_worth, view_history
from server.views.mistakes import Mistakes, view_mistakes
from server.views.photo_worth import curve_in
from server.views.rescored import RescoredAnswers, rescored
from server.views.sure import SureChoice, view_sure
from server.views.test_photos import AnsweredPhoto, answers_in
from server.views.version import note_of

_HEAT_ROUTE = "try_it.heat"


class OutcomeView:
    """What came of a run that is done. Each figure is worked out when a page first asks for it: no page shows all.

    Args:
        session: Open as long as the view is read.
        services: Of the installation.
        run: Done.
        bundle: Its download; None where it is gone.

    Raises:
        NotFound: The run has no result.
    """

    def __init__(self, session: Session, services: Services, run: Run, *, bundle: Artifact | None) -> None:
        self._session, self._services, self._run, self._bundle = session, services, run, bundle
        self.report: RunReport = report_of(run)

    @cached_property
    def _answers(self) -> Sequence[AnsweredPhoto] | None:
        return answers_in(self._services.store, self._run, self._bundle)

    @property
    def has_answers(self) -> bool:
        """Whether each count of the matrix leads to its photos."""
        return self._answers is not None

    @property
    def has_heat(self) -> bool:
        """Whether heat maps can be asked for."""
        return _HEAT_ROUTE in current_app.view_functions

    @property
    def n_mistakes(self) -> int:
        """How many answers were wrong."""
        return n_mistakes(self.report)

    @property
    def is_drawn(self) -> bool:
        """Whether its confusion matrix is small enough to be read."""
        return is_drawn(self.report)

    @cached_property
    def matrix(self) -> ConfusionMatrix:
        """Its confusion matrix."""
        page = url_for("answers.show", run_id=self._run.id) if self.has_answers else ""
        return view_confusion(self.report, page)

    @property
    def anything_else(self) -> AnythingElse | None:
        """How it did on photos of anything else; None where no class is made of them."""
        return anything_else(self.report.classes, self.report.score.confusion)

    @cached_property
    def mistakes(self) -> Mistakes:
        """Single photos with what the model said of them."""
        return view_mistakes(self._session, self._run.dataset_id, report=self.report, answers=self._answers)

    @cached_property
    def rescored(self) -> RescoredAnswers | None:
        """What the answers are worth by the labels of today; None where they are not kept."""
        answers = self._answers
        return None if answers is None else rescored(self._session, self._run.dataset_id, answers)

    @property
    def labels(self) -> Sequence[str]:
        """The classes that the data set has today."""
        return labels_of(self._run.dataset)

    @property
    def settings(self) -> Sequence[ComparisonRow]:
        """What the run was asked for, one figure a row."""
        return setting_rows([self._run.settings])

    @cached_property
    def sure(self) -> SureChoice | None:
        """When an answer counts as sure; None where the answers to the tested photos are not kept."""
        return view_sure(self._run, self._answers)

    @cached_property
    def history(self) -> SearchHistory | None:
        """What was tried over time; None where there is nothing to draw."""
        return view_history(self._session, self._run)

    @property
    def worth(self) -> Sequence[CurvePoint]:
        """What more photos are worth; empty where it was not measured."""
        return curve_in(self._services.store, self._bundle)

    @cached_property
    def worth_chart(self) -> Chart | None:
        """The same as a chart."""
        return draw_worth(self.worth)

    @property
    def drawn_plots(self) -> frozenset[str]:
        """Names of the plots of the download whose figures the pages draw or tell themselves."""
        calibration = self.report.calibration
        shown = {
            "confusion_matrix.png": self.is_drawn,
            "per_class.png": True,
            "reliability.png": bool(calibration and calibration.bins_after),
            "search.png": self.history is not None,
        }
        return frozenset(name for name, is_shown in shown.items() if is_shown)

    @cached_property
    def next(self) -> NextSteps:
        """The runs that may follow."""
        return next_steps(self._session, self._run, self._services.settings.max_budget_s)

    @cached_property
    def advice(self) -> Advice:
        """Whether the model is good enough, and what would help."""
        return advise(
            self.report,
            n_doubted=self.mistakes.n_doubted,
            n_corrected=self.mistakes.n_corrected,
            was_stopped=self._run.stop_requested,
            curve=self.worth,
        )

    @property
    def version_note(self) -> str:
        """Which of its photos a model has sorted; may be empty."""
        return note_of(self._run.version) if self._run.version else ""

    @cached_property
    def gain(self) -> Gain | None:
        """What photos have brought that a model had sorted; None where none came since the run before."""
        return gain_of(self._session, self._services.store, self._run)

    @cached_property
    def sortings(self) -> Sequence[tuple[Sorting, int, int]]:
        """What it has sorted so far, each with its photos and how many of these were looked at."""
        return sortings_of(self._session, self._run.id)

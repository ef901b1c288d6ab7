"""What the page of a finished run shows beside the run itself: its confusions, its mistakes, and what may follow."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, url_for
from sqlalchemy.orm import Session

from automl.records.report import RunReport
from automl.store.results import report_of
from automl.store.tables import Artifact, Run
from server.services import Services
from server.views.comparison import ComparisonRow, setting_rows
from server.views.confusion import ConfusionMatrix, view_confusion
from server.views.dataset import labels_of
from server.views.follow_up import NextSteps, next_steps
from server.views.mistakes import Mistakes, view_mistakes
from server.views.sure import SureChoice, view_sure
from server.views.test_photos import answers_in

_HEAT_ROUTE = "try_it.heat"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeView:
    """What came of a run that is done.

    Attributes:
        report: Its figures.
        matrix: Its confusion matrix.
        has_answers: Whether each count of the matrix leads to its photos.
        has_heat: Whether heat maps can be asked for.
        mistakes: Single photos with what the model said of them.
        labels: The classes that the data set has today.
        settings: What the run was asked for, one figure a row.
        sure: When an answer counts as sure; None where the answers to the tested photos are not kept.
        next: The runs that may follow.
    """

    report: RunReport
    matrix: ConfusionMatrix
    has_answers: bool
    has_heat: bool
    mistakes: Mistakes
    labels: Sequence[str]
    settings: Sequence[ComparisonRow]
    sure: SureChoice | None
    next: NextSteps


def view_outcome(session: Session, services: Services, run: Run, *, bundle: Artifact | None) -> OutcomeView:
    """bundle: the download of the run; None where it is gone.

    Raises:
        NotFound: the run has no result.
    """
    report, answers = report_of(run), answers_in(services.store, run, bundle)
    has_answers = answers is not None
    return OutcomeView(
        report=report,
        matrix=view_confusion(report, url_for("answers.show", run_id=run.id) if has_answers else ""),
        has_answers=has_answers,
        has_heat=_HEAT_ROUTE in current_app.view_functions,
        mistakes=view_mistakes(session, run.dataset_id, report=report, answers=answers),
        labels=labels_of(run.dataset),
        settings=setting_rows([run.settings]),
        sure=view_sure(run, answers),
        next=next_steps(session, run, services.settings.max_budget_s),
    )

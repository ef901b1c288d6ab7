"""What the page of a finished run shows beside the run itself: its confusions, its mistakes, and what may follow."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, url_for
from sqlalchemy.orm import Session

from automl.records.report import RunReport
from automl.store.results import report_of
from automl.store.sortings import sortings_of
from automl.store.tables import Artifact, Run, Sorting
from server.services import Services
from server.views.advice import Advice, advise
from server.views.comparison import ComparisonRow, setting_rows
from server.views.confusion import ConfusionMatrix, view_confusion
from server.views.dataset import labels_of
from server.views.follow_up import NextSteps, next_steps
from server.views.gained import Gain, gain_of
from server.views.mistakes import Mistakes, view_mistakes
from server.views.photo_worth import curve_in
from server.views.rescored import RescoredAnswers, rescored
from server.views.sure import SureChoice, view_sure
from server.views.test_photos import answers_in
from server.views.version import note_of

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
        rescored: What the answers are worth by the labels of today; None where they are not kept.
        labels: The classes that the data set has today.
        settings: What the run was asked for, one figure a row.
        sure: When an answer counts as sure; None where the answers to the tested photos are not kept.
        next: The runs that may follow.
        advice: Whether the model is good enough, and what would help.
        version_note: Which of its photos a model has sorted; may be empty.
        gain: What photos have brought that a model had sorted; None where none came since the run before.
        sortings: What it has sorted so far, each with its photos and how many of these were looked at.
    """

    report: RunReport
    matrix: ConfusionMatrix
    has_answers: bool
    has_heat: bool
    mistakes: Mistakes
    rescored: RescoredAnswers | None
    labels: Sequence[str]
    settings: Sequence[ComparisonRow]
    sure: SureChoice | None
    next: NextSteps
    advice: Advice
    version_note: str
    gain: Gain | None
    sortings: Sequence[tuple[Sorting, int, int]]


def view_outcome(session: Session, services: Services, run: Run, *, bundle: Artifact | None) -> OutcomeView:
    """bundle: the download of the run; None where it is gone.

    Raises:
        NotFound: the run has no result.
    """
    report, answers = report_of(run), answers_in(services.store, run, bundle)
    has_answers, photos = answers is not None, view_mistakes(session, run.dataset_id, report=report, answers=answers)
    return OutcomeView(
        report=report,
        matrix=view_confusion(report, url_for("answers.show", run_id=run.id) if has_answers else ""),
        has_answers=has_answers,
        has_heat=_HEAT_ROUTE in current_app.view_functions,
        mistakes=photos,
        rescored=None if answers is None else rescored(session, run.dataset_id, answers),
        labels=labels_of(run.dataset),
        settings=setting_rows([run.settings]),
        sure=view_sure(run, answers),
        next=next_steps(session, run, services.settings.max_budget_s),
        version_note=note_of(run.version) if run.version else "",
        gain=gain_of(session, services.store, run),
        sortings=sortings_of(session, run.id),
        advice=advise(
            report,
            n_doubted=photos.n_doubted,
            n_corrected=photos.n_corrected,
            was_stopped=run.stop_requested,
            curve=curve_in(services.store, bundle),
        ),
    )

"""What the page of a finished run shows beside the run itself: its confusions, its mistakes, and what may follow."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, url_for
from sqlalchemy.orm import Session

from automl.records import RunSettings
from automl.store.tables import Artifact, Run
from server.services import Services
from server.views.comparison import Row, setting_rows
from server.views.confusion import Matrix, view_confusion
from server.views.dataset import labels_of
from server.views.follow_up import NextSteps, next_steps
from server.views.mistakes import Mistakes, view_mistakes
from server.views.test_photos import answers_in

_HEAT_ROUTE = "try_it.heat"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`has_answers`: each count leads to its photos. `has_heat`: heat maps can be asked for. `labels`: today's classes.

    `matrix`: None for a result without a test. `settings`: what the run was asked for, one figure each.
    """

    matrix: Matrix | None
    has_answers: bool
    has_heat: bool
    mistakes: Mistakes
    labels: Sequence[str]
    settings: Sequence[Row]
    next: NextSteps


def view_outcome(session: Session, services: Services, run: Run, bundle: Artifact | None) -> Outcome:
    """bundle: its download."""
    answers = answers_in(services.store, bundle)
    has_answers = answers is not None
    return Outcome(
        matrix=view_confusion(run.result, url_for("answers.show", run_id=run.id) if has_answers else ""),
        has_answers=has_answers,
        has_heat=_HEAT_ROUTE in current_app.view_functions,
        mistakes=view_mistakes(session, run.dataset_id, run.result, answers),
        labels=labels_of(run.dataset),
        settings=setting_rows([RunSettings.from_json(run.settings)]),
        next=next_steps(session, run, services.settings.max_budget_s),
    )

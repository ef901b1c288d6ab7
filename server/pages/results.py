"""What lies behind the first screen of a result, each on a page of its own: its mistakes, its doubts, its details."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from automl.records import RunState
from automl.store.database import find_run
from server.services import services
from server.views.follow_up import parent_of
from server.views.outcome import OutcomeView
from server.views.run import view_run

blueprint = Blueprint("results", __name__, url_prefix="/runs")


@blueprint.get("/<run_id>/mistakes")
def mistakes(run_id: str) -> ResponseReturnValue:
    return _part(run_id, "mistakes")


@blueprint.get("/<run_id>/doubts")
def doubts(run_id: str) -> ResponseReturnValue:
    return _part(run_id, "doubts")


@blueprint.get("/<run_id>/details")
def details(run_id: str) -> ResponseReturnValue:
    return _part(run_id, "details")


def _part(run_id: str, name: str) -> ResponseReturnValue:
    """Of a run that has no result yet there is one page only."""
    with services().database.session() as session:
        run = find_run(session, run_id)
        if run.state is not RunState.DONE:
            return redirect(url_for("runs.show", run_id=run_id))
        view = view_run(session, run, services().settings)
        outcome = OutcomeView(session, services(), run, bundle=view.bundle)
        return render_template(
            f"runs/{name}.html",
            part=name,
            view=view,
            run=run,
            dataset=run.dataset,
            report=outcome.report,
            outcome=outcome,
            parent=parent_of(session, run),
        )

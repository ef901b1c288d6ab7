"""The pages of a run: live, then its result."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from automl.records import RunSettings, RunState
from automl.store.database import find_run, request_cancel, request_stop
from server.artifacts import bundle_members
from server.forms import form_values
from server.run_view import STAGES, RunView, view_run
from server.services import services

blueprint = Blueprint("runs", __name__, url_prefix="/runs")

STAGE_TITLES = {
    RunState.QUEUED: "Waiting",
    RunState.PREPARING: "Preparing",
    RunState.SEARCHING: "Searching",
    RunState.FINISHING: "Finishing",
    RunState.DONE: "Done",
    RunState.FAILED: "Failed",
    RunState.CANCELLED: "Cancelled",
}


@blueprint.get("/<run_id>")
def show(run_id: str) -> str:
    with services().database.session() as session:
        return _render(_view(session, run_id), "runs/show.html")


@blueprint.get("/<run_id>/live")
def live(run_id: str) -> ResponseReturnValue:
    """What the page asks for each second until the run has ended.

    Only the figures while nothing else has changed since the page saw `seen`; else the whole body, so that a button
    keeps the focus and an opened part stays open from one second to the next.
    """
    with services().database.session() as session:
        view = _view(session, run_id)
        if view.key == request.args.get("seen"):
            return _render(view, "runs/_tick.html")
        response = make_response(_render(view, "runs/_body.html"))
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#run", "outerHTML"
    return response


@blueprint.post("/<run_id>/stop")
def stop(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        request_stop(find_run(session, run_id))
    return redirect(url_for("runs.show", run_id=run_id), 303)


@blueprint.post("/<run_id>/cancel")
def cancel(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        request_cancel(find_run(session, run_id))
    return redirect(url_for("runs.show", run_id=run_id), 303)


def _view(session: Session, run_id: str) -> RunView:
    return view_run(session, find_run(session, run_id), services().settings.lease_s)


def _render(view: RunView, template: str) -> str:
    run = view.run
    final = view.bundle if run.state is RunState.DONE else None
    return render_template(
        template,
        view=view,
        run=run,
        dataset=run.dataset,
        result=run.result,
        contents=bundle_members(services(), final) if final else (),
        stages=STAGES,
        stage_titles=STAGE_TITLES,
        again=form_values(RunSettings.from_json(run.settings)),
    )

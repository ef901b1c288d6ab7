"""The pages of a run: live, then its result."""

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from automl.records import RunState
from automl.store.database import find_run
from automl.store.runs import request_cancel, request_stop
from server.editing import rename_run
from server.forms import form_values
from server.live.requests import MORE_TIME_S, email_of, give_more_time, remember_email, stream_position
from server.live.stream import clock_record
from server.services import services
from server.template_filters import clean_name
from server.views.download_panel import download_panel
from server.views.follow_up import parent_of
from server.views.links import links_panel
from server.views.outcome import OutcomeView
from server.views.run import STAGES, RunView, course, view_run, with_tries
from server.views.uses import use_named
from server.visitor import visitor

blueprint = Blueprint("runs", __name__, url_prefix="/runs")


@blueprint.get("/<run_id>")
def show(run_id: str) -> str:
    after = stream_position(services(), run_id)
    with services().database.session() as session:
        return _render(session, _view(session, run_id), template="runs/show.html", after=after)


@blueprint.get("/<run_id>/live")
def live(run_id: str) -> ResponseReturnValue:
    """What the page asks for when something has happened, or each second where it is not told of events.

    Only the figures while nothing else has changed since the page saw `seen`; else the whole body, so that a button
    keeps the focus and an opened part stays open from one second to the next.
    """
    after = stream_position(services(), run_id)
    with services().database.session() as session:
        view = _view(session, run_id)
        if view.key == request.args.get("seen"):
            return _render(session, view, template="runs/_tick.html", after=after)
        response = make_response(_render(session, view, template="runs/_body.html", after=after))
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#run", "outerHTML"
    return response


@blueprint.get("/<run_id>/tries")
def show_tries(run_id: str) -> str:
    """What was tried and what happened. The page of a run that has ended fetches it from here when it is opened."""
    with services().database.session() as session:
        run = find_run(session, run_id)
        view = with_tries(session, view_run(session, run, services().settings))
        return render_template("runs/tries.html", view=view, run=run, dataset=run.dataset)


@blueprint.get("/<run_id>/course")
def show_course(run_id: str) -> ResponseReturnValue:
    """What the charts of the live page begin with."""
    with services().database.session() as session:
        return jsonify(course(session, find_run(session, run_id)))


@blueprint.get("/<run_id>/manage")
def manage(run_id: str) -> str:
    """A page of its own, since that of a run under way is drawn again and again."""
    with services().database.session() as session:
        run = find_run(session, run_id)
        return render_template("runs/manage.html", run=run, dataset=run.dataset)


@blueprint.post("/<run_id>/rename")
def rename(run_id: str) -> ResponseReturnValue:
    rename_run(services(), run_id, clean_name(request.form.get("name", ""), otherwise=""))
    return redirect(url_for("runs.show", run_id=run_id), 303)


@blueprint.post("/<run_id>/extend")
def extend(run_id: str) -> ResponseReturnValue:
    give_more_time(services(), run_id, MORE_TIME_S)
    return redirect(url_for("runs.show", run_id=run_id), 303)


@blueprint.post("/<run_id>/notify")
def notify(run_id: str) -> ResponseReturnValue:
    """Notes that whoever asks wants an e-mail at the end, where the form says `wanted`, or does not any more."""
    remember_email(services(), run_id, visitor().account_id, is_wanted=bool(request.form.get("wanted")))
    return redirect(url_for("runs.show", run_id=run_id), 303)


@blueprint.post("/<run_id>/stop")
def stop(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        request_stop(find_run(session, run_id))
    services().events.publish(run_id, "asked")
    return redirect(url_for("runs.show", run_id=run_id), 303)


@blueprint.post("/<run_id>/cancel")
def cancel(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        run = find_run(session, run_id)
        request_cancel(run)
    services().events.publish(run_id, "end" if run.state.is_finished() else "asked", state=run.state)
    return redirect(url_for("runs.show", run_id=run_id), 303)


def _view(session: Session, run_id: str) -> RunView:
    """Without what was tried in a run that has ended: it is long, and few of its readers open it."""
    run = find_run(session, run_id)
    view = view_run(session, run, services().settings)
    return view if run.state.is_finished() and run.n_trials else with_tries(session, view)


def _render(session: Session, view: RunView, *, template: str, after: str) -> str:
    """`after`: the id of the latest event before the run was read."""
    run = view.run
    is_done = run.state is RunState.DONE
    final = view.bundle if is_done else None
    outcome = OutcomeView(session, services(), run, bundle=final) if is_done else None
    use = use_named(request.args.get("use"))
    return render_template(
        template,
        view=view,
        run=run,
        after=after,
        clock=clock_record(run, view.clock),
        more_time_s=MORE_TIME_S,
        dataset=run.dataset,
        report=outcome.report if outcome else None,
        parent=parent_of(session, run),
        outcome=outcome,
        use=use,
        download=download_panel(services(), run, final, use) if final else None,
        links=links_panel(session, run, services().settings) if is_done else None,
        stages=STAGES,
        again=form_values(run.settings),
        asks=request.args.get("ask"),
        email=email_of(session, services().settings, visitor().account_id),
    )

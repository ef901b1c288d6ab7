"""Runs and their trials."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.store.bin import BinKind
from automl.store.database import find_run
from automl.store.runs import request_cancel, request_stop
from automl.store.shares import Right
from automl.store.tables import Run, TrialSummary
from server.access import require
from server.api.bodies import (
    RUN_FIELDS,
    DeletionQuery,
    ExtensionBody,
    NameBody,
    RunBody,
    Values,
    brings_files,
    checked,
    read_body,
    read_values,
)
from server.api.bodies import uploaded as uploaded_form
from server.api.resources.resource import respond
from server.api.resources.run import RunResource, StartedRunResource
from server.api.resources.trial import TrialListResource
from server.deleting import delete, restore
from server.editing import rename_run
from server.forms import run_settings
from server.jobs import start_run
from server.live.requests import give_more_time
from server.services import services
from server.template_filters import clean_name
from server.visitor import visitor

blueprint = Blueprint("run_api", __name__, url_prefix="/api/v1/runs")


@blueprint.post("")
def create_run() -> ResponseReturnValue:
    """A run on a data set that is there, or, in one request, on the photos that the form brings along."""
    if brings_files():
        with uploaded_form(RUN_FIELDS) as (upload, values):
            run_id = _start({**values, "dataset": upload.dataset_id or values.get("dataset")})
    else:
        run_id = _start(read_values(RUN_FIELDS))
    with services().database.session() as session:
        return respond(StartedRunResource.of(find_run(session, run_id)), 202)


def _start(values: Values) -> str:
    """The id of the new run."""
    settings = run_settings(values, services().settings.max_budget_s)
    body = checked(RunBody, values)
    name = clean_name(body.run_name, otherwise="")
    account_id = visitor().account_id
    with services().database.session() as session:
        require(Right.CHANGE, session, body.dataset)
    return start_run(services(), body.dataset, settings, account_id=account_id, parent_id=body.parent, name=name)


@blueprint.get("/<run_id>")
def get_run(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        return respond(_shown(session, find_run(session, run_id)))


@blueprint.patch("/<run_id>")
def rename(run_id: str) -> ResponseReturnValue:
    """Another name; an empty one takes it away."""
    rename_run(services(), run_id, clean_name(read_body(NameBody).name, otherwise=""))
    return get_run(run_id)


@blueprint.delete("/<run_id>")
def delete_run(run_id: str) -> ResponseReturnValue:
    """With its models and plots, into the bin; with `now` in the query, for good. It is cancelled first."""
    delete(services(), BinKind.RUN, run_id, for_good=checked(DeletionQuery, request.args).now)
    return "", 204


@blueprint.post("/<run_id>/restore")
def restore_run(run_id: str) -> ResponseReturnValue:
    """Back from the bin."""
    restore(services(), BinKind.RUN, run_id)
    return get_run(run_id)


@blueprint.get("/<run_id>/trials")
def get_trials(run_id: str) -> ResponseReturnValue:
    """All trials, in the order in which they were started."""
    with services().database.session() as session:
        find_run(session, run_id)
        query = select(TrialSummary).where(TrialSummary.run_id == run_id).order_by(TrialSummary.number)
        return respond(TrialListResource.of(session.scalars(query)))


@blueprint.post("/<run_id>/stop")
def stop_run(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        run = find_run(session, run_id)
        request_stop(run)
        shown = _shown(session, run)
    services().events.publish(run_id, "asked")
    return respond(shown, 202)


@blueprint.post("/<run_id>/extend")
def extend_run(run_id: str) -> ResponseReturnValue:
    """Gives a run `minutes` more."""
    give_more_time(services(), run_id, read_body(ExtensionBody).minutes * 60)
    with services().database.session() as session:
        return respond(_shown(session, find_run(session, run_id)), 202)


@blueprint.post("/<run_id>/cancel")
def cancel_run(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        run = find_run(session, run_id)
        request_cancel(run)
        shown = _shown(session, run)
    services().events.publish(run_id, "end" if run.state.is_finished() else "asked", state=run.state)
    return respond(shown, 202)


def _shown(session: Session, run: Run) -> RunResource:
    return RunResource.of(session, run, services().settings)

"""The first page, the sample images and the health check."""

from datetime import timedelta

from flask import Blueprint, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session, defer

from automl.records import DatasetState, RunSettings, RunState
from automl.store.quotas import add_dataset, refuse_run
from automl.store.room import is_short, refuse_short_disk
from automl.store.tables import Dataset, Run, now
from automl.task_names import MAKE_SAMPLES
from automl.text.messages import server as server_messages
from server.access import is_visible
from server.services import services
from server.task_queue import QueueUnavailable
from server.views.owners import owners_of
from server.visitor import visitor

blueprint = Blueprint("home", __name__)

_N_RECENT = 12
_LONG_S = 60.0


@blueprint.get("/")
def index() -> str:
    with services().database.session() as session:
        waits = _waits_for_worker(session)
        query = select(Run, Dataset).join(Run.dataset).where(Dataset.deleted_at.is_(None), Run.deleted_at.is_(None))
        query = query.where(is_visible())
        query = query.order_by(Run.created_at.desc()).limit(_N_RECENT).options(defer(Dataset.summary))
        waiting = select(Dataset).where(~Dataset.runs.any(Run.deleted_at.is_(None)), Dataset.deleted_at.is_(None))
        waiting = waiting.where(is_visible())
        waiting = waiting.order_by(Dataset.created_at.desc()).limit(_N_RECENT // 2)
        marked = Dataset.warned_at.is_not(None) & Dataset.deleted_at.is_(None)
        n_marked = session.scalar(select(func.count()).where(marked, Dataset.owner_id == visitor().account_id)) or 0
        runs, unused = session.execute(query).all(), session.scalars(waiting).all()
        return render_template(
            "home/index.html",
            runs=runs,
            unused=unused,
            owners=owners_of(session, [*(dataset for _, dataset in runs), *unused]),
            waits=waits,
            n_marked=n_marked,
            disk_is_short=is_short(services().settings),
        )


def _waits_for_worker(session: Session) -> Run | None:
    """The oldest run that has waited for more than a minute although no run is under way; None if there is none."""
    running = [state for state in RunState if state.is_running()]
    if session.scalars(select(Run.id).where(Run.state.in_(running)).limit(1)).first() is not None:
        return None
    query = select(Run).join(Run.dataset).where(Dataset.deleted_at.is_(None), is_visible())
    # A run whose data set is still being checked waits for the check, not for the training worker.
    waiting = query.where(Run.state == RunState.QUEUED, Dataset.state != DatasetState.CHECKING)
    long_ago = now() - timedelta(seconds=_LONG_S)
    return session.scalars(waiting.where(Run.created_at < long_ago).order_by(Run.created_at).limit(1)).first()


@blueprint.get("/favicon.ico")
def favicon() -> ResponseReturnValue:
    """For browsers that cannot show SVG icons."""
    return redirect(url_for("static", filename="favicon.ico"), 301)


@blueprint.post("/samples")
def try_samples() -> ResponseReturnValue:
    """Creates the data set of sample images and a run on it; the worker makes the images."""
    settings = RunSettings()
    refuse_short_disk(services().settings)
    account_id = visitor().account_id
    with services().database.session() as session:
        name, state = server_messages.SAMPLE_DATA_SET, DatasetState.CHECKING
        dataset = add_dataset(session, services().settings, account_id, name=name, state=state)
        refuse_run(session, services().settings, account_id, settings.budget_s)
        run = Run(dataset=dataset, settings=settings, budget_s=settings.budget_s, started_by_id=account_id)
        session.add(run)
    try:
        services().enqueue(MAKE_SAMPLES, dataset.id, run.id)
    except QueueUnavailable:
        with services().database.session() as session:
            session.execute(delete(Run).where(Run.id == run.id))
            session.execute(delete(Dataset).where(Dataset.id == dataset.id))
        raise
    return redirect(url_for("runs.show", run_id=run.id), 303)


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """200 while pages can be served: the process is up and the database answers."""
    with services().database.session() as session:
        session.execute(text("SELECT 1"))
    return jsonify(status="ok")

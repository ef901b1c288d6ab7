"""`GET /runs/<id>/events`: the changes of a run as server-sent events, after the last one that the page has seen."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, request
from flask.typing import ResponseReturnValue
from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.orm import load_only

from automl.errors import BadSetting
from automl.records import Role
from automl.store.database import Database, find_run
from automl.store.events import START, Event, EventsAway, EventsGone
from automl.store.run_clock import RunClock, run_clock
from automl.store.shares import who_sees
from automl.store.tables import Account, Run, SignIn, now
from automl.text.messages import server as server_messages
from automl.text.numbers import percent
from automl.text.trial_names import tried_in_words
from server.live.connection import connection_of
from server.live.hub import GONE, TooManyPages, Watcher, is_event_id
from server.services import services
from server.visitor import visitor

blueprint = Blueprint("live_events", __name__, url_prefix="/runs")

_RETRY_AFTER_S = 15
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_SHOWN_IN_A_ROW = frozenset({"trial", "trying"})


@blueprint.get("/<run_id>/events")
def events(run_id: str) -> ResponseReturnValue:
    """The last event is `end`. The event `gone` asks the page to load its body again."""
    after = request.headers.get("Last-Event-ID") or request.args.get("after") or START
    if not is_event_id(after):
        raise BadSetting(server_messages.NO_EVENT)
    with services().database.session() as session:
        state = find_run(session, run_id).state
    if state.is_finished():
        return _answer(_frame("end", {"state": state}))
    try:
        page, missed = services().live.subscribe(run_id, after, connection_of(request.environ), _watcher(run_id))
    except EventsGone:
        return _answer(GONE)
    except (EventsAway, TooManyPages):
        return Response(status=503, headers={"Retry-After": str(_RETRY_AFTER_S), **_HEADERS})
    response = Response(page.stream(missed), mimetype="text/event-stream", headers=_HEADERS)
    response.call_on_close(page.close)
    return response


def make_renderer(app: Flask) -> Callable[[Event], bytes]:
    """A function that turns events into bytes. Events of trials carry the HTML of their row in the page's table."""

    def render(event: Event) -> bytes:
        data = dict(event.data)
        if event.kind in _SHOWN_IN_A_ROW:
            row = {"state": "running", "score": None, "message": "", "n_bytes": 0, "latency_s": 0.0, **data}
            data = _kept(row)
            data["html"] = app.jinja_env.get_template("runs/_trial_row.html").render(trial=row)
            data["best_words"] = percent(data["best"][1]) if data["best"] else ""
            data["tried"] = tried_in_words(
                row["backbones"], image_size_px=row["image_size_px"], score=row["score"], state=row["state"]
            )
        return _frame(event.kind, data, event.id)

    return render


def make_look(database: Database, lease_s: float) -> Callable[[list[str]], dict[str, tuple[bytes, bool]]]:
    """A function that reads the clocks of runs, and which have ended, in case the event of that was lost."""

    def look(run_ids: list[str]) -> dict[str, tuple[bytes, bool]]:
        told_by = (Run.state, Run.stop_requested, Run.used_s, Run.budget_s, Run.lease_until)
        columns = (*told_by, Run.progress_from, Run.progress_from_s)
        with database.session() as session:
            runs = list(session.scalars(select(Run).where(Run.id.in_(run_ids)).options(load_only(*columns))))
            clocks = {run.id: clock_record(run, run_clock(run, lease_s)) for run in runs}
        told = {run_id: (_frame("clock", clock), False) for run_id, clock in clocks.items()}
        told |= {run.id: (_frame("end", {"state": run.state}), True) for run in runs if run.state.is_finished()}
        return {run_id: told.get(run_id, (_frame("end", {}), True)) for run_id in run_ids}

    return look


def make_unwelcome(database: Database) -> Callable[[Collection[Watcher]], Collection[Watcher]]:
    """A function that finds the watchers whose sign-in or account has ended, or who may not see their run any more."""

    def unwelcome(watchers: Collection[Watcher]) -> Collection[Watcher]:
        account_ids = {watcher.account_id for watcher in watchers}
        with database.session() as session:
            enabled = select(Account.id, Account.role).where(Account.id.in_(account_ids), Account.disabled_at.is_(None))
            roles = dict(session.execute(enabled).all())
            sign_ins = {watcher.sign_in_id for watcher in watchers}
            going_on = select(SignIn.id).where(SignIn.id.in_(sign_ins), SignIn.expires_at > now())
            browsers = {"", *session.scalars(going_on)}
            seen = who_sees(session, {watcher.run_id for watcher in watchers})
        return [
            watcher
            for watcher in watchers
            if watcher.sign_in_id not in browsers
            or watcher.account_id not in roles
            or (
                roles[watcher.account_id] is not Role.ADMINISTRATOR and (watcher.run_id, watcher.account_id) not in seen
            )
        ]

    return unwelcome


def _watcher(run_id: str) -> Watcher | None:
    who = visitor()
    return None if who.account_id is None else Watcher(run_id, who.account_id, who.sign_in_id)


def clock_record(run: Run, clock: RunClock) -> Mapping[str, JsonValue]:
    """What the page's own clock continues from until the next record. `left_s` is null for a run that has ended."""
    return {
        "progress": round(clock.progress, 5),
        "progress_per_s": round(clock.progress_per_s, 7),
        "used_s": round(clock.used_s, 1),
        "left_s": None if clock.left_s is None else round(clock.left_s, 1),
        "budget_s": run.budget_s,
        "runs": run.state.is_running(),
        "ending": clock.is_ending,
    }


def _kept(data: dict[str, Any]) -> dict[str, Any]:
    """The fields of a trial that the page's charts need; the rest is in its table row."""
    ended_s = data["started_s"] + data.get("duration_s", 0.0)
    kept = {name: data.get(name) for name in ("number", "stage", "state", "score", "best", "epochs")}
    return {**kept, "ended_s": round(ended_s, 2)}


def _frame(kind: str, data: Mapping[str, JsonValue], event_id: str = "") -> bytes:
    line = f"id: {event_id}\n" if event_id else ""
    return f"{line}event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def _answer(frame: bytes) -> Response:
    return Response(frame, mimetype="text/event-stream", headers=_HEADERS)

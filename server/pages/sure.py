"""The choice of the confidence from which on a model's answers count as sure."""

import math

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from automl.errors import BadSetting, NotAllowedNow
from automl.records import RunState
from automl.store.database import find_run
from automl.text.messages import server as server_messages
from server.services import services
from server.views.sure import HIGHEST_PERCENT, LOWEST_PERCENT

blueprint = Blueprint("sure", __name__, url_prefix="/runs")


@blueprint.post("/<run_id>/sure")
def choose(run_id: str) -> ResponseReturnValue:
    """Keeps `percent` with the run, for pages, API, tables and later downloads; `calibrated` takes that back.

    Raises:
        NotFound: there is no such run.
        NotAllowedNow: it is not done.
        BadSetting: it is no number, or one that makes no sense.
    """
    threshold = None if request.form.get("calibrated") else _threshold(request.form.get("percent", ""))
    with services().database.session() as session:
        run = find_run(session, run_id)
        if run.state is not RunState.DONE:
            raise NotAllowedNow(server_messages.THRESHOLD_AFTER_RUN)
        run.sure_threshold = threshold
    return redirect(url_for("results.mistakes", run_id=run_id, _anchor="sure"), 303)


def _threshold(text: str) -> float:
    """A share, 0-1, from a number of percent; a comma is as good as a point."""
    try:
        percent = float(text.strip().rstrip("%").replace(",", "."))
    except ValueError:
        percent = math.nan
    if not LOWEST_PERCENT <= percent <= HIGHEST_PERCENT:
        message = server_messages.BAD_THRESHOLD.format(lowest=f"{LOWEST_PERCENT:g}", highest=f"{HIGHEST_PERCENT:g}")
        raise BadSetting(message)
    return round(percent / 100, 4)

"""Makes read-only links to the pages of a run, and takes them back."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from automl.errors import BadSetting, NotAllowedNow
from automl.records import AuditAction, LinkedPage, RunState
from automl.store.database import find_run
from automl.store.links import make_link, take_back
from automl.text.messages import server as server_messages
from server.audit import record
from server.services import services
from server.views.links import made_link, times_of_links

blueprint = Blueprint("links", __name__, url_prefix="/runs/<run_id>/links")

_CHOICES = {
    "model": (LinkedPage.MODEL, False),
    "result": (LinkedPage.RESULT, False),
    "photos": (LinkedPage.RESULT, True),
}
"""By the field `shows` of the form: the page, and whether it shows photos."""


@blueprint.post("")
def make(run_id: str) -> str:
    """Makes a link to what the form calls `shows`, for `seconds`, and shows it: this once, since only its hash is kept.

    Raises:
        NotFound: there is no such run.
        NotAllowedNow: it is not done, or has too many links.
        BadSetting: the form asks for what is not offered.
    """
    settings, form = services().settings, request.form
    seconds = form.get("seconds", "")
    if not times_of_links(settings):
        raise NotAllowedNow(server_messages.NO_LINKS_HERE)
    if seconds not in map(str, times_of_links(settings)) or form.get("shows") not in _CHOICES:
        raise BadSetting(server_messages.BAD_LINK)
    page, shows_photos = _CHOICES[form["shows"]]
    with services().database.session() as session:
        run = find_run(session, run_id)
        if run.state is not RunState.DONE:
            raise NotAllowedNow(server_messages.LINK_AFTER_RUN)
        secret = make_link(session, run_id, page, keep_s=float(seconds), shows_photos=shows_photos)
        record(session, AuditAction.LINK_MADE, object_kind="runs", object_id=run_id, detail=form["shows"])
    link = made_link(page, secret, settings)
    return render_template("links/made.html", run=run, dataset=run.dataset, link=link, page=page, time_s=int(seconds))


@blueprint.post("/<link_id>/take-back")
def end(run_id: str, link_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        page = take_back(session, run_id, link_id)
        if page is not None:
            record(session, AuditAction.LINK_ENDED, object_kind="runs", object_id=run_id, detail=page)
    return redirect(url_for("runs.show", run_id=run_id, _anchor="share"), 303)

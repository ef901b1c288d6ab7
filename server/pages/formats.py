"""The formats of a finished model: chosen and downloaded from its page, followed while they are prepared."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from automl.errors import NotFound
from automl.store.database import find_run
from automl.text.messages import server as server_messages
from server.downloads.composing import send_download
from server.jobs import start_exports
from server.services import services
from server.views.download_panel import download_panel
from server.views.run import downloadable

blueprint = Blueprint("exports", __name__, url_prefix="/runs")


@blueprint.get("/<run_id>/download")
def download(run_id: str) -> Response:
    """The same as over the API; here what is wrong is said by a page."""
    return send_download(run_id)


@blueprint.get("/<run_id>/exports")
def changed(run_id: str) -> ResponseReturnValue:
    """What the page asks for while formats are being prepared: the rows that are not as it has `seen` them."""
    seen = request.args.get("seen", "")
    with services().database.session() as session:
        run = find_run(session, run_id)
        bundle = downloadable(session, run)
        if bundle is None:
            raise NotFound(server_messages.MODEL_GONE)
        panel = download_panel(services(), run, bundle)
        if panel.seen == seen:
            return "", 204
        return render_template("runs/_formats_changed.html", run=run, download=panel, changed=panel.changed(seen))


@blueprint.post("/<run_id>/exports")
def start(run_id: str) -> ResponseReturnValue:
    """Prepares the formats that are missing or have failed."""
    start_exports(services(), run_id)
    return redirect(url_for("runs.show", run_id=run_id, _anchor="download-title"), 303)

"""The page that runs a model in the visitor's own browser, also on a phone and without a network.

It is there twice: for those who may open the run, and for those who have a read-only link to it.
"""

from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from automl.errors import NotFound
from automl.store.tables import SharedLink
from automl.text.messages import server as server_messages
from server.access import LINKS_PREFIX, is_by_link, link
from server.answering import Asked, ask
from server.downloads.composing import download_name
from server.security import CAMERA, PHONE_POLICY
from server.services import services
from server.views.phone import PhoneParts, as_one_file, packed_model, phone_parts, worker_script

blueprint = Blueprint("phone", __name__, url_prefix="/runs/<run_id>/phone")
shared = Blueprint("shared_model", __name__, url_prefix=f"{LINKS_PREFIX}/model/<secret>")
"""The same page for those who have a link; `server.access` puts the run in the place of its secret."""

_A_YEAR_S = 365 * 86_400
_SHORT_NAME = 30


@blueprint.url_defaults
def of_this_run(_endpoint: str, values: dict[str, Any]) -> None:
    if request.blueprint == blueprint.name and request.view_args:
        values.setdefault("run_id", request.view_args["run_id"])


@shared.url_defaults
def of_this_link(_endpoint: str, values: dict[str, Any]) -> None:
    if request.blueprint == shared.name:
        values.setdefault("secret", g.link_secret)


@shared.get("/")
@blueprint.get("/")
def show(run_id: str) -> ResponseReturnValue:
    asked = ask(services(), run_id)
    response = make_response(render_template("phone/show.html", **_named(asked, phone_parts(asked), is_file=False)))
    response.headers["Content-Security-Policy"] = PHONE_POLICY
    response.headers["Permissions-Policy"] = CAMERA
    return response


@blueprint.get("/page.html")
def one_file(run_id: str) -> Response:
    """The whole page, model included, as a file to keep."""
    asked = ask(services(), run_id)
    body = render_template("phone/_body.html", **_named(asked, phone_parts(asked), is_file=True))
    response = Response(as_one_file(asked.run.dataset.name, body, packed_model(asked)), mimetype="text/html")
    name = download_name(asked.run, asked.artifact).removesuffix(".zip")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.html")
    return response


@shared.get("/model-<artifact_id>.bin")
@blueprint.get("/model-<artifact_id>.bin")
def model(run_id: str, artifact_id: str) -> Response:
    """The model, packed. Its address changes with it, so browsers may keep it."""
    asked = ask(services(), run_id)
    if asked.artifact.id != artifact_id:
        raise NotFound(server_messages.FILE_REPLACED)
    response = Response(packed_model(asked), mimetype="application/octet-stream")
    response.cache_control.private = True
    response.cache_control.max_age = _A_YEAR_S
    response.cache_control.immutable = True
    return response


@shared.get("/manifest.webmanifest")
@blueprint.get("/manifest.webmanifest")
def manifest(run_id: str) -> Response:
    """What a browser needs to install the page."""
    name = ask(services(), run_id).run.dataset.name
    icons = (("favicon.svg", "image/svg+xml", "any"), ("touch-icon.png", "image/png", "180x180"))
    response = jsonify(
        name=name,
        short_name=name[:_SHORT_NAME],
        id=url_for(".show"),
        start_url=url_for(".show"),
        scope=url_for(".show"),
        display="standalone",
        background_color="#faf7f2",
        theme_color="#14100e",
        icons=[{"src": url_for("static", filename=file), "type": kind, "sizes": sizes} for file, kind, sizes in icons],
    )
    response.mimetype = "application/manifest+json"
    return response


@shared.get("/worker.js")
@blueprint.get("/worker.js")
def worker(run_id: str) -> Response:
    """The service worker: it answers for this folder of addresses, so its own address is in it."""
    response = Response(worker_script(phone_parts(ask(services(), run_id))), mimetype="text/javascript")
    response.cache_control.no_cache = True
    return response


def _named(asked: Asked, parts: PhoneParts, *, is_file: bool) -> dict[str, object]:
    by_link: SharedLink | None = link() if is_by_link() else None
    return {
        "run": asked.run,
        "dataset": asked.run.dataset,
        "labels": asked.labels,
        "threshold": asked.threshold,
        "can_tell": asked.can_tell_foreign,
        "is_final": asked.is_final,
        "parts": parts,
        "is_file": is_file,
        "link": by_link,
    }

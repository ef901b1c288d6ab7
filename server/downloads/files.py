"""Downloads of files that runs have made."""

from flask import Blueprint, Response, request, send_file
from werkzeug.utils import secure_filename

from automl.errors import NotFound
from automl.store.database import find_run
from automl.store.tables import Artifact
from automl.text.messages import server as server_messages
from server.downloads.composing import send_download
from server.services import services

blueprint = Blueprint("artifacts", __name__, url_prefix="/api/v1")

_SHOWN_IN_PAGES = frozenset({"image/png"})


@blueprint.before_app_request
def ignore_several_ranges() -> None:
    """A request for several ranges gets the whole file, as RFC 9110 (14.2) allows, instead of an error."""
    if "," in request.headers.get("Range", ""):
        del request.environ["HTTP_RANGE"]


@blueprint.get("/runs/<run_id>/bundle")
def bundle(run_id: str) -> Response:
    """The final .zip of a run, with the formats that `format` in the query names; the best model so far before that."""
    return send_download(run_id)


@blueprint.get("/artifacts/<artifact_id>")
def artifact(artifact_id: str) -> Response:
    with services().database.session() as session:
        found = session.get(Artifact, artifact_id)
        if found is not None:
            find_run(session, found.run_id)  # raises NotFound if the data set was deleted
    if found is None:
        raise NotFound(server_messages.FILE_REPLACED)
    return _send(found, secure_filename(found.name) or "file")


def _send(artifact: Artifact, name: str) -> Response:
    path = services().store.local_path(artifact.key, services().settings.features_dir / "downloads")
    if not path.exists():
        raise NotFound(server_messages.FILE_GONE)
    shown = artifact.media_type in _SHOWN_IN_PAGES
    media_type = artifact.media_type if shown or artifact.media_type == "application/zip" else None
    return send_file(
        path,
        mimetype=media_type or "application/octet-stream",
        as_attachment=not shown,
        download_name=name,
        max_age=86_400 if shown else 0,  # an artifact's bytes never change; a newer plot has a new id
    )

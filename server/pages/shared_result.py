"""The result for those who have a read-only link to it. `server.access` puts the run in the place of its secret."""

from typing import Any

from flask import Blueprint, Response, g, render_template, request

from automl.errors import NotFound
from automl.store.database import find_run
from automl.text.messages import server as server_messages
from server.access import LINKS_PREFIX, link
from server.downloads.thumbnails import send_thumbnail
from server.services import services
from server.views.shared_result import view_shared_result

blueprint = Blueprint("shared_result", __name__, url_prefix=f"{LINKS_PREFIX}/result/<secret>")


@blueprint.url_defaults
def of_this_link(_endpoint: str, values: dict[str, Any]) -> None:
    if request.blueprint == blueprint.name:
        values.setdefault("secret", g.link_secret)


@blueprint.get("/")
def show(run_id: str) -> str:
    with services().database.session() as session:
        run = find_run(session, run_id)
        result = view_shared_result(session, run, shows_photos=link().shows_photos)
        return render_template("shared/result.html", run=run, dataset=run.dataset, result=result, link=link())


@blueprint.get("/photos/<int:file_id>")
def photo(run_id: str, file_id: int) -> Response:
    """The small copy of a photo that the page shows; of no other one."""
    with services().database.session() as session:
        run = find_run(session, run_id)
        if file_id not in view_shared_result(session, run, shows_photos=link().shows_photos).photo_ids:
            raise NotFound(server_messages.NO_PHOTO)
    return send_thumbnail(run.dataset_id, file_id)

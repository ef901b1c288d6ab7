"""The part of the API by which photos without a class are sorted by a model; their page shows what came of it."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from automl.store.sortings import find_sorting
from automl.store.tables import SortedPhoto
from server.api.bodies import DatasetBody, read_body, read_missing_files
from server.api.resources.dataset import MissingFilesResource, UploadResource
from server.api.resources.resource import respond
from server.api.resources.sorting import SortingResource
from server.services import services
from server.sorting import sort_photos, start_sorting
from server.template_filters import clean_name
from server.uploads.multipart import read_parts

blueprint = Blueprint("sorting_api", __name__, url_prefix="/api/v1/runs/<run_id>/sortings")


@blueprint.post("")
def create(run_id: str) -> ResponseReturnValue:
    """An empty sorting, to which files are then sent."""
    name = clean_name(read_body(DatasetBody).name)
    sorting_id = start_sorting(services(), run_id, name)
    url = url_for("sorting.show", run_id=run_id, sorting_id=sorting_id)
    return respond(SortingResource(id=sorting_id, url=url, name=name), 201)


@blueprint.post("/<sorting_id>/files")
def add_files(run_id: str, sorting_id: str) -> ResponseReturnValue:
    """Photos as parts of a form. Each is answered before the request ends; the same file once more changes nothing."""
    request.max_content_length = services().settings.max_request_bytes
    return respond(
        UploadResource(received=sort_photos(services(), run_id, sorting_id, read_parts(request)), refused=[])
    )


@blueprint.post("/<sorting_id>/missing")
def missing(run_id: str, sorting_id: str) -> ResponseReturnValue:
    """Which of the files that the body lists still have to be sent, by their places in the list, as for a data set."""
    body = read_missing_files()
    names = {file.kept_name for file in body.files}
    with services().database.session() as session:
        find_sorting(session, run_id, sorting_id)
        query = select(SortedPhoto.name, SortedPhoto.n_bytes, SortedPhoto.sha256)
        rows = session.execute(query.where(SortedPhoto.sorting_id == sorting_id, SortedPhoto.name.in_(names))).all()
    here: dict[tuple[str, int], set[str]] = {}
    for name, n_bytes, sha256 in rows:
        here.setdefault((name, n_bytes), set()).add(sha256)
    return respond(MissingFilesResource(missing=body.missing_in(here)))

"""The part of the API by which an upload goes on where it stopped: what of it is here already."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.datasets.edits import first_label
from automl.store.checks import current_edits
from automl.store.database import find_dataset
from automl.store.dataset_files import STORE_FAULTS
from automl.store.tables import DatasetFile
from server.api.bodies import read_missing_files
from server.api.resources.dataset import MissingFilesResource
from server.api.resources.resource import respond
from server.services import services
from server.uploads.receive import checked_label

blueprint = Blueprint("upload_api", __name__, url_prefix="/api/v1")


@blueprint.post("/datasets/<dataset_id>/missing")
def missing(dataset_id: str) -> ResponseReturnValue:
    """Which of the files that the body lists still have to be sent, by their places in the list.

    A file is here if one of its name and size is, and of its SHA-256 and `label` where the body gives them.
    """
    body = read_missing_files()
    label = checked_label(body.label or "")
    with services().database.session() as session:
        find_dataset(session, dataset_id)
        label = label and first_label(current_edits(session, dataset_id), label)
        here = _files_here(session, dataset_id, {file.kept_name for file in body.files}, label=label)
    return respond(MissingFilesResource(missing=body.missing_in(here)))


def _files_here(
    session: Session, dataset_id: str, names: set[str], *, label: str | None
) -> dict[tuple[str, int], set[str]]:
    """The hashes of what is stored, by name and size."""
    columns = (DatasetFile.name, DatasetFile.n_bytes, DatasetFile.sha256, DatasetFile.key)
    query = select(*columns).where(
        DatasetFile.dataset_id == dataset_id,
        DatasetFile.name.in_(names),
        DatasetFile.key != "",
        DatasetFile.fault.not_in(STORE_FAULTS),
    )
    if label is not None:
        query = query.where(DatasetFile.given_label == label)
    here: dict[tuple[str, int], set[str]] = {}
    for name, n_bytes, sha256, key in session.execute(query):
        if services().store.size(key) != n_bytes:
            continue  # the store has lost it, and nobody has noticed yet
        here.setdefault((name, n_bytes), set()).add(sha256)
    return here

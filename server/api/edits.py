"""Changes to a data set, and taking them back."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from automl.datasets.edits import read_edit
from automl.store.database import find_dataset
from server.api.bodies import EditBody, FixBody, read_body
from server.api.resources.dataset import DatasetResource, respond_with_revision
from server.editing import add_edit, fix_finding, undo_edit
from server.services import services

blueprint = Blueprint("edit_api", __name__, url_prefix="/api/v1/datasets/<dataset_id>")


@blueprint.post("/edits")
def edit_dataset(dataset_id: str) -> ResponseReturnValue:
    """One edit: `kind` and `values`."""
    body = read_body(EditBody)
    add_edit(services(), dataset_id, read_edit(body.kind, body.values))
    return _edited(dataset_id)


@blueprint.post("/fix")
def fix_dataset(dataset_id: str) -> ResponseReturnValue:
    """Does what a finding proposes."""
    fix_finding(services(), dataset_id, read_body(FixBody).finding)
    return _edited(dataset_id)


@blueprint.post("/edits/<int:edit_id>/undo")
def undo(dataset_id: str, edit_id: int) -> ResponseReturnValue:
    undo_edit(services(), dataset_id, edit_id)
    return _edited(dataset_id)


def _edited(dataset_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        return respond_with_revision(DatasetResource.of(session, find_dataset(session, dataset_id)))

"""The formats of a finished model."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from automl.store.database import find_run
from server.api.resources.export import ExportListResource
from server.api.resources.resource import respond
from server.jobs import start_exports
from server.services import services

blueprint = Blueprint("export_api", __name__, url_prefix="/api/v1/runs/<run_id>/exports")


@blueprint.get("")
def get_exports(run_id: str) -> ResponseReturnValue:
    """The formats of the model; none before it is finished."""
    return respond(_exports(run_id))


@blueprint.post("")
def make_exports(run_id: str) -> ResponseReturnValue:
    """Has those formats made that are missing, and those again that failed."""
    start_exports(services(), run_id)
    return respond(_exports(run_id), 202)


def _exports(run_id: str) -> ExportListResource:
    with services().database.session() as session:
        return ExportListResource.of(find_run(session, run_id).exports)

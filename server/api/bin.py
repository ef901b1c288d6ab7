"""The bin. What is in it is put back, or removed for good, at the address of the data set or the run itself."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from automl.store.bin import bin_entries
from server.access import is_own
from server.api.resources.bin import BinResource
from server.api.resources.resource import respond
from server.deleting import empty
from server.services import services

blueprint = Blueprint("bin_api", __name__, url_prefix="/api/v1/bin")


@blueprint.get("")
def list_bin() -> ResponseReturnValue:
    """What was deleted last comes first."""
    with services().database.session() as session:
        return respond(BinResource.of(bin_entries(session, is_own())))


@blueprint.delete("")
def empty_bin() -> ResponseReturnValue:
    """All of it is removed for good."""
    empty(services())
    return "", 204

"""The Help pages: the documents of `docs/`, so that nothing is written twice."""

from flask import Blueprint, render_template

from automl.errors import NotFound
from automl.text.messages import server as server_messages
from server.views.documents import DOCUMENTS, rendered

blueprint = Blueprint("help", __name__)


@blueprint.get("/help", defaults={"name": "guide"})
@blueprint.get("/help/<name>")
def show(name: str) -> str:
    """The user guide, or the document `name`."""
    if name not in DOCUMENTS:
        raise NotFound(server_messages.NOTHING_AT_ADDRESS)
    return render_template("help/document.html", documents=DOCUMENTS.values(), shown=name, document=rendered(name))


@blueprint.get("/api", strict_slashes=False)
@blueprint.get("/api/v1", strict_slashes=False)
def api() -> str:
    """What a programmer looks for at the address of the API."""
    return show("api")

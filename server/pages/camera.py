"""The page that takes photos with the camera: for a new data set, or for classes of one that there is."""

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from automl.records import DatasetState
from automl.store.database import find_dataset
from server.security import CAMERA
from server.services import services
from server.views.dataset import labels_of, view_dataset
from server.views.estimate import estimate
from server.views.start_form import StartForm

blueprint = Blueprint("camera", __name__)

_MOST_KINDS = 12
"""Of more classes none is on the page at first: their names are offered instead."""


@blueprint.get("/camera")
def new() -> ResponseReturnValue:
    """For a data set that the page makes once there are photos."""
    return _page(action=url_for("datasets.create"), dataset=None, labels=(), kinds=("", ""))


@blueprint.get("/datasets/<dataset_id>/camera")
def show(dataset_id: str) -> ResponseReturnValue:
    """For more photos of a data set; with `label` in the query, of this class."""
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
    labels = labels_of(dataset)
    label = request.args.get("label", "")
    some = labels if 0 < len(labels) <= _MOST_KINDS else ("",)
    action = url_for("datasets.add_files", dataset_id=dataset_id)
    return _page(action=action, dataset=dataset, labels=labels, kinds=(label,) if label in labels else some)


@blueprint.get("/datasets/<dataset_id>/camera/next")
def what_next(dataset_id: str) -> str:
    """What the page goes on with once its photos have arrived: how far the check is, its verdict, the start form."""
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
        if dataset.state is DatasetState.CHECKING:
            return render_template("camera/_next.html", dataset=dataset)
        return render_template(
            "camera/_next.html",
            dataset=dataset,
            view=view_dataset(session, dataset),
            form=StartForm(services().settings.weights_dir),
            expected=estimate(session, dataset),
        )


def _page(**values: object) -> ResponseReturnValue:
    response = make_response(render_template("camera/show.html", **values))
    response.headers["Permissions-Policy"] = CAMERA
    return response

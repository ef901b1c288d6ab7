"""The pages of a data set: upload, check, start form."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from automl.errors import BadUpload
from automl.store.database import DatasetFile, Run, find_dataset
from server.forms import run_settings
from server.jobs import start_check, start_run
from server.multipart import read_parts
from server.receive import Upload, take_upload
from server.services import services
from server.start_form import StartForm
from server.words import clean_name

blueprint = Blueprint("datasets", __name__, url_prefix="/datasets")


@blueprint.post("")
def create() -> ResponseReturnValue:
    """The plain form of the first page, for browsers without JavaScript: everything in one request."""
    upload = _take_form()
    assert upload.dataset_id is not None
    name = clean_name(upload.fields.get("name") or upload.suggested_name(), otherwise="Photos")
    start_check(services(), upload.dataset_id, name)
    return redirect(url_for("datasets.show", dataset_id=upload.dataset_id), 303)


@blueprint.post("/<dataset_id>/files")
def add_files(dataset_id: str) -> ResponseReturnValue:
    """The plain form of the data set's page."""
    _take_form(dataset_id)
    start_check(services(), dataset_id)
    return redirect(url_for("datasets.show", dataset_id=dataset_id), 303)


@blueprint.post("/<dataset_id>/check")
def check(dataset_id: str) -> ResponseReturnValue:
    """For an upload that was left half-way: go on with what has arrived."""
    start_check(services(), dataset_id)
    return redirect(url_for("datasets.show", dataset_id=dataset_id), 303)


@blueprint.get("/<dataset_id>")
def show(dataset_id: str) -> str:
    return _render("datasets/show.html", dataset_id)


@blueprint.get("/<dataset_id>/live")
def live(dataset_id: str) -> ResponseReturnValue:
    """What the page asks for each second while the photos are checked.

    The whole body once the check is over; until then only the line that says how far it is.
    """
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
    if dataset.state == request.args.get("seen"):
        return render_template("datasets/_checking.html", dataset=dataset)
    response = make_response(_render("datasets/_body.html", dataset_id))
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#dataset", "outerHTML"
    return response


@blueprint.post("/<dataset_id>/runs")
def start(dataset_id: str) -> ResponseReturnValue:
    values = {**request.form.to_dict(), "backbones": ",".join(request.form.getlist("backbones"))}
    settings = run_settings(values, services().settings.max_budget_s)
    run_id = start_run(services(), dataset_id, settings)
    return redirect(url_for("runs.show", run_id=run_id), 303)


def _take_form(dataset_id: str | None = None) -> Upload:
    request.max_content_length = services().settings.max_request_bytes
    upload = take_upload(services(), read_parts(request), dataset_id)
    if upload.n_received == 0:
        raise BadUpload("No photos arrived. Go back, choose a folder or a .zip file, and send it again.")
    return upload


def _render(template: str, dataset_id: str) -> str:
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
        runs = session.scalars(select(Run).where(Run.dataset_id == dataset_id).order_by(Run.created_at.desc())).all()
        n_files = session.scalar(select(func.count()).where(DatasetFile.dataset_id == dataset_id))
        return render_template(
            template,
            dataset=dataset,
            summary=dataset.summary,
            runs=runs,
            n_files=n_files,
            in_use=any(not run.state.is_finished() for run in runs),
            form=StartForm(services().settings.weights_dir),
        )

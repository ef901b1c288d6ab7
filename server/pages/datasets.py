"""The pages of a data set: upload, check, preview, findings, edits, start form."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import JsonValue
from sqlalchemy import func, select

from automl.datasets.edits import EditKind, read_edit
from automl.datasets.none_of_these import NONE_OF_THESE
from automl.errors import BadSetting, BadUpload, NotFound
from automl.store.database import find_dataset
from automl.store.retention import keep_dataset
from automl.store.tables import Dataset, DatasetVersion, Run
from automl.text.messages import server as server_messages
from server.access import allows, is_visible
from server.downloads.thumbnails import send_thumbnail
from server.editing import add_edit, fix_finding, rename_dataset, settle_conflict, undo_edit
from server.forms import page_number, run_settings
from server.jobs import cancel_check, find_run_of, start_check, start_run
from server.services import services
from server.template_filters import clean_name
from server.uploads.multipart import read_parts
from server.uploads.receive import Upload, take_upload
from server.views.aims import with_limits
from server.views.bin import just_deleted
from server.views.dataset import labels_of, view_class, view_dataset, view_unused
from server.views.estimate import estimate
from server.views.owners import owners_of
from server.views.shares import view_shares
from server.views.start_form import StartForm
from server.visitor import visitor

blueprint = Blueprint("datasets", __name__, url_prefix="/datasets")


@blueprint.get("")
def index() -> str:
    """All data sets, the latest first."""
    with services().database.session() as session:
        version = select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == Dataset.id)
        n_runs = select(func.count()).where(Run.dataset_id == Dataset.id, Run.deleted_at.is_(None))
        query = select(Dataset, version.scalar_subquery(), n_runs.scalar_subquery())
        query = query.where(Dataset.deleted_at.is_(None), is_visible()).order_by(Dataset.created_at.desc())
        deleted, rows = just_deleted(session), session.execute(query).all()
        owners = owners_of(session, (dataset for dataset, _, _ in rows))
        return render_template("datasets/index.html", rows=rows, owners=owners, deleted=deleted)


@blueprint.post("")
def create() -> ResponseReturnValue:
    """The plain form of the first page, for browsers without JavaScript: everything in one request."""
    upload = _take_form()
    assert upload.dataset_id is not None
    name = clean_name(upload.fields.get("name") or upload.suggested_name())
    start_check(services(), upload.dataset_id, name)
    return redirect(url_for("datasets.show", dataset_id=upload.dataset_id), 303)


@blueprint.post("/<dataset_id>/files")
def add_files(dataset_id: str) -> ResponseReturnValue:
    """The plain form of the data set's page."""
    _take_form(dataset_id)
    start_check(services(), dataset_id)
    return _back_to(dataset_id)


@blueprint.post("/<dataset_id>/check")
def check(dataset_id: str) -> ResponseReturnValue:
    """Checks what has arrived of an upload that was left half-way."""
    start_check(services(), dataset_id)
    return _back_to(dataset_id)


@blueprint.post("/<dataset_id>/check/cancel")
def cancel(dataset_id: str) -> ResponseReturnValue:
    """Ends the check that is under way."""
    cancel_check(services(), dataset_id)
    return _back_to(dataset_id)


@blueprint.get("/<dataset_id>")
def show(dataset_id: str) -> str:
    return _render("datasets/show.html", dataset_id)


@blueprint.get("/<dataset_id>/live")
def live(dataset_id: str) -> ResponseReturnValue:
    """What the page asks for each second while the photos are checked.

    It is the line that says how far the check is, and the whole body of the page once the check is over.
    """
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
    if dataset.state == request.args.get("seen"):
        return render_template("datasets/_checking.html", dataset=dataset)
    response = make_response(_render("datasets/_body.html", dataset_id))
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#dataset", "outerHTML"
    return response


@blueprint.get("/<dataset_id>/expected")
def expected(dataset_id: str) -> str:
    """What a run of so many `minutes` has room for, for the start form; empty where that is not known."""
    minutes = request.args.get("minutes")
    try:
        budget_s = run_settings({"minutes": minutes}, services().settings.max_budget_s).budget_s if minutes else None
    except BadSetting:  # the user is still typing
        budget_s = None
    if budget_s is None:
        return ""
    with services().database.session() as session:
        found = estimate(session, find_dataset(session, dataset_id))
    return found.words(budget_s) if found else ""


@blueprint.get("/<dataset_id>/photos")
def photos(dataset_id: str) -> str:
    """All photos of one class (`label`), or, without one, what is not used."""
    label, page = request.args.get("label"), page_number(request.args)
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
        labels = labels_of(dataset)
        if label is None:
            shown = view_unused(session, dataset, page)
        elif label in labels:
            shown = view_class(session, dataset, label, page=page)
        else:
            raise NotFound(server_messages.NO_CLASS)
        return render_template("datasets/photos.html", dataset=dataset, label=label, shown=shown, labels=labels)


@blueprint.get("/<dataset_id>/thumbnails/<int:file_id>")
def thumbnail(dataset_id: str, file_id: int) -> ResponseReturnValue:
    return send_thumbnail(dataset_id, file_id)


@blueprint.post("/<dataset_id>/edits")
def edit(dataset_id: str) -> ResponseReturnValue:
    """One edit, from a form: `kind`, and the fields of that kind."""
    add_edit(services(), dataset_id, read_edit(request.form.get("kind", ""), _edit_values()))
    return _back_to(dataset_id)


@blueprint.post("/<dataset_id>/fix")
def fix(dataset_id: str) -> ResponseReturnValue:
    fix_finding(services(), dataset_id, request.form.get("finding", ""))
    return _back_to(dataset_id)


@blueprint.post("/<dataset_id>/settle")
def settle(dataset_id: str) -> ResponseReturnValue:
    """Says which class (`to`) a photo (`file`) is of, and all that look the same."""
    settle_conflict(services(), dataset_id, request.form.get("file", 0, type=int), request.form.get("to", ""))
    return redirect(url_for("datasets.show", dataset_id=dataset_id, _anchor="findings"), 303)


@blueprint.post("/<dataset_id>/undo")
def undo(dataset_id: str) -> ResponseReturnValue:
    undo_edit(services(), dataset_id, request.form.get("edit", 0, type=int))
    return _back_to(dataset_id)


@blueprint.post("/<dataset_id>/rename")
def rename(dataset_id: str) -> ResponseReturnValue:
    rename_dataset(services(), dataset_id, clean_name(request.form.get("name", "")))
    return _back_to(dataset_id)


@blueprint.post("/<dataset_id>/keep")
def keep(dataset_id: str) -> ResponseReturnValue:
    """Photos that nobody uses stay all the same."""
    with services().database.session() as session:
        keep_dataset(find_dataset(session, dataset_id))
    return _back_to(dataset_id)


@blueprint.post("/<dataset_id>/runs")
def start(dataset_id: str) -> ResponseReturnValue:
    values = {**request.form.to_dict(), "backbones": ",".join(request.form.getlist("backbones"))}
    settings = run_settings(with_limits(values), services().settings.max_budget_s)
    name = clean_name(values.get("run_name", ""), otherwise="")
    run_id = start_run(
        services(),
        dataset_id,
        settings,
        account_id=visitor().account_id,
        parent_id=values.get("parent"),
        name=name,
    )
    return redirect(url_for("runs.show", run_id=run_id), 303)


def _back_to(dataset_id: str) -> ResponseReturnValue:
    """To the page that the form was on, where it says so."""
    if (label := request.form.get("shown")) is not None:
        with services().database.session() as session:
            is_there = label == "" or label in labels_of(find_dataset(session, dataset_id))
        if is_there:
            page = request.form.get("page", type=int)
            return redirect(url_for("datasets.photos", dataset_id=dataset_id, label=label or None, page=page), 303)
    return redirect(url_for("datasets.show", dataset_id=dataset_id), 303)


def _edit_values() -> dict[str, JsonValue]:
    """The fields of the form as `read_edit` takes them."""
    fields = ("from", "to", "reading", "column")
    values: dict[str, JsonValue] = {name: request.form[name] for name in fields if name in request.form}
    if request.form.get("kind") == EditKind.PART:
        values["to"] = request.form.get("part", "")
    if request.form.get("kind") == EditKind.SPELLINGS:
        values["join"] = request.form.get("join") == "yes"
    if request.form.get("kind") == EditKind.CLIPS:
        values["keep"] = request.form.get("keep") == "yes"
    try:
        values["files"] = [int(number) for number in request.form.getlist("files")]
    except ValueError:
        raise BadSetting(server_messages.NOT_NUMBERS_OF_PHOTOS) from None
    return values


def _take_form(dataset_id: str | None = None) -> Upload:
    request.max_content_length = services().settings.max_request_bytes
    upload = take_upload(services(), read_parts(request), dataset_id)
    if upload.n_received == 0:
        raise BadUpload(server_messages.NO_PHOTOS_ARRIVED)
    return upload


def _render(template: str, dataset_id: str) -> str:
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
        view = view_dataset(session, dataset)
        like = find_run_of(session, dataset_id, request.args["like"]) if request.args.get("like") else None
        return render_template(
            template,
            view=view,
            dataset=dataset,
            summary=view.summary,
            runs=view.runs,
            n_files=view.n_files,
            in_use=view.in_use,
            deleted=just_deleted(session),
            shares=view_shares(session, dataset) if visitor().account_id and allows("shares.add", dataset_id) else None,
            form=StartForm(services().settings.weights_dir, like, is_to_change="change" in request.args),
            expected=estimate(session, dataset),
            none_of_these=NONE_OF_THESE,
        )

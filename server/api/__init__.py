"""The HTTP API, version 1: JSON in and out. `docs/api.md` describes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from automl.datasets.edits import read_edit
from automl.errors import BadSetting, BadUpload, NotAllowedNow
from automl.options import RUN_OPTIONS
from automl.records import FileState
from automl.store.database import find_dataset, find_run
from automl.store.runs import request_cancel, request_stop
from automl.store.tables import Dataset, DatasetFile, TrialSummary
from server.api.records import dataset_record, dataset_records, export_record, file_record, run_record, trial_record
from server.editing import add_edit, delete_dataset, fix_finding, undo_edit
from server.forms import page_number, run_settings
from server.jobs import start_check, start_exports, start_run
from server.live.requests import MORE_TIME_S, give_more_time
from server.services import services
from server.template_filters import clean_name
from server.uploads.multipart import read_parts
from server.uploads.receive import Upload, remove_dataset, take_upload

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

_LONG_PARTS = frozenset({"findings", "refused", "samples"})
"""Of a summary; the data set's own record has them."""

_DATASETS_ON_A_PAGE = 100
_FILES_ON_A_PAGE = 1_000
_FORM_WITH_FILES = "multipart/form-data"
_RUN_FIELDS = frozenset({"dataset", "name", "run_name", "parent", "minutes", *RUN_OPTIONS})


@blueprint.post("/datasets")
def create_dataset() -> ResponseReturnValue:
    """An empty one, or one of the photos that the form brings along. They are not checked yet."""
    known = frozenset({"name"})
    if request.mimetype == _FORM_WITH_FILES:
        with _uploaded(known) as (upload, values):
            found, received = upload.dataset_id or _empty_dataset(values), _received(upload)
    else:
        found, received = _empty_dataset(_values(known)), {}
    with services().database.session() as session:
        return jsonify({**dataset_record(session, find_dataset(session, found)), **received}), 201


@blueprint.post("/datasets/<dataset_id>/files")
def add_files(dataset_id: str) -> ResponseReturnValue:
    """Files as parts of a form, each named by its path in the folder. May be repeated, also with the same files."""
    request.max_content_length = services().settings.max_request_bytes
    upload = take_upload(services(), read_parts(request), dataset_id)
    return jsonify(_received(upload))


@blueprint.post("/datasets/<dataset_id>/check")
def check_dataset(dataset_id: str) -> ResponseReturnValue:
    start_check(services(), dataset_id)
    with services().database.session() as session:
        return jsonify(dataset_record(session, find_dataset(session, dataset_id))), 202


@blueprint.get("/datasets/<dataset_id>")
def get_dataset(dataset_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        return jsonify(dataset_record(session, find_dataset(session, dataset_id)))


@blueprint.get("/datasets")
def list_datasets() -> ResponseReturnValue:
    """The latest first, a hundred at a time."""
    page = page_number(request.args)
    with services().database.session() as session:
        query = select(Dataset).where(Dataset.deleted_at.is_(None))
        query = query.order_by(Dataset.created_at.desc(), Dataset.id)
        query = query.offset((page - 1) * _DATASETS_ON_A_PAGE).limit(_DATASETS_ON_A_PAGE)
        records = dataset_records(session, session.scalars(query).all())
    for record in records:
        record["summary"] = {name: value for name, value in record["summary"].items() if name not in _LONG_PARTS}
    return jsonify(datasets=records, page=page)


@blueprint.get("/datasets/<dataset_id>/files")
def list_files(dataset_id: str) -> ResponseReturnValue:
    """What became of each file, by `label` or `state`, a thousand at a time."""
    label, state = request.args.get("label"), request.args.get("state")
    page = page_number(request.args)
    with services().database.session() as session:
        find_dataset(session, dataset_id)
        query = select(DatasetFile).where(DatasetFile.dataset_id == dataset_id)
        if label is not None:
            query = query.where(DatasetFile.label == label)
        if state is not None:
            query = query.where(DatasetFile.state == _file_state(state))
        query = query.order_by(DatasetFile.id).offset((page - 1) * _FILES_ON_A_PAGE).limit(_FILES_ON_A_PAGE)
        return jsonify(files=[file_record(file) for file in session.scalars(query)], page=page)


@blueprint.post("/datasets/<dataset_id>/edits")
def edit_dataset(dataset_id: str) -> ResponseReturnValue:
    """One edit: `kind` and `values`."""
    given = _values(frozenset({"kind", "values"}))
    values = given.get("values", {})
    if not isinstance(values, dict):
        raise BadSetting("`values` must be an object.")
    add_edit(services(), dataset_id, read_edit(str(given.get("kind", "")), values))
    return _edited(dataset_id)


@blueprint.post("/datasets/<dataset_id>/fix")
def fix_dataset(dataset_id: str) -> ResponseReturnValue:
    """Does what a finding proposes: `finding` is its `kind`."""
    fix_finding(services(), dataset_id, str(_values(frozenset({"finding"})).get("finding", "")))
    return _edited(dataset_id)


@blueprint.post("/datasets/<dataset_id>/edits/<int:edit_id>/undo")
def undo(dataset_id: str, edit_id: int) -> ResponseReturnValue:
    undo_edit(services(), dataset_id, edit_id)
    return _edited(dataset_id)


@blueprint.delete("/datasets/<dataset_id>")
def delete(dataset_id: str) -> ResponseReturnValue:
    """With its files, versions and runs."""
    delete_dataset(services(), dataset_id)
    return "", 204


def _edited(dataset_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        return jsonify(dataset_record(session, find_dataset(session, dataset_id)))


def _file_state(text: str) -> FileState:
    try:
        return FileState(text)
    except ValueError:
        raise BadSetting(f"The state must be one of {', '.join(FileState)}.") from None


@blueprint.post("/runs")
def create_run() -> ResponseReturnValue:
    """A run on a data set that is there, or, in one request, on the photos that the form brings along."""
    if request.mimetype == _FORM_WITH_FILES:
        with _uploaded(_RUN_FIELDS) as (upload, values):
            run_id = _run_from_values(values, upload.dataset_id)
    else:
        run_id = _run_from_values(_values(_RUN_FIELDS))
    with services().database.session() as session:
        run = find_run(session, run_id)
        url = url_for("runs.show", run_id=run_id, _external=True)
        return jsonify(id=run_id, url=url, state=run.state, dataset=run.dataset_id), 202


@blueprint.get("/runs/<run_id>")
def get_run(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        return jsonify(run_record(session, find_run(session, run_id), services().settings.lease_s))


@blueprint.get("/runs/<run_id>/trials")
def get_trials(run_id: str) -> ResponseReturnValue:
    """All trials, in the order in which they were started."""
    with services().database.session() as session:
        find_run(session, run_id)
        query = select(TrialSummary).where(TrialSummary.run_id == run_id).order_by(TrialSummary.number)
        return jsonify(trials=[trial_record(trial) for trial in session.scalars(query)])


@blueprint.post("/runs/<run_id>/stop")
def stop_run(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        run = find_run(session, run_id)
        request_stop(run)
        record = run_record(session, run, services().settings.lease_s)
    services().events.publish(run_id, "asked")
    return jsonify(record), 202


@blueprint.post("/runs/<run_id>/extend")
def extend_run(run_id: str) -> ResponseReturnValue:
    """Gives a run `minutes` more."""
    try:
        minutes = float(_values(frozenset({"minutes"})).get("minutes", MORE_TIME_S / 60))
    except (TypeError, ValueError):
        raise BadSetting("`minutes` must be a number.") from None
    give_more_time(services(), run_id, minutes * 60)
    with services().database.session() as session:
        return jsonify(run_record(session, find_run(session, run_id), services().settings.lease_s)), 202


@blueprint.post("/runs/<run_id>/cancel")
def cancel_run(run_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        run = find_run(session, run_id)
        request_cancel(run)
        record = run_record(session, run, services().settings.lease_s)
    services().events.publish(run_id, "end" if run.state.is_finished() else "asked", state=run.state)
    return jsonify(record), 202


@blueprint.get("/runs/<run_id>/exports")
def get_exports(run_id: str) -> ResponseReturnValue:
    """The formats of the model; none before it is finished."""
    return _exports(run_id)


@blueprint.post("/runs/<run_id>/exports")
def make_exports(run_id: str) -> ResponseReturnValue:
    """Has those formats made that are missing, and those again that failed."""
    start_exports(services(), run_id)
    return _exports(run_id), 202


def _exports(run_id: str) -> Response:
    with services().database.session() as session:
        return jsonify(exports=[export_record(row) for row in find_run(session, run_id).exports])


def _run_from_values(values: Mapping[str, Any], dataset_id: str | None = None) -> str:
    settings = run_settings(values, services().settings.max_budget_s)
    chosen = dataset_id or values.get("dataset")
    if not isinstance(chosen, str) or not chosen:
        raise BadSetting("Say which photos to use: the id of a data set in `dataset`, or files in the same form.")
    parent = values.get("parent") or None
    if not isinstance(parent, str | None):
        raise BadSetting("The run that this one follows is named by its id, in `parent`.")
    name = clean_name(str(values.get("run_name") or ""), otherwise="")
    return start_run(services(), chosen, settings, parent_id=parent, name=name)


@contextmanager
def _uploaded(known: frozenset[str]) -> Iterator[tuple[Upload, Mapping[str, Any]]]:
    """What the form has brought, its files as a data set, and its other fields.

    Where the block fails, nothing is left of it.
    """
    request.max_content_length = services().settings.max_request_bytes
    upload = take_upload(services(), read_parts(request))
    try:
        values = _known(upload.fields, known)
        if upload.dataset_id is not None:
            if values.get("dataset"):
                raise NotAllowedNow("Send either files or the id of a data set, not both.")
            with services().database.session() as session:
                dataset = find_dataset(session, upload.dataset_id)
                dataset.name = clean_name(values.get("name") or upload.suggested_name(), otherwise="Photos")
        yield upload, values
    except Exception:
        if upload.dataset_id is not None:
            remove_dataset(services(), upload.dataset_id)
        raise


def _received(upload: Upload) -> dict[str, Any]:
    refused = [{"name": file.name, "reason": file.reason} for file in upload.refused]
    return {"received": upload.n_received, "refused": refused}


def _empty_dataset(values: Mapping[str, Any]) -> str:
    dataset = Dataset(name=clean_name(str(values.get("name") or ""), otherwise="Photos"))
    with services().database.session() as session:
        session.add(dataset)
        session.flush()
        return dataset.id


def _values(known: frozenset[str]) -> Mapping[str, Any]:
    """The request's JSON object or form fields."""
    if request.is_json:
        values = request.get_json(silent=True)
        if not isinstance(values, dict):
            raise BadUpload("The body must be a JSON object.")
        return _known(values, known)
    if any(file.filename for file in request.files.values()):
        raise BadUpload("This address takes no files.")
    return _known(request.form.to_dict(), known)


def _known(values: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    if unknown := sorted(set(values) - known):
        raise BadSetting(f"There is no field called {unknown[0]!r}. Known: {', '.join(sorted(known))}.")
    return values

"""Data sets and their files."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from automl.errors import BadSetting
from automl.records import FileState
from automl.store.bin import BinKind
from automl.store.database import find_dataset
from automl.store.quotas import add_dataset
from automl.store.tables import Dataset, DatasetFile
from automl.text.messages import server as server_messages
from server.access import is_visible
from server.api.bodies import DatasetBody, DeletionQuery, NameBody, brings_files, checked, read_body, uploaded
from server.api.resources.dataset import (
    LONG_PARTS_OF_SUMMARIES,
    DatasetListResource,
    DatasetResource,
    FileListResource,
    FileResource,
    UploadedDatasetResource,
    UploadResource,
    dataset_resources,
    respond_with_revision,
)
from server.api.resources.resource import respond
from server.deleting import delete, restore
from server.editing import rename_dataset
from server.forms import page_number
from server.jobs import cancel_check, start_check
from server.services import services
from server.template_filters import clean_name
from server.uploads.multipart import read_parts
from server.uploads.receive import Upload, take_upload
from server.visitor import visitor

blueprint = Blueprint("dataset_api", __name__, url_prefix="/api/v1/datasets")

_DATASETS_ON_A_PAGE = 100
_FILES_ON_A_PAGE = 1_000


@blueprint.post("")
def create_dataset() -> ResponseReturnValue:
    """An empty data set, or one of the photos that the form brings along. They are not checked yet."""
    if not brings_files():
        return respond(_shown(_empty_dataset(read_body(DatasetBody).name)), 201)
    with uploaded(frozenset(DatasetBody.model_fields)) as (upload, values):
        dataset = _shown(upload.dataset_id or _empty_dataset(str(values.get("name") or "")))
        received = dict(_received(upload))
    return respond(UploadedDatasetResource(**{**dict(dataset), **received}), 201)


@blueprint.get("")
def list_datasets() -> ResponseReturnValue:
    """The latest first, a hundred at a time."""
    page = page_number(request.args)
    with services().database.session() as session:
        query = select(Dataset).where(Dataset.deleted_at.is_(None), is_visible())
        query = query.order_by(Dataset.created_at.desc(), Dataset.id)
        query = query.offset((page - 1) * _DATASETS_ON_A_PAGE).limit(_DATASETS_ON_A_PAGE)
        datasets = dataset_resources(session, session.scalars(query).all())
    return respond(DatasetListResource(datasets=datasets, page=page), without=LONG_PARTS_OF_SUMMARIES)


@blueprint.get("/<dataset_id>")
def get_dataset(dataset_id: str) -> ResponseReturnValue:
    return respond_with_revision(_shown(dataset_id))


@blueprint.patch("/<dataset_id>")
def rename(dataset_id: str) -> ResponseReturnValue:
    """Another name."""
    rename_dataset(services(), dataset_id, clean_name(read_body(NameBody).name))
    return respond_with_revision(_shown(dataset_id))


@blueprint.delete("/<dataset_id>")
def delete_dataset(dataset_id: str) -> ResponseReturnValue:
    """With its files, versions and runs, into the bin; with `now` in the query, for good."""
    delete(services(), BinKind.DATASET, dataset_id, for_good=checked(DeletionQuery, request.args).now)
    return "", 204


@blueprint.post("/<dataset_id>/restore")
def restore_dataset(dataset_id: str) -> ResponseReturnValue:
    """Back from the bin."""
    restore(services(), BinKind.DATASET, dataset_id)
    return respond_with_revision(_shown(dataset_id))


@blueprint.post("/<dataset_id>/check")
def check_dataset(dataset_id: str) -> ResponseReturnValue:
    start_check(services(), dataset_id)
    return respond_with_revision(_shown(dataset_id), 202)


@blueprint.post("/<dataset_id>/check/cancel")
def cancel_check_of_dataset(dataset_id: str) -> ResponseReturnValue:
    """Ends the check at once. The photos stay, and the check can be started again."""
    cancel_check(services(), dataset_id)
    return respond_with_revision(_shown(dataset_id))


@blueprint.post("/<dataset_id>/files")
def add_files(dataset_id: str) -> ResponseReturnValue:
    """Files as parts of a form, each named by its path in the folder. May be repeated, also with the same files."""
    request.max_content_length = services().settings.max_request_bytes
    return respond(_received(take_upload(services(), read_parts(request), dataset_id)))


@blueprint.get("/<dataset_id>/files")
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
        files = [FileResource.of(file) for file in session.scalars(query)]
    return respond(FileListResource(files=files, page=page))


def _shown(dataset_id: str) -> DatasetResource:
    with services().database.session() as session:
        return DatasetResource.of(session, find_dataset(session, dataset_id))


def _empty_dataset(name: str) -> str:
    """Its id."""
    with services().database.session() as session:
        return add_dataset(session, services().settings, visitor().account_id, name=clean_name(name)).id


def _received(upload: Upload) -> UploadResource:
    return UploadResource(received=upload.n_received, refused=upload.refused)


def _file_state(text: str) -> FileState:
    try:
        return FileState(text)
    except ValueError:
        raise BadSetting(server_messages.NO_SUCH_STATE.format(known=", ".join(FileState))) from None

"""Data sets, their files and their edits, as the API shows them."""

from collections.abc import Sequence

from flask import make_response, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from pydantic.main import IncEx
from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from automl.records import DatasetState, DatasetSummary, FileState, RefusedFile
from automl.store.tables import N_FILES_AND_BYTES, Dataset, DatasetEdit, DatasetFile, DatasetVersion
from server.api.resources.resource import Resource, Timestamp, respond

LONG_PARTS_OF_SUMMARIES: IncEx = {
    "datasets": {"__all__": {"summary": {"findings": True, "refused": True, "samples": True}}}
}
"""What a list of data sets leaves out; the data set's own resource has it."""


class EditResource(Resource):
    """Something that a user changed about a data set."""

    id: int
    """Its number, by which it can be undone."""

    kind: str
    """What kind of edit it is."""

    title: str
    """What it did, in words."""

    created_at: Timestamp
    """When it was made."""

    @classmethod
    def of(cls, edit: DatasetEdit) -> "EditResource":
        return cls(id=edit.id, kind=edit.kind, title=edit.title, created_at=edit.created_at)


class DatasetResource(Resource):
    """One data set."""

    id: str
    """Opaque id."""

    url: str
    """Address of its page."""

    name: str
    """What people call it."""

    state: DatasetState
    """Where its check is."""

    message: str
    """What is happening to it, or the verdict, in words."""

    n_files: int
    """Files that have arrived, used or not."""

    n_bytes: int
    """Size of all files."""

    created_at: Timestamp
    """When its first file came."""

    version: int | None
    """Number of the latest version; null before the first successful check."""

    revision: int
    """How often people have changed it. With `If-Match: "3"`, a change is made only if this is still 3."""

    edits: list[EditResource]
    """The edits that count, in their order."""

    summary: DatasetSummary
    """What the last check found."""

    @classmethod
    def of(cls, session: Session, dataset: Dataset) -> "DatasetResource":
        return dataset_resources(session, [dataset])[0]


class UploadedDatasetResource(DatasetResource):
    """A new data set, and what became of the files that came with it."""

    received: int = 0
    """Files that were stored."""

    refused: list[RefusedFile] = Field(default_factory=list)
    """Files that were not, and why."""


class DatasetListResource(Resource):
    """Some data sets."""

    datasets: list[DatasetResource]
    """The latest first. Their summaries are without `findings`, `refused` and `samples`."""

    page: int
    """Which page of the list this is, from 1."""


class UploadResource(Resource):
    """What became of the files of one request."""

    received: int
    """Files that were stored, or are here already."""

    refused: list[RefusedFile]
    """Files that were not, and why."""


class FileResource(Resource):
    """One file of a data set."""

    id: int
    """Its number, by which edits name it."""

    name: str
    """Path that the user gave."""

    state: FileState
    """What became of it."""

    reason: str
    """Why it is not used."""

    label: str | None
    """Its class."""

    split: str | None
    """The part that it is in; null where that is Darkroom's choice."""

    width: int | None
    """Pixels, upright; null for a file that does not decode."""

    height: int | None
    """Pixels, upright; null for a file that does not decode."""

    sha256: str
    """Of its bytes."""

    @classmethod
    def of(cls, file: DatasetFile) -> "FileResource":
        return cls(
            id=file.id,
            name=file.name,
            state=file.state,
            reason=file.reason,
            label=file.label,
            split=file.split,
            width=file.width,
            height=file.height,
            sha256=file.sha256,
        )


class FileListResource(Resource):
    """Some files of a data set."""

    files: list[FileResource]
    """In the order in which they came."""

    page: int
    """Which page of the list this is, from 1."""


class MissingFilesResource(Resource):
    """Which of the files that were asked about are not here yet."""

    missing: list[int]
    """Their places in the list of the question, from 0."""


def dataset_resources(session: Session, datasets: Sequence[Dataset]) -> list[DatasetResource]:
    """In the order of `datasets`. Asks the database as often for many as for one."""
    ids = [dataset.id for dataset in datasets]
    sizes, versions, edits = _sizes(session, ids), _latest_versions(session, ids), _edits(session, ids)
    resources = []
    for dataset in datasets:
        n_files, n_bytes = sizes.get(dataset.id, (0, 0))
        resources.append(
            DatasetResource(
                id=dataset.id,
                url=url_for("datasets.show", dataset_id=dataset.id, _external=True),
                name=dataset.name,
                state=dataset.state,
                message=dataset.message,
                n_files=n_files,
                n_bytes=n_bytes,
                created_at=dataset.created_at,
                version=versions.get(dataset.id),
                revision=dataset.revision,
                edits=edits.get(dataset.id, []),
                summary=dataset.summary,
            )
        )
    return resources


def respond_with_revision(dataset: DatasetResource, status: int = 200) -> ResponseReturnValue:
    """The answer with a data set. Its `ETag` is the revision, for the `If-Match` of a change, see `edit_conflicts`."""
    response = make_response(respond(dataset, status))
    response.set_etag(str(dataset.revision))
    return response


def _sizes(session: Session, dataset_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Files and bytes of each data set that has any."""
    query = select(DatasetFile.dataset_id, *N_FILES_AND_BYTES)
    query = query.where(DatasetFile.dataset_id.in_(dataset_ids)).group_by(DatasetFile.dataset_id)
    return {dataset_id: (n_files, n_bytes) for dataset_id, n_files, n_bytes in session.execute(query)}


def _latest_versions(session: Session, dataset_ids: Sequence[str]) -> dict[str, int]:
    query = select(DatasetVersion.dataset_id, func.max(DatasetVersion.number))
    query = query.where(DatasetVersion.dataset_id.in_(dataset_ids)).group_by(DatasetVersion.dataset_id)
    return dict(session.execute(query).all())


def _edits(session: Session, dataset_ids: Sequence[str]) -> dict[str, list[EditResource]]:
    """Those that count. Their `values` are not read: they may name thousands of files."""
    query = select(DatasetEdit).options(defer(DatasetEdit.values))
    query = query.where(DatasetEdit.dataset_id.in_(dataset_ids), DatasetEdit.undone_at.is_(None))
    edits: dict[str, list[EditResource]] = {}
    for edit in session.scalars(query.order_by(DatasetEdit.id)):
        edits.setdefault(edit.dataset_id, []).append(EditResource.of(edit))
    return edits

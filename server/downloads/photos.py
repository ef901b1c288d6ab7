"""The photos of a data set as they are after all changes, as one .zip that is sent while it is made."""

import zipfile
from collections.abc import Iterator, Sequence

from flask import Blueprint, Response, request

from automl.datasets.photo_archive import TABLE_NAME, archive_paths, archive_table
from automl.errors import NotAllowedNow, NotFound
from automl.store.artifacts import ArtifactStore
from automl.store.database import find_dataset
from automl.store.shares import Right
from automl.store.tables import DatasetVersion
from automl.store.versions import StoredVersion, stored_version
from automl.text.messages import server as server_messages
from server.access import right_of_visitor
from server.downloads.composing import as_file_name
from server.downloads.streamed_zip import Sink, add_stored, zip_into
from server.services import services

blueprint = Blueprint("photo_downloads", __name__, url_prefix="/api/v1")

_MOMENT = (1980, 1, 1, 0, 0, 0)
"""When each member was last changed, as far as the .zip says: the earliest that it can, since nobody knows."""


@blueprint.get("/datasets/<dataset_id>/photos.zip")
def photos(dataset_id: str) -> Response:
    """The photos of a `version`, or of the latest one: the bytes of the uploaded files, in a folder for each class.

    Only their owner gets the place where a photo was taken with it.

    Raises:
        NotFound: There is no such data set, or no such version.
        NotAllowedNow: Nothing could be trained from the photos yet.
    """
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
        version = _version(dataset.versions, request.args.get("version", type=int))
        name = f"{as_file_name(dataset.name)}-photos-{version.number}.zip"
        stored = stored_version(services().store, version)
        is_own = right_of_visitor(session, dataset_id) is Right.OWN
    response = Response(_zipped(services().store, stored, hides_place=not is_own), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.cache_control.private = True
    return response


def _version(versions: Sequence[DatasetVersion], number: int | None) -> DatasetVersion:
    if not versions:
        raise NotAllowedNow(server_messages.NO_PHOTOS_TO_DOWNLOAD)
    wanted = versions[-1].number if number is None else number
    found = next((version for version in versions if version.number == wanted), None)
    if found is None:
        raise NotFound(server_messages.NO_VERSION)
    return found


def _zipped(store: ArtifactStore, version: StoredVersion, *, hides_place: bool) -> Iterator[bytes]:
    """The .zip, piece by piece."""
    sink = Sink()
    with zip_into(sink) as archive:
        yield from add_photos(archive, sink, store, version, hides_place=hides_place)
    yield sink.taken()


def add_photos(
    archive: zipfile.ZipFile,
    sink: Sink,
    store: ArtifactStore,
    version: StoredVersion,
    *,
    folder: str = "",
    hides_place: bool = False,
) -> Iterator[bytes]:
    """Puts the photos of a version and their table into a .zip, below `folder`, and hands out what is written.

    `hides_place`: without the place where each was taken.
    """
    paths = archive_paths(version.images)
    table = archive_table(version.images, paths, keeps_clips=version.keeps_clips)
    archive.writestr(member(f"{folder}{TABLE_NAME}"), table.encode("utf-8-sig"))
    for key, path in zip(version.keys, paths, strict=True):
        yield from add_stored(archive, sink, store, key, member(f"{folder}{path}"), hides_place=hides_place)


def member(path: str) -> zipfile.ZipInfo:
    """The entry of a file in a .zip."""
    info = zipfile.ZipInfo(path, _MOMENT)
    info.external_attr = 0o644 << 16  # else it could not be read where it is unpacked on Linux
    return info

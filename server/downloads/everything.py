"""All that an account has, as one .zip that is sent while it is made."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.store.artifacts import ArtifactStore
from automl.store.tables import Artifact, Dataset, Run
from automl.store.versions import StoredVersion, latest_version, stored_version
from server.downloads.composing import as_file_name
from server.downloads.photos import add_photos, member
from server.downloads.streamed_zip import Sink, add_stored, zip_into
from server.services import services
from server.visitor import visitor

blueprint = Blueprint("everything", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What goes into one folder of the .zip.

    Attributes:
        folder: Its name, with a slash behind it.
        version: The photos of the data set as they are now; None where it was never checked.
        models: Key and name of each finished model of it, and of each plot.
    """

    folder: str
    version: StoredVersion | None
    models: tuple[tuple[str, str], ...]


@blueprint.get("/account/everything.zip")
def download() -> Response:
    """The photos, models and plots of all data sets that are not in the bin."""
    with services().database.session() as session:
        parts = _parts(session, services().store, visitor().account_id)
    response = Response(_zipped(services().store, parts), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename="darkroom.zip")
    response.cache_control.private = True
    return response


def _parts(session: Session, store: ArtifactStore, account_id: str | None) -> list[_Part]:
    own = select(Dataset).where(Dataset.owner_id == account_id, Dataset.deleted_at.is_(None))
    parts = []
    for number, dataset in enumerate(session.scalars(own.order_by(Dataset.created_at, Dataset.id)), start=1):
        version = latest_version(session, dataset.id)
        made = select(Artifact).join(Artifact.run).where(Run.dataset_id == dataset.id, Run.deleted_at.is_(None))
        models = session.scalars(made.where(Artifact.kind.in_(("bundle", "plot"))).order_by(Artifact.created_at))
        parts.append(
            _Part(
                folder=f"{number:03}-{as_file_name(dataset.name)}/",
                version=None if version is None else stored_version(store, version),
                models=tuple((one.key, f"models/{one.run_id}/{one.name}") for one in models),
            )
        )
    return parts


def _zipped(store: ArtifactStore, parts: list[_Part]) -> Iterator[bytes]:
    sink = Sink()
    with zip_into(sink) as archive:
        for part in parts:
            if part.version is not None:
                yield from add_photos(archive, sink, store, part.version, folder=f"{part.folder}photos/")
            for key, name in part.models:
                yield from add_stored(archive, sink, store, key, member(f"{part.folder}{name}"))
    yield sink.taken()

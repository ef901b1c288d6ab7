"""Versions of a data set: what it was when a run used it, kept as a manifest in the artifact store."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from automl.datasets.manifest import manifest_of
from automl.datasets.verdict import problem_of
from automl.errors import BadDataset
from automl.records import DatasetManifest, ImageRecord, RefusedFile, ServingContract, Split
from automl.store.artifacts import ArtifactStore
from automl.store.database import find_dataset
from automl.store.tables import DatasetSides, DatasetVersion, Run
from automl.text.messages import store as store_messages

_MAX_BYTES = 1 << 30
_SCHEMA = 1


class _StoredPhoto(BaseModel):
    """A photo in the manifest of a version: the fields of its `ImageRecord`, and where its bytes are."""

    key: str
    name: str
    label: str
    sha256: str
    width: int
    height: int
    split: Split | Literal[""]
    group: str
    clip: str = ""
    frame: int = 0


class _StoredManifest(BaseModel):
    """The manifest of a version."""

    model_config = ConfigDict(validate_by_name=True)

    schema_number: int = Field(alias="schema")
    images: list[_StoredPhoto]
    refused: list[RefusedFile]
    contract: ServingContract | None = None
    keeps_clips: bool = True


def record_version(
    session: Session,
    store: ArtifactStore,
    dataset_id: str,
    *,
    images: Sequence[ImageRecord],
    keys: Mapping[tuple[str, str], str],
    refused: Sequence[RefusedFile],
    contract: ServingContract,
    keeps_clips: bool = True,
) -> DatasetVersion:
    """The version that these photos are: the latest one where nothing has changed, else a new one.

    The latest one is replaced where no run has used it, so that numbers count what runs have seen.

    Args:
        session: An open transaction.
        store: Where the manifest is written.
        dataset_id: The data set.
        images: Its photos.
        keys: Where the bytes of the photos are, by name and SHA-256.
        refused: Its files that are not used.
        contract: How the pixels of its photos become those that a model sees.
        keeps_clips: Whether photos of one clip stay together.
    """
    latest = latest_version(session, dataset_id)
    photos = json.dumps(
        [
            _stored(image, keys[image.name, image.sha256]).model_dump(mode="json", exclude_defaults=True)
            for image in images
        ],
        ensure_ascii=False,
    ).encode()
    fingerprint = _fingerprint(photos, contract, keeps_clips=keeps_clips)
    if latest is not None and latest.fingerprint == fingerprint and store.exists(latest.key):
        return latest
    reasons = json.dumps([{"name": file.name, "reason": file.reason} for file in refused], ensure_ascii=False).encode()
    rules = contract.model_dump_json().encode()
    written = b'{"schema": %d, "images": %b, "refused": %b, "contract": %b, "keeps_clips": %b}' % (
        _SCHEMA,
        photos,
        reasons,
        rules,
        json.dumps(keeps_clips).encode(),
    )
    stored = store.write(f"datasets/{dataset_id}/versions", io.BytesIO(written), max_bytes=_MAX_BYTES)
    number = latest.number + 1 if latest else 1
    if latest is not None and not _is_used(session, latest):
        # Its file stays for the sweeper: this transaction may still fail, and a run may just be opening it.
        number = latest.number
        session.delete(latest)
        session.flush()
    version = DatasetVersion(
        dataset_id=dataset_id,
        number=number,
        fingerprint=fingerprint,
        key=stored.key,
        n_images=len(images),
        n_classes=len({image.label for image in images}),
    )
    session.add(version)
    session.flush()
    return version


def _is_used(session: Session, version: DatasetVersion) -> bool:
    """Whether a run has it, or had it: then sides of its photos are remembered."""
    has_run = session.scalar(select(exists().where(Run.version_id == version.id)))
    return bool(has_run or session.scalar(select(exists().where(DatasetSides.version_id == version.id))))


def latest_version(session: Session, dataset_id: str) -> DatasetVersion | None:
    """The newest version of a data set; None before the first successful check."""
    query = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id)
    return session.scalars(query.order_by(DatasetVersion.number.desc()).limit(1)).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """The photos of a version, and where their bytes are in the store.

    Attributes:
        images: The photos; their paths say nothing.
        keys: Where the bytes of each are.
        keeps_clips: Whether photos of one clip stay together.
    """

    images: tuple[ImageRecord, ...]
    keys: tuple[str, ...]
    keeps_clips: bool


def stored_version(store: ArtifactStore, version: DatasetVersion) -> StoredVersion:
    """The photos of a version.

    Raises:
        NotFound: The store has lost its manifest.
        BadDataset: It was written by a newer Darkroom.
    """
    manifest = _read(store, version)
    return StoredVersion(
        images=tuple(_loaded(photo, Path()) for photo in manifest.images),
        keys=tuple(photo.key for photo in manifest.images),
        keeps_clips=manifest.keeps_clips,
    )


def load_version(session: Session, store: ArtifactStore, version: DatasetVersion, *, scratch: Path) -> DatasetManifest:
    """The manifest of a version; files of a remote store are copied to `scratch`.

    Raises:
        NotFound: The store has lost it.
        BadDataset: It was written by a newer Darkroom.
    """
    manifest = _read(store, version)
    images = [_loaded(photo, store.local_path(photo.key, scratch)) for photo in manifest.images]
    name = find_dataset(session, version.dataset_id).name
    found = manifest_of(
        name, images, refused=manifest.refused, contract=manifest.contract, keeps_clips=manifest.keeps_clips
    )
    return replace(found, version=version.number)


def _fingerprint(photos: bytes, contract: ServingContract, *, keeps_clips: bool) -> str:
    """Of a version. What is usual adds nothing, so that versions from before it was asked keep theirs."""
    usual = ServingContract(version=contract.version)
    rules = b"" if contract == usual else contract.model_dump_json().encode()
    return hashlib.sha256(photos + rules + (b"" if keeps_clips else b"separate photos")).hexdigest()


def problem_of_version(store: ArtifactStore, version: DatasetVersion) -> str:
    """Why nothing can be trained and tested with the photos of a version, or an empty text.

    A version that was saved by an older Darkroom, which asked for less, may have a problem.

    Raises:
        NotFound: The store has lost it.
        BadDataset: It was written by a newer Darkroom.
    """
    return problem_of(stored_version(store, version).images)


def _read(store: ArtifactStore, version: DatasetVersion) -> _StoredManifest:
    with store.open(version.key) as source:
        content = json.load(source)
    if content["schema"] != _SCHEMA:
        raise BadDataset(store_messages.NEWER_DARKROOM)
    return _StoredManifest.model_validate(content)


def _stored(image: ImageRecord, key: str) -> _StoredPhoto:
    return _StoredPhoto(
        key=key,
        name=image.name,
        label=image.label,
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        split=image.split or "",
        group=image.group,
        clip=image.clip,
        frame=image.frame,
    )


def _loaded(photo: _StoredPhoto, path: Path) -> ImageRecord:
    return ImageRecord(
        path=path,
        name=photo.name,
        label=photo.label,
        sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
        split=photo.split or None,
        group=photo.group,
        clip=photo.clip,
        frame=photo.frame,
    )

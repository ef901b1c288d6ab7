"""Versions of a data set: what it was when a run used it, kept as a manifest in the artifact store."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from automl.datasets.assess import manifest_of
from automl.errors import BadDataset
from automl.records import DatasetManifest, ImageRecord, RefusedFile, Split
from automl.store.artifacts import ArtifactStore
from automl.store.database import find_dataset
from automl.store.tables import DatasetVersion, Run

_MAX_BYTES = 1 << 30


def record_version(
    session: Session,
    store: ArtifactStore,
    dataset_id: str,
    images: Sequence[ImageRecord],
    keys: Mapping[tuple[str, str], str],
    refused: Sequence[RefusedFile],
) -> DatasetVersion:
    """The version that these photos are: the latest one where nothing has changed, else a new one.

    The latest one is replaced where no run has used it, so that numbers count what runs have seen. `keys`: where the
    bytes are, by name and SHA-256.
    """
    latest = latest_version(session, dataset_id)
    photos = json.dumps([_row(image, keys) for image in images], ensure_ascii=False).encode()
    now = hashlib.sha256(photos).hexdigest()
    if latest is not None and latest.fingerprint == now and store.exists(latest.key):
        return latest
    told = json.dumps([{"name": file.name, "reason": file.reason} for file in refused], ensure_ascii=False).encode()
    written = b'{"schema": 1, "images": ' + photos + b', "refused": ' + told + b"}"
    stored = store.write(f"datasets/{dataset_id}/versions", io.BytesIO(written), max_bytes=_MAX_BYTES)
    number = latest.number + 1 if latest else 1
    if latest is not None and not session.scalar(select(exists().where(Run.version_id == latest.id))):
        # Its file stays for the sweeper: this transaction may still fail, and a run may just be opening it.
        number = latest.number
        session.delete(latest)
        session.flush()
    version = DatasetVersion(
        dataset_id=dataset_id,
        number=number,
        fingerprint=now,
        key=stored.key,
        n_images=len(images),
        n_classes=len({image.label for image in images}),
    )
    session.add(version)
    session.flush()
    return version


def latest_version(session: Session, dataset_id: str) -> DatasetVersion | None:
    query = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id)
    return session.scalars(query.order_by(DatasetVersion.number.desc()).limit(1)).first()


def load_version(session: Session, store: ArtifactStore, version: DatasetVersion, scratch: Path) -> DatasetManifest:
    """The manifest of a version; files of a remote store are copied to `scratch`.

    Raises:
        NotFound: the store has lost it.
        BadDataset: it was written by a newer Darkroom.
    """
    with store.open(version.key) as source:
        values = json.load(source)
    if values["schema"] != 1:
        raise BadDataset("This data set was saved by a newer Darkroom. Update this one, or upload the photos again.")
    images = tuple(
        ImageRecord(
            path=store.local_path(row["key"], scratch),
            name=row["name"],
            label=row["label"],
            sha256=row["sha256"],
            width=row["width"],
            height=row["height"],
            split=Split(row["split"]) if row["split"] else None,
            group=row["group"],
        )
        for row in values["images"]
    )
    refused = [RefusedFile(row["name"], row["reason"]) for row in values["refused"]]
    manifest = manifest_of(find_dataset(session, version.dataset_id).name, images, refused)
    return replace(manifest, version=version.number)


def _row(image: ImageRecord, keys: Mapping[tuple[str, str], str]) -> dict[str, str | int]:
    return {
        "key": keys[image.name, image.sha256],
        "name": image.name,
        "label": image.label,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "split": image.split.value if image.split else "",
        "group": image.group,
    }

"""The manifest of a data set: its photos, their classes and parts, and which of them belong together."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from automl.datasets.clips import ClipPlaces
from automl.datasets.copies_of_test import SplitPhoto
from automl.datasets.copy_groups import CopyGroups, copy_groups
from automl.datasets.data_file import DataFile
from automl.records import DatasetManifest, ImageRecord, RefusedFile, ServingContract
from automl.text.natural_order import in_natural_order

_NOWHERE = Path()


def manifest_of(
    name: str,
    images: Sequence[ImageRecord],
    *,
    refused: Sequence[RefusedFile] = (),
    notes: Sequence[str] = (),
    contract: ServingContract | None = None,
    keeps_clips: bool = True,
) -> DatasetManifest:
    """The manifest that photos make; its classes are theirs."""
    return DatasetManifest(
        name=name,
        classes=tuple(in_natural_order({image.label for image in images})),
        images=tuple(images),
        refused=tuple(refused),
        fingerprint=dataset_fingerprint(images),
        notes=tuple(notes),
        contract=contract,
        keeps_clips=keeps_clips,
    )


def image_records(
    accepted: Sequence[DataFile], copies: CopyGroups | None = None, clips: ClipPlaces | None = None
) -> list[ImageRecord]:
    """The photos in use, by name; without their paths, which only the store knows.

    Args:
        accepted: The files in use.
        copies: Which of them belong together; None to find that out here.
        clips: The clips that some of them are in.
    """
    clips = clips or {}
    group_of = (copies or copy_groups(accepted)).group_of
    members: defaultdict[int, list[str]] = defaultdict(list)
    for file in accepted:
        members[group_of[file.id]].append(file.sha256)
    # The name of a group comes from contents: ids of files differ from one upload to the next.
    groups = {number: min(digests) for number, digests in members.items() if len(set(digests)) > 1}
    return [
        ImageRecord(
            path=_NOWHERE,
            name=file.name,
            label=file.label,
            sha256=file.sha256,
            width=file.width,
            height=file.height,
            split=file.split,
            group=groups.get(group_of[file.id], ""),
            clip=clips[file.id].clip if file.id in clips else "",
            frame=clips[file.id].frame if file.id in clips else 0,
        )
        for file in sorted(accepted, key=lambda file: (file.name, file.sha256))
    ]


def dataset_fingerprint(photos: Sequence[SplitPhoto]) -> str:
    """A SHA-256 over contents, labels and parts: the same data set has the same one, in whatever order and names."""
    rows = sorted([photo.sha256, photo.label, photo.split or ""] for photo in photos)
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()

"""Which photos belong together, though they are no copies: frames of a clip, or a site that the user has named.

Names and times only put the photos of a class into an order; whether neighbours are one clip is decided by likeness
(`automl.images.sequences`). A burst of the camera page is one clip whatever its photos look like, and may be part of a
longer one. Where the user has said what belongs together, nothing is looked for.
"""

import heapq
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from automl.datasets.data_file import DataFile
from automl.datasets.remembered_sequences import remembered_sequences
from automl.images.fingerprint import FINGERPRINT_PX
from automl.images.sequences import joined
from automl.labelling.bursts import burst_of

_ELSEWHERE = 10
"""Near copies that stand so far apart are no neighbours in a clip that moves slowly."""

_MAX_OTHERS = 300
"""Photos of all classes that say how far apart different scenes are."""

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlace:
    """The clip or group that a photo is in.

    Attributes:
        clip: Its name: what the user calls the group, or the smallest SHA-256 of the photos of a clip that was found.
        frame: Its place in a clip that was found; 0 in a group of the user.
        is_found: Whether it was found, not named.
    """

    clip: str
    frame: int
    is_found: bool


ClipPlaces = Mapping[int, ClipPlace]
"""By the ids of the files; those that are in no clip are not there."""


def place_in_clips(
    files: Sequence[DataFile],
    fingerprints: Mapping[int, bytes],
    groups: Mapping[int, str],
    *,
    copies: Mapping[int, int] | None = None,
    one_view: Collection[str] = (),
) -> ClipPlaces:
    """The clips among the photos in use, and the groups that the user has named.

    Args:
        files: The photos in use.
        fingerprints: As `Traits.fingerprint` has them, by id.
        groups: What the folders or a table of the user say that photos have in common, by id; empty for nothing.
        copies: The same number for copies and near copies of one picture, by id; None where each photo is alone.
        one_view: The classes that mostly show one view. They say nothing of how far apart different scenes are.
    """
    if len(set(groups.values()) - {""}) < 2:
        groups = {}  # what all photos have in common tells none apart
    named = {file.id: ClipPlace(clip=groups[file.id], frame=0, is_found=False) for file in files if groups.get(file.id)}
    series: defaultdict[str, dict[str, DataFile]] = defaultdict(dict)
    for file in files:
        if file.id not in named and file.id in fingerprints:
            # Exact copies stay together in any case, and three of them are no clip.
            series[file.label].setdefault(file.sha256, file)
    copies = copies or {file.id: file.id for file in files}
    some = _some_photos(series)
    found = [
        frames
        for label, of_class in series.items()
        for frames in _found(
            list(of_class.values()),
            fingerprints,
            copies,
            others=[file for file in some if file.label not in {label, *one_view}],
        )
    ]
    places = {
        file.id: ClipPlace(clip=min(one.sha256 for frames in clip for one in frames), frame=place, is_found=True)
        for clip in _with_whole_bursts(list(found))
        # What is nothing but near copies of one picture stays together as such.
        if len({copies[file.id] for frames in clip for file in frames}) > 1
        for frames in clip
        for place, file in enumerate(frames)
    }
    return named | _of_copies(files, places, copies) | places


def _with_whole_bursts(found: Sequence[list[DataFile]]) -> Iterable[list[list[DataFile]]]:
    """The clips that were found class by class; those that share a burst, part of which was moved to another class, are
    one."""
    first_of: dict[str, int] = {}
    pairs = [
        (first_of.setdefault(burst, number), number)
        for number, frames in enumerate(found)
        for burst in {burst_of(file.name) for file in frames} - {""}
    ]
    clips: defaultdict[int, list[list[DataFile]]] = defaultdict(list)
    for frames, number in zip(found, joined(len(found), pairs).tolist(), strict=True):
        clips[number].append(frames)
    return clips.values()


def _of_copies(files: Sequence[DataFile], places: ClipPlaces, copies: Mapping[int, int]) -> dict[int, ClipPlace]:
    """A copy of a frame that lies elsewhere, such as a smaller one in another folder, has the place of the frame."""

    def keys_of(file: DataFile) -> list[tuple[str, object]]:
        """What a file has in common with its copies, the most certain first."""
        return [(file.label, key) for key in (file.sha256, (file.original, copies[file.id]), copies[file.id])]

    known: dict[tuple[str, object], ClipPlace] = {}
    for file in files:
        if place := places.get(file.id):
            for key in keys_of(file):
                known.setdefault(key, place)
    found = {}
    for file in files:
        place = next((known[key] for key in keys_of(file) if key in known), None)
        if place and file.id not in places:
            found[file.id] = place
    return found


def frame_key(name: str) -> list[tuple[bool, int, str]]:
    """Sorts names as people do: frame 2 before frame 10."""
    parts = _DIGITS.split(name.casefold())
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _some_photos(series: Mapping[str, Mapping[str, DataFile]]) -> list[DataFile]:
    """A sample of all photos, the same whatever their order; an edit of few photos rarely changes it."""
    photos = [file for of_class in series.values() for file in of_class.values()]
    return heapq.nsmallest(_MAX_OTHERS, photos, key=lambda file: (file.sha256, file.label))


def _found(
    photos: Sequence[DataFile],
    fingerprints: Mapping[int, bytes],
    copies: Mapping[int, int],
    *,
    others: Sequence[DataFile],
) -> Iterable[list[DataFile]]:
    """The frames of each clip among photos of one class, in their order; single photos, too.

    Args:
        photos: Those of the class.
        fingerprints: By id.
        copies: As `place_in_clips` has them.
        others: Some photos of other classes.
    """
    by_path = sorted(photos, key=lambda file: (frame_key(file.name), file.id))
    # The frames of a clip may have been dealt out to the folders of a split: there the names alone put them in order.
    is_split = len({file.split for file in photos}) > 1
    by_name = sorted(by_path, key=lambda file: frame_key(PurePosixPath(file.name).name)) if is_split else by_path
    by_time = sorted((file for file in by_name if file.taken_at is not None), key=lambda file: file.taken_at or 0)
    order = by_time if len(by_time) == len(by_name) else by_name
    orders = [by_path, by_time, *([by_name] if is_split else [])]
    position = {file.id: number for number, file in enumerate(order)}
    pixels_of_others = _pixels(others, fingerprints)
    pairs = [
        (position[first.id], position[file.id])
        for one in orders
        for first, file in _neighbours(_without_copies(one, copies), fingerprints, pixels_of_others)
    ]
    first = joined(len(order), [*pairs, *_in_bursts(order)])
    clips: defaultdict[int, list[DataFile]] = defaultdict(list)
    for file, number in zip(order, first.tolist(), strict=True):
        clips[number].append(file)
    return clips.values()


def _in_bursts(order: Sequence[DataFile]) -> Iterable[tuple[int, int]]:
    """The place in `order` of each photo of a burst, with that of the first one of the burst."""
    first_of: dict[str, int] = {}
    for place, file in enumerate(order):
        if burst := burst_of(file.name):
            yield first_of.setdefault(burst, place), place


def _without_copies(series: Sequence[DataFile], copies: Mapping[int, int]) -> list[DataFile]:
    """The series without copies of pictures that stand elsewhere in it: they are as like as neighbours are."""
    kept: list[DataFile] = []
    last: dict[int, int] = {}
    for index, file in enumerate(series):
        if index - last.get(copies[file.id], index) < _ELSEWHERE:
            last[copies[file.id]] = index
            kept.append(file)
    return kept


def _neighbours(
    series: Sequence[DataFile], fingerprints: Mapping[int, bytes], others: np.ndarray
) -> Iterable[tuple[DataFile, DataFile]]:
    """Each photo of a stretch with the first one."""
    for index, first in enumerate(remembered_sequences(_pixels(series, fingerprints), others).tolist()):
        if first != index:
            yield series[first], series[index]


def _pixels(files: Sequence[DataFile], fingerprints: Mapping[int, bytes]) -> np.ndarray:
    """The fingerprints of these files, uint8 (len(files), FINGERPRINT_PX**2)."""
    together = b"".join(fingerprints[file.id] for file in files)
    return np.frombuffer(together, np.uint8).reshape(-1, FINGERPRINT_PX**2)

"""Photos that are never on both sides of a split: copies and near copies of a picture, and the photos of a clip.

Copies are found by contents, clips by `automl.datasets.clips`. Where nearly all photos of a class are one clip, none of
it could be held back; so it is cut into blocks of time, and the frames between two blocks are left out. Where it is
made of bursts of the camera page, these are the blocks.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from automl.images.sequences import joined
from automl.labelling.bursts import burst_of
from automl.records import DatasetManifest, ImageRecord, Split
from automl.text.natural_order import in_natural_order

N_BLOCKS = 5
_FEWEST_IN_A_BLOCK = 3
_FEWEST_TO_CUT, _FEWEST_TO_COMPARE = 3, 2

NEARLY_ALL = 0.8
"""A clip that holds so much of the photos of a class is cut."""

_GAP_SHARE = 0.02
_CLOSED_FROM = 20
"""A clip of so many frames may be a full turn, so a gap is left behind its last block, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Photos that stay together.

    Attributes:
        labels: Their classes.
        key: Identifies the group, made from contents or from the name of a clip.
        images: Indices into the manifest.
        is_validation: Whether one of them is in the user's validation folder.
        is_in_doubt: Whether near copies lie in different classes: one of their labels is wrong, so the test should not
            ask about them.
        is_clip: Whether they are more than copies of one picture.
    """

    labels: frozenset[str]
    key: str
    images: tuple[int, ...]
    is_validation: bool
    is_in_doubt: bool
    is_clip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CutClips:
    """The clips that are cut, since a class has hardly anything else.

    Attributes:
        labels: Their classes.
        blocks: The name of the block of each frame, by its index in the manifest.
        gaps: The frames between two blocks.
    """

    labels: tuple[str, ...]
    blocks: Mapping[int, str]
    gaps: frozenset[int]


def cut_clips(images: Sequence[ImageRecord]) -> CutClips:
    """Cuts the clips that are nearly all that there is of a class; none where the user has test photos."""
    if any(image.split is Split.TEST for image in images):
        return CutClips(labels=(), blocks={}, gaps=frozenset())
    labels, blocks, gaps = [], {}, set()
    for label, frames in sorted(_single_clips(images).items()):
        n_frames = len({images[i].frame for i in frames})
        n_blocks = max(2, min(N_BLOCKS, n_frames // _FEWEST_IN_A_BLOCK))
        parts, between = _in_blocks(images, frames, n_blocks, max(1, round(_GAP_SHARE * n_frames)))
        labels.append(label)
        gaps.update(between)
        clip = images[frames[0]].clip
        blocks.update({i: f"{clip} {number}" for number, part in enumerate(parts) for i in part})
    return CutClips(labels=tuple(in_natural_order(labels)), blocks=blocks, gaps=frozenset(gaps))


def groups_of(manifest: DatasetManifest, cut: CutClips, seed: int) -> list[Group]:
    """The groups, in the order in which they are dealt out; frames in gaps are in none."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for index, first in enumerate(_first_together(manifest.images, cut.blocks).tolist()):
        if index not in cut.gaps:
            members[first].append(index)
    groups = [group_of(manifest, images, cut.blocks) for images in members.values()]
    return sorted(groups, key=lambda group: order_of(group, seed))


def by_class(groups: Sequence[Group]) -> dict[str, list[Group]]:
    """The groups that have photos of each class; a group of several classes is there for each of them."""
    classes: defaultdict[str, list[Group]] = defaultdict(list)
    for group in groups:
        for label in group.labels:
            classes[label].append(group)
    return classes


def order_of(group: Group, *seeds: int) -> bytes:
    """What groups are sorted by: neither the order of the files nor the version of a random generator matters."""
    return hashlib.sha256(" ".join([*map(str, seeds), group.key]).encode()).digest()


def group_of(manifest: DatasetManifest, images: Sequence[int], blocks: Mapping[int, str] | None = None) -> Group:
    """The group of these photos, which are indices into the manifest."""
    records = [manifest.images[i] for i in images]
    labels = frozenset(record.label for record in records)
    clips = {record.clip for record in records if record.clip}
    # A site or a patient has photos of several classes by right.
    shared = any(len({record.label for record in records if record.clip == clip}) > 1 for clip in clips)
    return Group(
        labels=labels,
        key=min(_name_of(record, (blocks or {}).get(i, "")) for i, record in zip(images, records, strict=True)),
        images=tuple(images),
        is_validation=any(record.split is Split.VALIDATION for record in records),
        is_in_doubt=len(labels) > 1 and not shared,
        is_clip=bool(clips),
    )


def with_lonely_clips_cut(manifest: DatasetManifest, groups: Sequence[Group]) -> tuple[list[Group], list[str]]:
    """The groups with those clips in blocks that are all there is to learn of a class, and these classes.

    Models could not be compared on such a class at all, so they are compared on parts of what they learn from.
    """
    n_of: defaultdict[str, int] = defaultdict(int)
    for group in groups:
        for label in group.labels:
            n_of[label] += not group.is_in_doubt
    cut, labels = [], []
    for group in groups:
        frames = _in_order(manifest.images, group.images)
        is_alone = len(group.labels) == 1 and n_of[min(group.labels)] == 1 and not group.is_in_doubt
        n_frames = len({manifest.images[i].frame for i in frames})
        if is_alone and n_frames // _FEWEST_TO_COMPARE >= 2:
            parts, _ = _in_blocks(manifest.images, frames, min(N_BLOCKS, n_frames // _FEWEST_TO_COMPARE), 0)
            cut += [group_of(manifest, part, dict.fromkeys(part, f"{group.key} {k}")) for k, part in enumerate(parts)]
            labels.append(min(group.labels))
        else:
            cut.append(group)
    return cut, in_natural_order(labels)


def labels_of_one_clip(manifest: DatasetManifest, groups: Sequence[Group]) -> list[str]:
    """The classes of which whole groups leave nothing to hold back, since all is of one clip, site or patient."""
    n_of: defaultdict[str, int] = defaultdict(int)
    in_clips = set()
    for group in groups:
        for label in group.labels:
            n_of[label] += not group.is_in_doubt
        if group.is_clip and not group.is_in_doubt and len(group.images) > 1:
            in_clips |= {manifest.images[i].label for i in group.images if manifest.images[i].clip}
    return in_natural_order(label for label in in_clips if n_of[label] < 2)


def dealt_out(manifest: DatasetManifest, labels: Sequence[str]) -> DatasetManifest:
    """The same photos; those of these classes are in no clip or group any more."""
    images = [replace(one, clip="", frame=0) if one.label in labels else one for one in manifest.images]
    return replace(manifest, images=tuple(images))


def with_groups_dealt_out(manifest: DatasetManifest, groups: Sequence[Group], labels: Sequence[str]) -> list[Group]:
    """The groups, with the photos of these classes as groups of their own; copies still stay together."""
    apart = dealt_out(manifest, labels)
    first = _first_together(apart.images, {})
    found = []
    for group in groups:
        parts: defaultdict[int, list[int]] = defaultdict(list)
        for i in group.images if group.labels.intersection(labels) else ():
            parts[int(first[i])].append(i)
        found += [group_of(apart, part) for part in parts.values()] or [group]
    return found


def together(images: Sequence[ImageRecord]) -> np.ndarray:
    """For each photo the number of its group, int64 (n,), 0 to the number of groups: what intervals resample."""
    return np.asarray(np.unique(_first_together(images, {}), return_inverse=True)[1])


def _first_together(images: Sequence[ImageRecord], blocks: Mapping[int, str]) -> np.ndarray:
    """For each photo the index of the first one in its group, int64 (n,)."""
    is_tested = any(image.split is Split.TEST for image in images)
    first: dict[tuple[object, ...], int] = {}
    pairs = [(index, first.setdefault(("contents", image.sha256), index)) for index, image in enumerate(images)]
    for index, image in enumerate(images):
        if image.group and index not in blocks:  # neighbouring blocks may have near copies; the gap is between them
            pairs.append((index, first.setdefault(("copies", image.group), index)))
        if clip := blocks.get(index, image.clip):
            # A clip on both sides of the user's own split is what the user wants; it is said, and not undone.
            side = is_tested and image.split is Split.TEST
            pairs.append((index, first.setdefault(("clip", clip, side), index)))
    return joined(len(images), pairs)


def _single_clips(images: Sequence[ImageRecord]) -> dict[str, list[int]]:
    """By class, the frames of the clip that nearly all of its photos are from, in their order."""
    clips: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, image in enumerate(images):
        clips[image.label][image.clip].append(index)
    found = {}
    for label, of_label in clips.items():
        largest = max(of_label.values(), key=len)
        frames = _in_order(images, largest)
        if len(largest) >= NEARLY_ALL * sum(map(len, of_label.values())) and frames:
            found[label] = frames
    return found


def _in_order(images: Sequence[ImageRecord], indices: Sequence[int]) -> list[int]:
    """The frames of a clip in their order; none where these photos have no order or are too few to cut."""
    ordered = sorted(indices, key=lambda i: (images[i].frame, images[i].name))
    is_clip = len({images[i].clip for i in indices}) == 1 and images[indices[0]].clip
    return ordered if is_clip and len({images[i].frame for i in indices}) >= _FEWEST_TO_CUT else []


def _in_blocks(
    images: Sequence[ImageRecord], frames: Sequence[int], n_blocks: int, gap: int
) -> tuple[list[list[int]], list[int]]:
    """Whole bursts where there are several, else blocks of about the same size; and the frames between the blocks.

    Copies of a frame are where the frame is.
    """
    if len(bursts := _in_bursts(images, frames)) > 1:
        return bursts, []
    numbers = sorted({images[i].frame for i in frames})
    n_gaps = n_blocks if len(numbers) >= _CLOSED_FROM else n_blocks - 1
    ends = np.linspace(0, len(numbers) - gap * n_gaps, n_blocks + 1).round().astype(int)
    parts = [set(numbers[a + gap * k : b + gap * k]) for k, (a, b) in enumerate(pairwise(ends))]
    blocks = [[i for i in frames if images[i].frame in part] for part in parts]
    kept = {i for block in blocks for i in block}
    return blocks, [i for i in frames if i not in kept]


def _in_bursts(images: Sequence[ImageRecord], frames: Sequence[int]) -> list[list[int]]:
    """The frames of each burst, with those that follow it and are of none; bursts with copies of a picture are one."""
    first: dict[tuple[str, str], int] = {}
    pairs, burst = [], ""
    for place, i in enumerate(frames):
        burst = burst_of(images[i].name) or burst
        shared = [("burst", burst), ("contents", images[i].sha256), ("copies", images[i].group)]
        pairs += [(first.setdefault(key, place), place) for key in shared if key[0] == "burst" or key[1]]
    parts: defaultdict[int, list[int]] = defaultdict(list)
    for i, number in zip(frames, joined(len(frames), pairs).tolist(), strict=True):
        parts[number].append(i)
    return list(parts.values())


def _name_of(image: ImageRecord, block: str) -> str:
    return block or image.clip or image.group or image.sha256

"""Near copies: the same picture again after resizing, saving, brightening, a small crop or mirroring.

They are found in two steps. A coarse fingerprint, blurred and standardised, makes each pair of pictures one dot
product, which finds candidates. A candidate is then verified by `automl.images.resemblance`.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from automl.images.coarse_pairs import FINGERPRINTS_PER_BLOCK, coarse_fingerprints, coarse_pairs, mirrored
from automl.images.detail import DETAIL, details_from
from automl.images.fingerprint import FINGERPRINT_PX
from automl.images.picture_groups import PictureGroups
from automl.images.resemblance import NearPairs, verified_pairs
from automl.images.same_shot import Comparison, ShotComparer
from automl.images.sequences import joined
from automl.images.still_camera import Shots, shots_of_scene

_BLANK_SPREAD = 4.0
"""Gray values. A picture with less is blank: standardising it would compare nothing but its noise."""

_BLANK_RMS = 1.0
"""Gray values. Blank pictures differ by noise alone, so they are copies only where nearly every value is the same."""

_MIN_LIKE_LEADER = 0.9
_MIN_SHOTS = 30
"""So many pictures tell what they have in common from what each has for itself."""

_MAX_GRAIN = 1.08
"""As a multiple of what compression explains; copies of photographs that were saved again have at most 1.03."""

_MAX_GRAIN_IN_SERIES = 0.2
_MIN_SERIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Three ways in which pictures are alike, from loose to strict; of files or of indices, whichever is meant.

    Attributes:
        near: The first of the near copies of a picture, its own if there are none.
        original: The first of the near copies that may have been made from the same file: apart from those of its near
            copies that are other shots of a still scene. See `automl.images.same_shot`.
        shot: The first of those that look the same everywhere, brightness, contrast and compression aside.
    """

    near: int
    original: int
    shot: int


def likeness_of(fingerprints: Mapping[int, bytes], details: Mapping[int, bytes]) -> dict[int, Likeness]:
    """What the pictures have in common, by id.

    Args:
        fingerprints: As `Traits.fingerprint` has them, by id, in the order that decides which one is first.
        details: As `Traits.detail` has them; those of some ids may be missing.
    """
    if not fingerprints:
        return {}
    ids = list(fingerprints)
    prints = np.frombuffer(b"".join(fingerprints.values()), np.uint8).reshape(len(ids), -1)
    groups = copy_groups(prints, details_from([details.get(number, b"") for number in ids]))
    columns = zip(groups.near.tolist(), groups.original.tolist(), groups.shot.tolist(), strict=True)
    return {
        number: Likeness(near=ids[near], original=ids[original], shot=ids[shot])
        for number, (near, original, shot) in zip(ids, columns, strict=True)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class LikenessGroups:
    """Groups of pictures, as `Likeness` explains them. Each is int64 (n,): the smallest index in the group of each."""

    near: np.ndarray
    original: np.ndarray
    shot: np.ndarray


def near_copies(fingerprints: np.ndarray) -> np.ndarray:
    """Groups pictures that are near copies of each other: `copy_groups` for those of which no detail is known."""
    return copy_groups(fingerprints, np.zeros(len(fingerprints), DETAIL)).near


def copy_groups(fingerprints: np.ndarray, details: np.ndarray) -> LikenessGroups:
    """Groups pictures that are near copies of each other, and tells those of one shot from those of one scene.

    A group cannot grow from one resemblance to the next without end: each member must still look like the leader of the
    group, which is a member of its largest part. Needs about 5 kB of memory for each picture, and 50 MB beside that.

    Args:
        fingerprints: uint8 (n, FINGERPRINT_PX**2), as `Traits.fingerprint` has them.
        details: DETAIL (n,), from `Traits.detail`.
    """
    if fingerprints.ndim != 2 or fingerprints.shape[1] != FINGERPRINT_PX**2 or fingerprints.dtype != np.uint8:
        given = f"{fingerprints.dtype} {fingerprints.shape}"
        raise ValueError(f"fingerprints must be uint8 (n, {FINGERPRINT_PX**2}), not {given}")
    if len(fingerprints) == 0:
        return LikenessGroups(near=np.zeros(0, np.int64), original=np.zeros(0, np.int64), shot=np.zeros(0, np.int64))
    # Exact copies are grouped by their digests, so that only different pictures need comparing.
    first, which = _different(fingerprints, details)
    is_blank = _spreads(fingerprints)[first] < _BLANK_SPREAD
    blank, lively = first[is_blank], first[~is_blank]
    leaders = np.stack([first] * 3)
    leaders[:, is_blank] = blank[_blank_groups(fingerprints[blank])]
    leaders[:, ~is_blank] = lively[_lively_groups(fingerprints[lively], details[lively])]
    near, original, shot = (_named_by_first(leader, first, which) for leader in leaders)
    return LikenessGroups(near=near, original=original, shot=shot)


def _named_by_first(leader: np.ndarray, first: np.ndarray, which: np.ndarray) -> np.ndarray:
    """So far a group has the name of its leader, which may be any member: now it gets that of its first one."""
    smallest = np.full(len(which), len(which), np.int64)
    np.minimum.at(smallest, leader, first)
    return np.asarray(smallest[leader][which])


def _different(fingerprints: np.ndarray, details: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each different picture appears first, int (m,), and the number among those of each one, int (n,)."""
    seen: dict[bytes, int] = {}
    contents = (one.tobytes() + other.tobytes() for one, other in zip(fingerprints, details, strict=True))
    digests = (hashlib.blake2b(content, digest_size=16).digest() for content in contents)
    which = np.array([seen.setdefault(digest, len(seen)) for digest in digests])
    return np.unique(which, return_index=True)[1], which


def _spreads(fingerprints: np.ndarray) -> np.ndarray:
    """The standard deviation of each, float32 (n,), block by block to spare memory."""
    blocks = range(0, len(fingerprints), FINGERPRINTS_PER_BLOCK)
    return np.concatenate(
        [fingerprints[at : at + FINGERPRINTS_PER_BLOCK].std(axis=1, dtype=np.float32) for at in blocks]
    )


def _blank_groups(fingerprints: np.ndarray) -> np.ndarray:
    """For each blank picture the index of one that it is nearly equal to, its own if there is none, int (n,)."""
    group = np.full(len(fingerprints), -1)
    means = fingerprints.mean(axis=1, dtype=np.float32)
    order = np.argsort(means, kind="stable")
    values = fingerprints[order].astype(np.float32)
    ordered = means[order]
    # Pictures whose means differ by more than the limit differ by more altogether: only neighbours need comparing.
    ends = np.searchsorted(ordered, ordered + _BLANK_RMS, side="right")
    for i, leader in enumerate(order):
        if group[leader] < 0:
            members = np.arange(i, ends[i])
            members = members[group[order[members]] < 0]
            rms = np.sqrt(np.square(values[members] - values[i]).mean(axis=1))
            group[order[members[rms <= _BLANK_RMS]]] = leader
    return group


def _lively_groups(fingerprints: np.ndarray, details: np.ndarray) -> np.ndarray:
    """For each picture that is not blank the leaders of its groups: near, original and shot, int (3, n)."""
    coarse = coarse_fingerprints(fingerprints)
    # Best first: a weak pair then meets groups that have found their leaders, and cannot join two of them.
    comparer = ShotComparer(fingerprints, details)
    found = verified_pairs(fingerprints, coarse_pairs(coarse)).best_first()
    near = PictureGroups(len(coarse), _LikeLeader(coarse)).of(found.pairs)
    scene = joined(len(coarse), found.pairs.tolist())
    upright = joined(len(coarse), found.pairs[~found.is_mirrored].tolist())
    found = found.chosen(near[found.pairs[:, 0]] == near[found.pairs[:, 1]])
    compared = comparer.compare(found.pairs)
    cameras = [
        _shots_of_camera(members, _is_odd(upright[members]), fingerprints, details)
        for members in _still_cameras(found, compared, scene)
    ]
    is_shot = np.zeros(len(coarse), bool)
    for camera in cameras:
        is_shot[camera.fixed] = True
    # In what a still camera sees things move, and much looks like the mirrored view: there only the noise tells.
    counts = (found.is_still & ~np.isnan(compared.grain)) | ~is_shot[found.pairs].all(axis=1)
    original = _originals(found.chosen(counts), compared.chosen(counts), comparer, details)
    pairs = [pair for camera in cameras for pair in camera.pairs.tolist()]
    near, original = (joined(len(coarse), chain(enumerate(group.tolist()), pairs)) for group in (near, original))
    still = found.pairs[compared.looks_same & found.is_still]
    shots = PictureGroups(len(coarse), lambda pairs: comparer.compare(pairs).looks_same)
    shot = shots.of(still, np.ones(len(still), bool))
    return np.stack([near, original, shot])


def _still_cameras(found: NearPairs, compared: Comparison, scene: np.ndarray) -> list[np.ndarray]:
    """The members of each large scene in which most pictures that did not move have another grain, int (m,) each."""
    n = np.bincount(scene, minlength=len(scene))
    of_pair = scene[found.pairs[:, 0]]
    told = found.is_still & ~np.isnan(compared.grain)
    n_told = np.bincount(of_pair[told], minlength=len(scene))
    n_other = np.bincount(of_pair[told & (compared.grain > _MAX_GRAIN)], minlength=len(scene))
    return [np.flatnonzero(scene == one) for one in np.flatnonzero((n >= _MIN_SHOTS) & (2 * n_other > n_told))]


def _shots_of_camera(
    members: np.ndarray, is_mirrored: np.ndarray, fingerprints: np.ndarray, details: np.ndarray
) -> Shots:
    """What is found among these pictures of a still camera, as indices of all."""
    pictures = _gray_values(members, fingerprints, details)
    pictures[is_mirrored] = _flipped(pictures[is_mirrored])
    shots = shots_of_scene(pictures, details["size"][members])
    return Shots(fixed=members[shots.fixed], pairs=members[shots.pairs])


def _is_odd(values: np.ndarray) -> np.ndarray:
    """Which are not the most common one, bool (n,)."""
    found, counts = np.unique(values, return_counts=True)
    return np.asarray(values != found[counts.argmax()])


def _gray_values(which: np.ndarray, fingerprints: np.ndarray, details: np.ndarray) -> np.ndarray:
    """The best that is known of these pictures for all alike, float32 (m, FINGERPRINT_PX**2)."""
    means = details["means"][which]
    # Pictures that an earlier version has looked at have none.
    return np.asarray(means if means.any(axis=1).all() else fingerprints[which], np.float32)


def _flipped(pictures: np.ndarray) -> np.ndarray:
    return pictures.reshape(-1, FINGERPRINT_PX, FINGERPRINT_PX)[:, :, ::-1].reshape(pictures.shape)


def _originals(found: NearPairs, compared: Comparison, comparer: ShotComparer, details: np.ndarray) -> np.ndarray:
    """The leaders of groups that leave out other shots of the same scene, int (n,).

    Only pictures that did not move can be told apart: a crop or a mirrored picture stays with what it was made from.
    """
    like = _SameGrain(comparer, _MAX_GRAIN)
    leader = _joined_by_grain(found, compared, like, ~(found.is_still & (compared.grain > _MAX_GRAIN)))
    series = _in_series(leader, details)
    if not series.any():
        return leader
    # Where many files of one size are equally compressed, a camera has made them: one that is saved once more as it
    # was compressed before does not change at all.
    inside = series[found.pairs].all(axis=1) & (leader[found.pairs[:, 0]] == leader[found.pairs[:, 1]])
    like = _SameGrain(comparer, _MAX_GRAIN_IN_SERIES)
    same = inside & ~(found.is_still & (compared.grain > _MAX_GRAIN_IN_SERIES))
    return np.where(series, _joined_by_grain(found, compared, like, same), leader)


def _joined_by_grain(found: NearPairs, compared: Comparison, like: "_SameGrain", same: np.ndarray) -> np.ndarray:
    """The leaders after those pairs are joined that have the same grain, then those of which it tells nothing."""
    joined = PictureGroups(len(like.comparer), like)
    for some in (same & (compared.grain <= like.most), same & ~(compared.grain <= like.most)):
        leader = joined.of(found.pairs[some], like.of(compared)[some])
    return leader


def _in_series(leader: np.ndarray, details: np.ndarray) -> np.ndarray:
    """Which pictures are among many in their group that have the same size and compression, bool (n,)."""
    keys = [bytes(row) for row in np.stack([leader, *details["size"].T, details["error"].view(np.uint32)], axis=1)]
    counts = Counter(keys)
    return np.array([counts[key] >= _MIN_SERIES for key in keys], bool) & (details["size"][:, 0] > 0)


@dataclass(frozen=True, slots=True)
class _LikeLeader:
    """Whether pictures have nearly the coarse fingerprint of a leader, or its mirror image."""

    coarse: np.ndarray

    def __call__(self, pairs: np.ndarray) -> np.ndarray:
        leaders, others = self.coarse[pairs[:, 0]], self.coarse[pairs[:, 1]]
        alike = [np.einsum("ij,ij->i", one, others) for one in (leaders, mirrored(leaders))]
        return np.asarray(np.maximum(*alike) >= _MIN_LIKE_LEADER)


@dataclass(frozen=True, slots=True)
class _SameGrain:
    """Whether nothing says that pictures are other shots than a leader."""

    comparer: ShotComparer
    most: float

    def __call__(self, pairs: np.ndarray) -> np.ndarray:
        return self.of(self.comparer.compare(pairs))

    def of(self, compared: Comparison) -> np.ndarray:
        """The same of pairs that have been compared."""
        # A picture that was cropped or mirrored has another grain at the same place, and is a copy all the same.
        return np.asarray(~((compared.grain > self.most) & compared.looks_same))

"""Near copies: the same picture again after resizing, saving, brightening, a small crop or mirroring.

They are found in two steps. A coarse fingerprint, blurred and standardised, makes each pair of pictures one dot
product, which finds candidates. A candidate is then verified by `automl.images.resemblance`.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from automl.images.detail import DETAIL, details_from
from automl.images.fingerprint import FINGERPRINT_PX
from automl.images.resemblance import NearPairs, blurred, verified_pairs
from automl.images.same_shot import Comparison, ShotComparer
from automl.images.sequences import joined
from automl.images.still_camera import Shots, shots_of_scene

_COARSE_PX = FINGERPRINT_PX // 2
_BLANK_SPREAD = 4.0
"""Gray values. A picture with less is blank: standardising it would compare nothing but its noise."""

_BLANK_RMS = 1.0
"""Gray values. Blank pictures differ by noise alone, so they are copies only where nearly every value is the same."""

_MIN_COARSE = 0.92
_MIN_LIKE_LEADER = 0.9
_MAX_CANDIDATES = 12
"""The best so many of one picture. A series of copies still hangs together, and a set of look-alikes stays quick."""

_CROWD = 60
"""Where a picture is like more others, a camera has stood still. All of those hang together in any case, so each is
only compared with two of them, and its copies are found by `automl.images.still_camera`."""

_MIN_SHOTS = 30
"""So many pictures tell what they have in common from what each has for itself."""

_MAX_GRAIN = 1.08
"""As a multiple of what compression explains; copies of photographs that were saved again have at most 1.03."""

_MAX_GRAIN_IN_SERIES = 0.2
_MIN_SERIES = 8
_PRODUCTS_PER_BLOCK = 8_000_000
_FINGERPRINTS_PER_BLOCK = 2_000


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
    blocks = range(0, len(fingerprints), _FINGERPRINTS_PER_BLOCK)
    return np.concatenate(
        [fingerprints[at : at + _FINGERPRINTS_PER_BLOCK].std(axis=1, dtype=np.float32) for at in blocks]
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
    found = verified_pairs(fingerprints, _candidates(coarse)).best_first()
    near = _Joined(len(coarse), _LikeLeader(coarse)).of(found.pairs)
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
    shots = _Joined(len(coarse), lambda pairs: comparer.compare(pairs).looks_same)
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
    joined = _Joined(len(like.comparer), like)
    for some in (same & (compared.grain <= like.most), same & ~(compared.grain <= like.most)):
        leader = joined.of(found.pairs[some], like.of(compared)[some])
    return leader


def _in_series(leader: np.ndarray, details: np.ndarray) -> np.ndarray:
    """Which pictures are among many in their group that have the same size and compression, bool (n,)."""
    keys = [bytes(row) for row in np.stack([leader, *details["size"].T, details["error"].view(np.uint32)], axis=1)]
    counts = Counter(keys)
    return np.array([counts[key] >= _MIN_SERIES for key in keys], bool) & (details["size"][:, 0] > 0)


_IsLike = Callable[[np.ndarray], np.ndarray]
"""Given pairs, int (p, 2), of the leader of a group and a picture that would join it: which are alike, bool (p,)."""


class _Joined:
    """Groups of pictures that are joined pair by pair, unless one that joins is not like the leader.

    Joining one pair after the other would compare a few pictures at a time, which is slow where a camera has seen the
    same scene thousands of times. So all joins that do not depend on each other are made in one round.

    Args:
        n: Number of pictures.
        is_like: Decides who may join.
    """

    def __init__(self, n: int, is_like: _IsLike) -> None:
        self._leader = np.arange(n)
        self._size = np.ones(n, np.int64)
        self._is_like = is_like
        self._members: dict[int, list[int]] = {}
        self._known: dict[tuple[int, int], bool] = {}

    def of(self, pairs: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
        """The leader of each picture once these pairs are joined in their order, int (n,).

        known: bool (p,), whether the second picture of each pair is like the first; None to ask for each.
        """
        if known is not None:
            self._known |= dict(zip(map(tuple, pairs.tolist()), known.tolist(), strict=True))
        rest = pairs
        while len(rest):
            ends, rest = self._apart(rest)
            chosen = _independent(ends.tolist())
            joins = [(large, small) for _, large, small in chosen]
            for (large, small), may_join in zip(joins, self._may_join(joins), strict=True):
                if may_join:
                    self._join(large, small)
            rest = np.delete(rest, [place for place, _, _ in chosen], axis=0)
        return self._leader

    def _apart(self, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The leaders of the pairs that are not in one group yet, that of the larger group first, and these pairs."""
        ends = self._leader[pairs]
        is_apart = ends[:, 0] != ends[:, 1]
        ends = ends[is_apart]
        sizes = self._size[ends]
        return np.where((sizes[:, 0] < sizes[:, 1])[:, None], ends[:, ::-1], ends), pairs[is_apart]

    def _may_join(self, joins: Sequence[tuple[int, int]]) -> list[bool]:
        """Whether all members of each second group are like the leader of the first; none is compared twice."""
        needed = [(large, member) for large, small in joins for member in self._of(small)]
        unknown = [pair for pair in dict.fromkeys(needed) if pair not in self._known]
        if unknown:
            self._known.update(zip(unknown, self._is_like(np.array(unknown)).tolist(), strict=True))
        return [all(self._known[large, member] for member in self._of(small)) for large, small in joins]

    def _join(self, large: int, small: int) -> None:
        joining = self._members.pop(small, [small])
        self._members.setdefault(large, [large]).extend(joining)
        self._leader[joining] = large
        self._size[large] += len(joining)

    def _of(self, leader: int) -> list[int]:
        """The members of a group."""
        return self._members.get(leader, [leader])


def _independent(ends: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """The places of pairs of groups that can be joined at once, the first ones first, and the pairs.

    Many may join one group that grows, but none that grows may join another at the same time.
    """
    growing: set[int] = set()
    joining: set[int] = set()
    chosen = []
    for place, (large, small) in enumerate(ends):
        if large not in joining and small not in joining and small not in growing:
            growing.add(large)
            joining.add(small)
            chosen.append((place, large, small))
    return chosen


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


def coarse_fingerprints(fingerprints: np.ndarray) -> np.ndarray:
    """The coarse fingerprints, float32 (n, _COARSE_PX**2): blurred, with mean 0 and length 1."""
    coarse = np.empty((len(fingerprints), _COARSE_PX**2), np.float32)
    for start in range(0, len(fingerprints), _FINGERPRINTS_PER_BLOCK):
        block = fingerprints[start : start + _FINGERPRINTS_PER_BLOCK].reshape(-1, _COARSE_PX, 2, _COARSE_PX, 2)
        flat = blurred(block.mean(axis=(2, 4), dtype=np.float32)).reshape(len(block), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        coarse[start : start + len(block)] = flat / np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-6)
    return coarse


def mirrored(coarse: np.ndarray) -> np.ndarray:
    return coarse.reshape(-1, _COARSE_PX, _COARSE_PX)[:, :, ::-1].reshape(coarse.shape)


def _candidates(coarse: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Pairs that look alike, int (p, 2) with the smaller index first, and whether the first is to be mirrored."""
    n = len(coarse)
    n_rows = max(1, _PRODUCTS_PER_BLOCK // max(1, n))
    for start in range(0, n, n_rows):
        rows = coarse[start : start + n_rows]
        in_crowd = np.zeros(len(rows), bool)
        for mirror in (False, True):
            # Both have length 1, so the product is the correlation of the two pictures.
            alike = (mirrored(rows) if mirror else rows) @ coarse[start:].T
            alike[:, : len(rows)][np.tri(len(rows), dtype=bool)] = -1
            is_alike = alike >= _MIN_COARSE
            if not in_crowd.all():
                in_crowd |= np.count_nonzero(is_alike, axis=1) > _CROWD
            yield _best_pairs(alike, is_alike, in_crowd) + start, mirror


def _best_pairs(alike: np.ndarray, is_alike: np.ndarray, in_crowd: np.ndarray) -> np.ndarray:
    """The rows and columns, int (p, 2), of the best candidates of each row; of one in a crowd only two."""
    apart, crowded = np.flatnonzero(~in_crowd), np.flatnonzero(in_crowd)
    i, j = np.nonzero(is_alike[apart] if len(crowded) else is_alike)
    i = apart[i]
    best = _best_of_each(i, alike[i, j])
    pairs = [np.stack([i[best], j[best]], axis=1)]
    those = is_alike if len(crowded) == len(alike) else is_alike[crowded]
    last = those.shape[1] - 1 - those[:, ::-1].argmax(axis=1)
    for other in (alike.argmax(axis=1)[crowded], last):
        is_near = is_alike[crowded, other]
        pairs.append(np.stack([crowded[is_near], other[is_near]], axis=1))
    return np.concatenate(pairs)


def _best_of_each(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The positions of the _MAX_CANDIDATES largest values of each row."""
    order = np.lexsort((-values, rows))
    ordered = rows[order]
    rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered, side="left")
    return np.asarray(order[rank < _MAX_CANDIDATES])

"""Near copies: the same picture again after resizing, saving, brightening, a small crop or mirroring.

Two steps. A coarse look, blurred and standardised, makes every pair a dot product and finds candidates. A candidate is
then believed only if one picture can be computed from the other: b = gain * a + offset + a small shift and stretch
(one step of the method of Lucas and Kanade, "An iterative image registration technique", 1981). What that leaves
unexplained must be little, over all and in the fine detail alone: two portraits share their light, not their detail.
The limits were set on photographs of leaves and insects and their altered copies, of which less than 2 % are missed.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from automl.images.fingerprint import LOOK_PX

_COARSE_PX = LOOK_PX // 2
_BLANK_SPREAD = 4.0
_BLANK_RMS = 1.0
"""Gray values. Blank pictures differ by noise alone, so they are copies only where nearly every value is the same."""
_MIN_COARSE = 0.92
_MIN_EXPLAINED = 0.945
_MIN_DETAIL = 0.72
_DETAIL_NOISE = 1.5
"""Gray values. Less than this is what JPEG does to a smooth picture, not another detail."""
_MAX_SHIFT_PX, _MAX_STRETCH_PX = 0.8, 1.4
"""In pixels of a look, the stretch at its edges; crops of 2 % a side need half of it."""
_MIN_LIKE_LEADER = 0.9
_DARKEST, _LIGHTEST = 6, 249
_MIN_UNCLIPPED_SHARE = 0.25
_MAX_CANDIDATES = 12
"""Of one picture, the best. A series of copies still hangs together, and a set of look-alikes stays quick."""
_PRODUCTS_PER_BLOCK = 8_000_000
_PAIRS_PER_BLOCK = 400
_LOOKS_PER_BLOCK = 2_000

_OFFSET = np.linspace(-1, 1, LOOK_PX, dtype=np.float32)


def near_ids(looks: Mapping[int, bytes]) -> dict[int, int]:
    """For each id the first one of its near copies, its own if alone. looks: of each id, in the order that counts."""
    if not looks:
        return {}
    ids = list(looks)
    firsts = near_copies(np.frombuffer(b"".join(looks.values()), np.uint8).reshape(len(ids), -1))
    return {number: ids[first] for number, first in zip(ids, firsts.tolist(), strict=True)}


def near_copies(looks: np.ndarray) -> np.ndarray:
    """Groups pictures that are near copies of each other.

    `looks`: uint8 (n, LOOK_PX**2), as `Traits.look` has them. Returns int64 (n,): for each the smallest index of its
    group, its own if it is alone. A group cannot grow from one resemblance to the next without end: each member must
    still look like the group's leader, a member of its largest part. Needs about 3 kB a picture and 50 MB beside it.
    """
    if looks.ndim != 2 or looks.shape[1] != LOOK_PX**2 or looks.dtype != np.uint8:
        raise ValueError(f"looks must be uint8 (n, {LOOK_PX**2}), not {looks.dtype} {looks.shape}")
    if len(looks) == 0:
        return np.zeros(0, np.int64)
    first, which = _different(looks)
    is_blank = _spreads(looks)[first] < _BLANK_SPREAD
    leader = first.copy()
    blank, lively = first[is_blank], first[~is_blank]
    leader[is_blank] = blank[_blank_groups(looks[blank])]
    leader[~is_blank] = lively[_lively_groups(looks[lively])]
    smallest = np.full(len(looks), len(looks), np.int64)
    np.minimum.at(smallest, leader, first)
    return np.asarray(smallest[leader][which])


def _different(looks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each different look appears first, int (m,), and which of those each one is, int (n,)."""
    seen: dict[bytes, int] = {}
    digests = (hashlib.blake2b(look.tobytes(), digest_size=16).digest() for look in looks)
    which = np.array([seen.setdefault(digest, len(seen)) for digest in digests])
    return np.unique(which, return_index=True)[1], which


def _spreads(looks: np.ndarray) -> np.ndarray:
    """float32 (n,): the standard deviation of each."""
    blocks = range(0, len(looks), _LOOKS_PER_BLOCK)
    return np.concatenate([looks[at : at + _LOOKS_PER_BLOCK].std(axis=1, dtype=np.float32) for at in blocks])


def _blank_groups(looks: np.ndarray) -> np.ndarray:
    """int (n,): the index of a blank picture that each is nearly equal to, its own if there is none."""
    group = np.full(len(looks), -1)
    means = looks.mean(axis=1, dtype=np.float32)
    order = np.argsort(means, kind="stable")
    values = looks[order].astype(np.float32)
    ordered = means[order]
    # Pictures whose means differ by more than the limit differ by more than it altogether.
    ends = np.searchsorted(ordered, ordered + _BLANK_RMS, side="right")
    for i, leader in enumerate(order):
        if group[leader] < 0:
            members = np.arange(i, ends[i])
            members = members[group[order[members]] < 0]
            rms = np.sqrt(np.square(values[members] - values[i]).mean(axis=1))
            group[order[members[rms <= _BLANK_RMS]]] = leader
    return group


def _lively_groups(looks: np.ndarray) -> np.ndarray:
    """int (n,): the leader of each one's group."""
    coarse = _coarse(looks)
    groups = _Groups(coarse)
    pairs, scores = _true_copies(looks, _candidates(coarse))
    for pair in pairs[np.argsort(-scores, kind="stable")]:
        groups.join(int(pair[0]), int(pair[1]))
    return groups.leader


class _Groups:
    """Pictures joined pair by pair. `leader`: int (n,), of each one's group."""

    def __init__(self, coarse: np.ndarray) -> None:
        self.leader = np.arange(len(coarse))
        self._coarse = coarse
        self._members: dict[int, list[int]] = {}

    def join(self, a: int, b: int) -> None:
        """Joins their groups, unless a picture of the smaller one does not look like the leader of the larger."""
        large, small = int(self.leader[a]), int(self.leader[b])
        if large == small:
            return
        if len(self._of(large)) < len(self._of(small)):
            large, small = small, large
        joining = self._of(small)
        model = self._coarse[large]
        alike = np.maximum(self._coarse[joining] @ model, self._coarse[joining] @ _mirrored(model[None])[0])
        if alike.min() < _MIN_LIKE_LEADER:
            return
        self._members[large] = self._of(large) + joining
        self._members.pop(small, None)
        self.leader[joining] = large

    def _of(self, leader: int) -> list[int]:
        return self._members.get(leader, [leader])


def _coarse(looks: np.ndarray) -> np.ndarray:
    """float32 (n, _COARSE_PX**2), each blurred, with mean 0 and length 1."""
    coarse = np.empty((len(looks), _COARSE_PX**2), np.float32)
    for start in range(0, len(looks), _LOOKS_PER_BLOCK):
        block = looks[start : start + _LOOKS_PER_BLOCK].reshape(-1, _COARSE_PX, 2, _COARSE_PX, 2)
        flat = _blurred(block.mean(axis=(2, 4), dtype=np.float32)).reshape(len(block), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        coarse[start : start + len(block)] = flat / np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-6)
    return coarse


def _mirrored(coarse: np.ndarray) -> np.ndarray:
    return coarse.reshape(-1, _COARSE_PX, _COARSE_PX)[:, :, ::-1].reshape(coarse.shape)


def _candidates(coarse: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Pairs that look alike, int (p, 2) with the smaller index first, and whether the first one is to be mirrored."""
    n = len(coarse)
    n_rows = max(1, _PRODUCTS_PER_BLOCK // max(1, n))
    for start in range(0, n, n_rows):
        rows = coarse[start : start + n_rows]
        for mirror in (False, True):
            alike = (_mirrored(rows) if mirror else rows) @ coarse[start:].T
            i, j = np.nonzero(alike >= _MIN_COARSE)
            later = j > i
            i, j = i[later], j[later]
            best = _best_of_each(i, alike[i, j])
            yield np.stack([i[best], j[best]], axis=1) + start, mirror


def _best_of_each(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Where the _MAX_CANDIDATES largest values of each row are."""
    order = np.lexsort((-values, rows))
    ordered = rows[order]
    rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered, side="left")
    return np.asarray(order[rank < _MAX_CANDIDATES])


def _true_copies(looks: np.ndarray, candidates: Iterable[tuple[np.ndarray, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """The pairs among `candidates` that are copies, int (p, 2), and how well, float (p,)."""
    pairs, scores = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.float32)]
    pictures = looks.reshape(-1, LOOK_PX, LOOK_PX)
    for found, mirror in candidates:
        for start in range(0, len(found), _PAIRS_PER_BLOCK):
            some = found[start : start + _PAIRS_PER_BLOCK]
            first = pictures[some[:, 0]]
            score = _resemblance(first[:, :, ::-1] if mirror else first, pictures[some[:, 1]])
            pairs.append(some[score > 0])
            scores.append(score[score > 0])
    return np.concatenate(pairs), np.concatenate(scores)


def _resemblance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """float (p,): the share of `b` that `a` explains, 0 where they are not copies; of uint8 (p, LOOK_PX, LOOK_PX)."""
    weight = _unclipped(a) & _unclipped(b)
    # Where most is pure black or white, that is what the pictures have in common, and it counts.
    weight |= weight.mean(axis=(1, 2), keepdims=True) < _MIN_UNCLIPPED_SHARE
    weights = weight.reshape(len(a), -1).astype(np.float32)
    first, (second, gray_values) = _standardised(_blurred(a))[0], _standardised(_blurred(b))
    terms = _terms(first, second)
    target = second.reshape(len(b), -1)
    weighted = terms * weights[:, None, :]
    normal = weighted @ terms.swapaxes(1, 2) + 1e-3 * np.eye(terms.shape[1], dtype=np.float32)
    factors = np.linalg.solve(normal, weighted @ target[:, :, None])
    rest = target - (factors.swapaxes(1, 2) @ terms)[:, 0]

    mean = (weights * target).sum(axis=1) / weights.sum(axis=1)
    explained = 1 - _energy(rest, weights) / _energy(target - mean[:, None], weights).clip(1e-6)
    moved = np.abs(factors[:, 2:, 0])
    is_small = (moved[:, :2] <= _MAX_SHIFT_PX).all(axis=1) & (moved[:, 2:] <= _MAX_STRETCH_PX).all(axis=1)
    score = np.where((explained >= _MIN_EXPLAINED) & is_small, explained, 0)
    likely = np.flatnonzero(score)
    score[likely] *= _same_detail(rest[likely], target[likely], weights[likely], gray_values[likely])
    return score


def _same_detail(rest: np.ndarray, target: np.ndarray, weights: np.ndarray, gray_values: np.ndarray) -> np.ndarray:
    """bool (p,): little of the fine detail is left in `rest`. `gray_values`: what 1 stands for."""
    unexplained = _energy(_detail(rest), weights)
    noise = np.square(_DETAIL_NOISE / gray_values.reshape(-1))
    return np.asarray(unexplained <= np.maximum((1 - _MIN_DETAIL) * _energy(_detail(target), weights), noise))


def _terms(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """float32 (p, 6, LOOK_PX**2): what `b` is made of. The mean slope of both makes the step exact to second order."""
    down, right = np.gradient((a + b) / 2, axis=(1, 2))
    terms = (a, np.ones_like(a), right, down, right * _OFFSET[None, None, :], down * _OFFSET[None, :, None])
    return np.stack(terms, axis=1).reshape(len(a), len(terms), -1).astype(np.float32)


def _unclipped(pictures: np.ndarray) -> np.ndarray:
    """Brightening cuts off what was light, so there one says nothing of the other."""
    return np.asarray((pictures > _DARKEST) & (pictures < _LIGHTEST))


def _standardised(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """With mean 0 and spread 1; and the spread before."""
    spread = pictures.std(axis=(1, 2), keepdims=True).clip(1e-3)
    return (pictures - pictures.mean(axis=(1, 2), keepdims=True)) / spread, spread


def _energy(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray((weights * np.square(values)).sum(axis=1) / weights.sum(axis=1))


def _detail(flat: np.ndarray) -> np.ndarray:
    """What three times blurring takes away; (p, LOOK_PX**2)."""
    pictures = flat.reshape(-1, LOOK_PX, LOOK_PX)
    return np.asarray((pictures - _blurred(_blurred(_blurred(pictures)))).reshape(flat.shape))


def _blurred(pictures: np.ndarray) -> np.ndarray:
    """float32 (n, height, width), each value mixed with its neighbours."""
    padded = np.pad(pictures.astype(np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    return np.asarray((rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 4)

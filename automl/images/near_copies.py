"""Near copies: the same picture again after resizing, saving, brightening, a small crop or mirroring.

They are found in two steps. A coarse fingerprint, blurred and standardised, makes each pair of pictures one dot
product, which finds candidates. A candidate is then verified by `automl.images.resemblance`.
"""

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np

from automl.images.fingerprint import FINGERPRINT_PX
from automl.images.resemblance import blurred, verified_pairs

_COARSE_PX = FINGERPRINT_PX // 2
_BLANK_SPREAD = 4.0
"""Gray values. A picture with less is blank: standardising it would compare nothing but its noise."""

_BLANK_RMS = 1.0
"""Gray values. Blank pictures differ by noise alone, so they are copies only where nearly every value is the same."""

_MIN_COARSE = 0.92
_MIN_LIKE_LEADER = 0.9
_MAX_CANDIDATES = 12
"""The best so many of one picture. A series of copies still hangs together, and a set of look-alikes stays quick."""

_PRODUCTS_PER_BLOCK = 8_000_000
_FINGERPRINTS_PER_BLOCK = 2_000


def near_ids(fingerprints: Mapping[int, bytes]) -> dict[int, int]:
    """For each id the first one among its near copies, its own if it has none.

    Args:
        fingerprints: As `Traits.fingerprint` has them, by id, in the order that decides which one is first.
    """
    if not fingerprints:
        return {}
    ids = list(fingerprints)
    firsts = near_copies(np.frombuffer(b"".join(fingerprints.values()), np.uint8).reshape(len(ids), -1))
    return {number: ids[first] for number, first in zip(ids, firsts.tolist(), strict=True)}


def near_copies(fingerprints: np.ndarray) -> np.ndarray:
    """Groups pictures that are near copies of each other.

    A group cannot grow from one resemblance to the next without end: each member must still look like the leader of the
    group, which is a member of its largest part. Needs about 3 kB of memory for each picture, and 50 MB beside that.

    Args:
        fingerprints: uint8 (n, FINGERPRINT_PX**2), as `Traits.fingerprint` has them.

    Returns:
        int64 (n,): for each picture the smallest index in its group, its own if it is alone.
    """
    if fingerprints.ndim != 2 or fingerprints.shape[1] != FINGERPRINT_PX**2 or fingerprints.dtype != np.uint8:
        given = f"{fingerprints.dtype} {fingerprints.shape}"
        raise ValueError(f"fingerprints must be uint8 (n, {FINGERPRINT_PX**2}), not {given}")
    if len(fingerprints) == 0:
        return np.zeros(0, np.int64)
    # Exact copies are grouped by their digests, so that only different fingerprints need comparing.
    first, which = _different(fingerprints)
    is_blank = _spreads(fingerprints)[first] < _BLANK_SPREAD
    leader = first.copy()
    blank, lively = first[is_blank], first[~is_blank]
    leader[is_blank] = blank[_blank_groups(fingerprints[blank])]
    leader[~is_blank] = lively[_lively_groups(fingerprints[lively])]
    # So far a group has the name of its leader, which may be any member: now it gets that of its first one.
    smallest = np.full(len(fingerprints), len(fingerprints), np.int64)
    np.minimum.at(smallest, leader, first)
    return np.asarray(smallest[leader][which])


def _different(fingerprints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each different fingerprint appears first, int (m,), and the number among those of each one, int (n,)."""
    seen: dict[bytes, int] = {}
    digests = (hashlib.blake2b(fingerprint.tobytes(), digest_size=16).digest() for fingerprint in fingerprints)
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


def _lively_groups(fingerprints: np.ndarray) -> np.ndarray:
    """For each picture that is not blank the leader of its group, int (n,)."""
    coarse = _coarse(fingerprints)
    groups = _CopyGroups(coarse)
    pairs, scores = verified_pairs(fingerprints, _candidates(coarse))
    # Best first: a weak pair then meets groups that have found their leaders, and cannot join two of them.
    for pair in pairs[np.argsort(-scores, kind="stable")]:
        groups.join(int(pair[0]), int(pair[1]))
    return groups.leader


class _CopyGroups:
    """Groups of pictures that are joined pair by pair.

    Attributes:
        leader: The leader of each picture's group, int (n,).
    """

    def __init__(self, coarse: np.ndarray) -> None:
        self.leader = np.arange(len(coarse))
        self._coarse = coarse
        self._members: dict[int, list[int]] = {}

    def join(self, a: int, b: int) -> None:
        """Joins the groups of two pictures, unless one in the smaller group does not look like the larger's leader."""
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
        """The members of a group."""
        return self._members.get(leader, [leader])


def _coarse(fingerprints: np.ndarray) -> np.ndarray:
    """The coarse fingerprints, float32 (n, _COARSE_PX**2): blurred, with mean 0 and length 1."""
    coarse = np.empty((len(fingerprints), _COARSE_PX**2), np.float32)
    for start in range(0, len(fingerprints), _FINGERPRINTS_PER_BLOCK):
        block = fingerprints[start : start + _FINGERPRINTS_PER_BLOCK].reshape(-1, _COARSE_PX, 2, _COARSE_PX, 2)
        flat = blurred(block.mean(axis=(2, 4), dtype=np.float32)).reshape(len(block), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        coarse[start : start + len(block)] = flat / np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-6)
    return coarse


def _mirrored(coarse: np.ndarray) -> np.ndarray:
    return coarse.reshape(-1, _COARSE_PX, _COARSE_PX)[:, :, ::-1].reshape(coarse.shape)


def _candidates(coarse: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Pairs that look alike, int (p, 2) with the smaller index first, and whether the first is to be mirrored."""
    n = len(coarse)
    n_rows = max(1, _PRODUCTS_PER_BLOCK // max(1, n))
    for start in range(0, n, n_rows):
        rows = coarse[start : start + n_rows]
        for mirror in (False, True):
            # Both have length 1, so the product is the correlation of the two pictures.
            alike = (_mirrored(rows) if mirror else rows) @ coarse[start:].T
            i, j = np.nonzero(alike >= _MIN_COARSE)
            later = j > i
            i, j = i[later], j[later]
            best = _best_of_each(i, alike[i, j])
            yield np.stack([i[best], j[best]], axis=1) + start, mirror


def _best_of_each(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The positions of the _MAX_CANDIDATES largest values of each row."""
    order = np.lexsort((-values, rows))
    ordered = rows[order]
    rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered, side="left")
    return np.asarray(order[rank < _MAX_CANDIDATES])

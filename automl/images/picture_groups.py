"""Groups of pictures that belong together, made of pairs without letting them grow from one thing to another."""

from collections.abc import Callable, Sequence

import numpy as np

IsLike = Callable[[np.ndarray], np.ndarray]
"""Given pairs, int (p, 2), of the leader of a group and a picture that would join it: which are alike, bool (p,)."""


class PictureGroups:
    """Groups of pictures that are joined pair by pair, unless one that joins is not like the leader.

    Joining one pair after the other would compare a few pictures at a time, which is slow where a camera has seen the
    same scene thousands of times. So all joins that do not depend on each other are made in one round.

    Args:
        n: Number of pictures.
        is_like: Decides who may join.
    """

    def __init__(self, n: int, is_like: IsLike) -> None:
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

"""Photos that look like parts of each other: crops and zooms, which small gray copies do not reveal.

Measured on 500 training photos of beans and hymenoptera with MobileNetV2's last layer at 224 px: different photos are
at most 0.66 alike; `bench/look_alikes.py` prints how many crops are found.
"""

from collections.abc import Sequence

import numpy as np

from automl.evaluation.nearest import directions, moments

MIN_LIKENESS = 0.7
MAX_PHOTOS = 5_000
"""For more, comparing each with each would take longer than people wait for a result."""

MAX_PAIRS = 60
_ROWS = 512


def look_alikes(features: np.ndarray, groups: Sequence[str]) -> list[tuple[int, int, float]]:
    """Pairs of rows with their likeness, the most alike first, at most `MAX_PAIRS`; each row in one pair at most.

    Args:
        features: float (n, n_features), of n <= MAX_PHOTOS photos, pooled and raw.
        groups: of each photo; near copies that are known already share a group, and are passed over.

    Raises:
        ValueError: there are more photos than MAX_PHOTOS.
    """
    n = len(features)
    if n > MAX_PHOTOS:
        raise ValueError(f"{n} photos are more than {MAX_PHOTOS}.")
    if n == 0:
        return []
    views = directions(features, moments(features))
    group = np.unique(np.asarray(groups), return_inverse=True)[1]
    pairs: list[tuple[float, int, int]] = []
    for start in range(0, n, _ROWS):
        likeness = views[start : start + _ROWS] @ views.T
        rows, others = np.nonzero(likeness >= MIN_LIKENESS)
        keep = (others > rows + start) & (group[others] != group[rows + start])
        pairs += [
            (float(likeness[a, b]), int(a) + start, int(b)) for a, b in zip(rows[keep], others[keep], strict=True)
        ]
    return _disjoint(sorted(pairs, key=lambda pair: (-pair[0], pair[1:])))


def _disjoint(pairs: Sequence[tuple[float, int, int]]) -> list[tuple[int, int, float]]:
    """The first pairs, without those of which a row is in an earlier pair already."""
    taken: set[int] = set()
    chosen: list[tuple[int, int, float]] = []
    for likeness, one, other in pairs:
        if len(chosen) < MAX_PAIRS and not {one, other} & taken:
            taken |= {one, other}
            chosen.append((one, other, likeness))
    return chosen

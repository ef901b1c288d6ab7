"""Two runs on the same photos: by how much one is ahead, and how sure that is."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.views.test_photos import AnsweredPhoto

_Z_95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """How much more often the first of two runs is right on the photos that both have been asked.

    Attributes:
        n: Number of these photos.
        n_first: How many of them the first run has right.
        n_second: How many of them the second run has right.
        low: Lower end of the 95 % interval of the difference, -1 to 1.
        high: Its upper end.
    """

    n: int
    n_first: int
    n_second: int
    low: float
    high: float

    @property
    def lead(self) -> float:
        """-1 to 1; above 0 where the first run is ahead."""
        return (self.n_first - self.n_second) / self.n


def paired_difference(
    first: Mapping[str, AnsweredPhoto], second: Mapping[str, AnsweredPhoto], common: Sequence[str]
) -> PairedDifference | None:
    """The difference of two shares of the same photos; None where there is no common photo.

    The interval is that of Agresti and Min ("Simple improved confidence intervals for comparing matched proportions",
    2005), which also has the right width where few photos differ. Where photos belong together, the spread between
    their groups takes the place of that between photos, with the quantile of Student's t for as many groups.

    Args:
        first: The answers of the first run, by the SHA-256 of the photo.
        second: Those of the second run.
        common: The photos that both have been asked.
    """
    if not common:
        return None
    leads: defaultdict[str, int] = defaultdict(int)
    sizes: defaultdict[str, int] = defaultdict(int)
    for digest in common:
        leads[first[digest].together] += first[digest].is_right - second[digest].is_right
        sizes[first[digest].together] += 1
    n, n_groups, total = len(common), len(sizes), sum(leads.values())
    spread = sum((leads[group] - total / n * size) ** 2 for group, size in sizes.items())
    is_by_group = n_groups < n
    # One photo more that only one run has right, half of it for each, and one on which they agree.
    deviation = math.sqrt(spread * (n_groups / max(1, n_groups - 1) if is_by_group else 1) + 1) / (n + 2)
    half = deviation * (_t_95(n_groups - 1) if is_by_group else _Z_95)
    centre = total / (n + 2)
    return PairedDifference(
        n=n,
        n_first=sum(first[digest].is_right for digest in common),
        n_second=sum(second[digest].is_right for digest in common),
        low=max(-1.0, centre - half),
        high=min(1.0, centre + half),
    )


def _t_95(n_free: int) -> float:
    """The 97.5 % quantile of Student's t by its expansion around the normal one, within 1 % from 3 degrees on.

    The web process does without SciPy.
    """
    z, n = _Z_95, float(max(1, n_free))
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / n**power for power, term in enumerate(terms, start=1))

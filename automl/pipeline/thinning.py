"""Thins the photos out where there is no time to read all of them."""

import math
from collections import defaultdict
from dataclasses import replace

from automl.records import DatasetManifest, SplitPlan

_SHARE_FOR_FIRST_BLOCK = 0.5
_FEWEST_OF_A_CLASS = 10
_MOST_STEPS = 20  # a thousandth of the photos, even where checking them has used all of the time


def affordable_share(seconds: float, left_s: float) -> float:
    """The share of the photos for which half of the time is enough.

    It falls in coarse steps (1, 0.71, 0.5, 0.35, ...), so that runs of about the same length share their features.

    Args:
        seconds: what reading all photos and computing the first features of them takes.
        left_s: seconds of the budget that are left.
    """
    n_steps = 0
    while seconds * 2 ** (-n_steps / 2) > _SHARE_FOR_FIRST_BLOCK * left_s and n_steps < _MOST_STEPS:
        n_steps += 1
    return float(2 ** (-n_steps / 2))


def thinned(manifest: DatasetManifest, plan: SplitPlan, share: float) -> SplitPlan:
    """A plan with about `share` of the pool, evenly spaced in every class and fold.

    Of each class at least 10 photos stay, if it has so many. All copies of a picture stay or go together. One repeat of
    the cross-validation is left, because there is no time for more.
    """
    pictures: defaultdict[tuple[str, int], dict[str, list[int]]] = defaultdict(dict)
    n_of_class: defaultdict[str, int] = defaultdict(int)
    for position, index in enumerate(plan.pool):
        image, fold = manifest.images[index], plan.folds[position][0]
        pictures[image.label, fold].setdefault(image.sha256, []).append(position)
        n_of_class[image.label] += 1
    kept = []
    for (label, _), copies in pictures.items():
        least = min(1.0, _FEWEST_OF_A_CLASS / n_of_class[label])
        groups, n = list(copies.values()), math.ceil(max(share, least) * len(copies))
        kept += [position for i in range(n) for position in groups[i * len(groups) // n]]
    kept.sort()
    return replace(
        plan,
        pool=tuple(plan.pool[position] for position in kept),
        folds=tuple(plan.folds[position][:1] for position in kept),
    )

"""Which groups of photos are held out: a share of each class, and never all of it."""

import math
from collections.abc import Sequence

from automl.datasets.split_groups import Group, by_class
from automl.datasets.steady_sides import SteadySides

TEST_SHARE_OF_CLIPS = 0.25
MAX_TEST_IMAGES = 10_000
_NOTHING_KNOWN = SteadySides()


def dealable(groups: Sequence[Group]) -> list[Group]:
    """The groups that may be held out: for each of their classes there are others to learn from."""
    certain = [group for group in groups if not group.is_in_doubt]
    single = {label for label, of_class in by_class(certain).items() if len(of_class) < 2}
    return [group for group in certain if group.labels.isdisjoint(single)]


def held_out(
    groups: Sequence[Group], share: float, n_images: int, *, steady: SteadySides = _NOTHING_KNOWN
) -> set[Group]:
    """About `share` of the photos of each class, at least one picture or clip and never all.

    What earlier runs have tested is among them, and what they have learned from is not; of what is new about the same
    share at most joins the test, however much it lacks, so that there is something to learn from what is new.
    """
    candidates = dealable(groups)
    left = {label: _Room(of_class, share, n_images, steady) for label, of_class in by_class(candidates).items()}
    chosen = set(steady.test)
    candidates = [group for group in candidates if steady.is_new(group)]
    for group in candidates:
        if all(left[label].has_room_for(group) for label in group.labels):
            chosen.add(group)
            for label in group.labels:
                left[label].take(group)
    for label in sorted(left):
        if left[label].n_taken == 0:
            new = [group for group in left[label].groups if steady.is_new(group)]
            spare = [group for group in new if all(left[one].can_spare_one for one in group.labels)]
            # Groups of several classes may have taken all that a class can spare.
            for group in sorted(spare, key=lambda group: len(group.images))[:1]:
                chosen.add(group)
                for one in group.labels:
                    left[one].take(group)
    return chosen


class _Room:
    """How much of a class may still be held out.

    Clips are counted: with a seventh of six clips, the test would be a single one. Otherwise photos are counted, and
    pictures, so that a burst does not take the place of many.

    Attributes:
        groups: Those with photos of the class.
        n_taken: Groups that are held out.
    """

    def __init__(self, groups: Sequence[Group], share: float, n_images: int, steady: SteadySides) -> None:
        self.groups, self.n_taken = groups, 0
        sizes = [len(group.images) for group in groups]
        n_in_clips = sum(len(group.images) for group in groups if group.is_clip)
        has_clips = 2 * n_in_clips > sum(sizes)
        share = min(TEST_SHARE_OF_CLIPS if has_clips else share, MAX_TEST_IMAGES / max(1, n_images))
        self._most_groups = max(1, round(share * len(groups)))
        self._n_photos = round((2 * share if has_clips else share) * sum(sizes))
        for group in groups:
            if group in steady.test:
                self.take(group)
        if self.n_taken:
            n_new = sum(map(steady.is_new, groups))
            self._most_groups = min(self._most_groups, self.n_taken + math.ceil(share * n_new))

    @property
    def can_spare_one(self) -> bool:
        return self.n_taken + 1 < len(self.groups)

    def has_room_for(self, group: Group) -> bool:
        return self.n_taken < self._most_groups and len(group.images) <= self._n_photos

    def take(self, group: Group) -> None:
        self.n_taken += 1
        self._n_photos -= len(group.images)

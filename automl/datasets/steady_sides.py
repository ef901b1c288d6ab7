"""Photos stay on the side of the split where earlier runs have had them.

Photos that no run has used yet are new. A group with a photo of the test belongs to the test: its new photos follow,
and its photos that were learned from until now are left out, since moving them would make the test another one, and
learning from them would make its score too good. Photos of a class are dealt out anew where nothing else is honest.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from automl.datasets.split_groups import Group, by_class
from automl.records import DatasetManifest, RememberedSides
from automl.text.natural_order import in_natural_order

MOST_LEFT_OUT = 0.2
"""Of the photos of a class, since they belong together with photos of the test. Where it would be more, as after
photos were said to be clips, the class is dealt out anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadySides:
    """What earlier runs decide about a split with a test.

    Attributes:
        test: The groups that belong to the test.
        learned: The groups that are learned from.
        left_out: Photos that are not used: those that were learned from and belong to photos of the test, and groups of
            the test in which two labels contradict each other.
        dealt_again: Classes whose photos are dealt out anew.
    """

    test: frozenset[Group] = frozenset()
    learned: frozenset[Group] = frozenset()
    left_out: frozenset[int] = frozenset()
    dealt_again: tuple[str, ...] = ()

    def is_new(self, group: Group) -> bool:
        """Whether no run has used it."""
        return group not in self.test and group not in self.learned


def steady_sides(manifest: DatasetManifest, groups: Sequence[Group], remembered: RememberedSides | None) -> SteadySides:
    """The sides of those groups of which runs have used photos.

    The classes are dealt out anew that would have nothing left to learn from, no photo in the test, or more than
    `MOST_LEFT_OUT` of their photos left out.
    """
    if remembered is None or not remembered.test:
        return SteadySides()
    again: set[str] = set()
    while True:
        sides = _sides(manifest, groups, remembered, again=again)
        more = _to_be_dealt_again(manifest, groups, sides) - again
        if not more:
            return sides
        again |= more


def _sides(
    manifest: DatasetManifest, groups: Sequence[Group], remembered: RememberedSides, *, again: set[str]
) -> SteadySides:
    test, learned, left_out = set(), set(), set()
    for group in groups:
        if not group.labels.isdisjoint(again):
            continue
        contents = {i: manifest.images[i].sha256 for i in group.images}
        taught = {i for i, sha256 in contents.items() if sha256 in remembered.taught}
        if remembered.tested.isdisjoint(contents.values()):
            learned |= {group} if taught else set()
        elif group.is_in_doubt:
            left_out |= set(group.images)
        else:
            test.add(group)
            left_out |= taught
    return SteadySides(
        test=frozenset(test),
        learned=frozenset(learned),
        left_out=frozenset(left_out),
        dealt_again=tuple(in_natural_order(again)),
    )


def _to_be_dealt_again(manifest: DatasetManifest, groups: Sequence[Group], sides: SteadySides) -> set[str]:
    """The classes that cannot stay as they are."""
    n_groups, n_tested, n_learned = Counter[str](), Counter[str](), Counter[str]()
    n_images, n_left_out, n_learnable = Counter[str](), Counter[str](), Counter[str]()
    for group in groups:
        is_tested, labels = group in sides.test, [manifest.images[i].label for i in group.images]
        lost = [manifest.images[i].label for i in group.images if i in sides.left_out]
        n_images.update(labels)
        n_left_out.update(lost if is_tested else ())
        n_learnable.update(labels if not is_tested and not lost else ())
        if not group.is_in_doubt:
            n_groups.update(group.labels)
            n_tested.update(group.labels if is_tested else ())
            n_learned.update(group.labels if group in sides.learned else ())
    has_nothing_to_learn = {label for label in n_images if not n_learnable[label]}
    may_be_dealt = {label for label, n in n_groups.items() if n > 1}
    return has_nothing_to_learn | {
        label
        for label in may_be_dealt
        if n_tested[label] == n_groups[label]
        or (n_learned[label] and not n_tested[label])
        or n_left_out[label] > MOST_LEFT_OUT * n_images[label]
    }


def steady_folds(
    manifest: DatasetManifest, groups: Sequence[Group], remembered: RememberedSides | None, *, n_folds: int
) -> list[dict[Group, int]]:
    """For each repeat that is remembered, the folds of those groups of which runs have used photos.

    A group whose photos come from several folds goes where most of them were. What was dealt into more folds than there
    are now stays together: two folds become one.
    """
    known = remembered.folds if remembered is not None else {}
    of_repeats: list[dict[Group, int]] = []
    for group in groups:
        folds = [known[sha256] for i in group.images if (sha256 := manifest.images[i].sha256) in known]
        for repeat, of_repeat in enumerate(zip(*folds, strict=False)):
            if repeat == len(of_repeats):
                of_repeats.append({})
            counts = Counter(fold % n_folds for fold in of_repeat)
            of_repeats[repeat][group] = min(counts, key=lambda fold: (-counts[fold], fold))
    return [_balanced(groups, of_repeat, n_folds=n_folds) for of_repeat in of_repeats]


def _balanced(groups: Sequence[Group], fold_of: Mapping[Group, int], *, n_folds: int) -> dict[Group, int]:
    """Without as many groups as must be dealt out anew, so that no fold stays empty and none gets all of a class."""
    kept = dict(fold_of)
    for _, of_class in sorted(by_class(groups).items()):
        if len(of_class) > 1 and len({kept.get(group, -1) for group in of_class}) == 1:
            kept.pop(max(of_class, key=_by_key), None)
    while kept and len(groups) - len(kept) < n_folds - len(set(kept.values())):
        n_in_fold = Counter(kept.values())
        fullest = max(n_in_fold, key=lambda fold: (n_in_fold[fold], -fold))
        kept.pop(max((group for group, fold in kept.items() if fold == fullest), key=_by_key))
    return kept


def _by_key(group: Group) -> str:
    return group.key

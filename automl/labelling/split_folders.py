"""Which of the folders beside each other are parts of the split, and which are classes with such a name.

A single name decides nothing: `train` is a part beside `test`, and a class beside `bus` and `car`. So the names are
judged together, and by what is in the folders.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from automl.labelling.neutral_names import Telling, telling
from automl.labelling.spellings import spelling_key
from automl.labelling.split_words import EVALUATION_WORDS, SplitName, split_name, words_of
from automl.records import Split

UNLABELLED_WORDS = words_of(
    "unlabeled unlabelled unlabel unknown pred preds predict prediction predictions inference submission"
)
"""Words for photos whose classes are to be found out."""

_SHARED_AT_LEAST = 0.5
"""Two folders hold the same classes where they share so much of what the smaller one holds."""

_NEARLY_ALL = 0.75
"""A folder that is named for a part, and holds more than this share of the photos, is no class among others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """A folder beside others.

    Attributes:
        name: Its name.
        inside: The names of the folders directly inside of it, in one spelling; without those that only say that
            there are photos in them.
        n_photos: The photos in it, however deep.
    """

    name: str
    inside: frozenset[str]
    n_photos: int

    @classmethod
    def of(cls, name: str, folders_inside: Iterable[str], n_photos: int) -> "Sibling":
        real = (folder for folder in folders_inside if telling(folder) is not Telling.NOTHING)
        return cls(name=name, inside=frozenset(map(spelling_key, real)), n_photos=n_photos)

    def shares_classes_with(self, names: frozenset[str]) -> bool:
        n_common = len(self.inside & names)
        return n_common > 0 and n_common >= _SHARED_AT_LEAST * min(len(self.inside), len(names))


def parts_among(siblings: Iterable[Sibling]) -> Mapping[str, Split]:
    """The folders that are parts of the split; empty where those that are named so are classes."""
    everything = list(siblings)
    named = {one.name: found for one in everything if (found := split_name(one.name))}
    if not named:
        return {}
    fitting = _fitting(everything, named)
    others = [one for one in everything if one.name not in fitting]
    candidates = [one for one in everything if one.name in fitting]
    if not (_fit_together(candidates, others) if len(_splits(named, fitting)) > 1 else bool(fitting)):
        return {}
    return _with_evaluation({name: named[name] for name in fitting})


def _fitting(siblings: list[Sibling], named: Mapping[str, SplitName]) -> frozenset[str]:
    """The names that may be parts of one split: they share their other words, or their folders share classes."""
    families: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for name, found in named.items():
        families[found.rest].add(name)
    of_families = {name for family in families.values() if len(_splits(named, family)) > 1 for name in family}
    some = [one for one in siblings if one.name in named]
    inside = {split: _inside_other_parts(split, some, named) for split in Split}
    of_contents = {one.name for one in some if one.shares_classes_with(inside[named[one.name].split])}
    several = of_families | of_contents
    # What fits has its unlabelled brothers: `train/cat` and `train/dog` beside photos directly in `my_test`.
    if several or len(named) == len(siblings):
        plain = {name for name in families[()] if several}
        return frozenset(several | plain | (_all_one_split(siblings, named) if not several else set()))
    return frozenset(one.name for one in some if not named[one.name].rest and _is_part_alone(one, siblings))


def _all_one_split(siblings: list[Sibling], named: Mapping[str, SplitName]) -> set[str]:
    """`train_1` and `train_2` of nothing else, but not `training shoes` and `training bag`."""
    return {one.name for one in siblings if not named[one.name].rest} if len(siblings) > 1 else set()


def _inside_other_parts(split: Split, siblings: list[Sibling], named: Mapping[str, SplitName]) -> frozenset[str]:
    """What lies in the folders that are named for other parts than `split`."""
    return frozenset().union(*(one.inside for one in siblings if named[one.name].split is not split))


def _is_part_alone(one: Sibling, siblings: list[Sibling]) -> bool:
    """Whether the only folder that is named for a part is one: it holds the classes that others are, or hold."""
    others = [other for other in siblings if other is not one and not _is_beside_classes(other.name)]
    names = frozenset(spelling_key(other.name) for other in siblings if other is not one)
    if one.inside and len(one.inside & names) >= _SHARED_AT_LEAST * len(one.inside):
        return True
    inside = one.inside if not others else frozenset(name for name in one.inside if not name.isdecimal())
    in_others = frozenset().union(*(other.inside for other in siblings if other is not one))
    if inside and replace(one, inside=inside).shares_classes_with(in_others):
        return True
    n_photos = one.n_photos + sum(other.n_photos for other in others)
    found = split_name(one.name)
    is_training = found is not None and found.split is Split.TRAIN
    return is_training and len(one.inside) > 1 and one.n_photos > _NEARLY_ALL * n_photos


def _is_beside_classes(name: str) -> bool:
    """Whether a folder is hardly a class, wherever it lies: `images`, `2023`, `unlabelled`, `seg_pred`."""
    return telling(name) is Telling.NOTHING or not UNLABELLED_WORDS.isdisjoint(re.split(r"[\W_]+", name.lower()))


def _fit_together(candidates: list[Sibling], others: list[Sibling]) -> bool:
    """Whether folders that are named for several parts are these parts, with other folders beside them or without."""
    if not others or any(one.inside for one in candidates):
        return True
    return len(others) < len(candidates)


def _splits(named: Mapping[str, SplitName], names: Iterable[str]) -> set[Split]:
    return {named[name].split for name in names}


def _with_evaluation(parts: Mapping[str, SplitName]) -> Mapping[str, Split]:
    """The part of each; `eval` is the test part unless a `test` is there too."""
    has_test = any(one.split is Split.TEST and one.word not in EVALUATION_WORDS for one in parts.values())
    return {
        name: Split.VALIDATION if has_test and one.word in EVALUATION_WORDS else one.split
        for name, one in parts.items()
    }

"""Folders around class folders that are neither classes nor parts of the split: wrappers, groups, collections."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from automl.labelling.neutral_names import Telling, is_variant, telling
from automl.labelling.photo_folder import PhotoFolder, by_top, sibling, top_keys
from automl.labelling.spellings import spelling_key
from automl.labelling.split_folders import parts_among
from automl.labelling.split_levels import without_parts
from automl.labelling.split_words import PLAIN_FOLDERS, split_name, split_of
from automl.records import Split
from automl.text.upload_names import Folders

_MOST_LEVELS = 12
"""So many levels of outer folders are looked through at most; nobody has as many."""

_MOST_GROUPS = 4
"""So many levels of groups are looked for, each of which doubles the work."""

_COMMON_AT_LEAST = 0.6
"""Outer folders hold the same inner names where at least this share of what they hold is in most of them."""

_N_SUBJECTS, _SUBJECTS_TO_CLASSES = 10, 3
"""More folders than the first can be a series of subjects; outer ones are if there are that many times more of them
than of inner names."""


def settled(folders: Sequence[PhotoFolder]) -> list[PhotoFolder]:
    """The folders without those that wrap everything and without parts of the split, so that classes come first."""
    found = list(folders)
    for _ in range(_MOST_LEVELS):
        before, found = found, without_parts(_without_wrapper_beside_part(_unwrapped(found)))
        if found == before:
            break
    return _unwrapped(found)


def without_groups(
    folders: Sequence[PhotoFolder], *, n_levels: int = _MOST_GROUPS
) -> tuple[list[PhotoFolder], tuple[str, ...]]:
    """Settled folders without outer folders that all hold the same inner names, and the names of the outermost ones.

    The outer folders are dates, sites, cameras, folds: each becomes the group of its photos, unless it is named for
    what was done to the same photos, such as `gray`.
    """
    found = list(folders)
    outermost: tuple[str, ...] = ()
    for level in range(n_levels):
        tops = by_top(found)
        names = _names_below(tops, n_levels=n_levels - level - 1)
        if not names or not _are_outer(tops, names):
            break
        # A folder that lies beside a copy of itself, as in `pets` and `Pets`, is no place or time of its own.
        is_group = _are_shared(names) and len(set(map(spelling_key, tops))) > 1
        outermost = outermost or tuple(sorted(tops))
        found = settled([one if one.lost or not one.rest else _taken_out(one, is_group=is_group) for one in found])
    return found, outermost


def without_collections(folders: Sequence[PhotoFolder], *, is_bold: bool) -> list[PhotoFolder]:
    """The folders without those of classes that lie among classes: `photos` of `photos/cat`, `photos/dog` and `bird`.

    Args:
        folders: Settled folders.
        is_bold: Whether to take a folder for a collection because of how many folders are in it.
    """
    tops = by_top(folders)
    classes = frozenset(
        spelling_key(name)
        for name, members in tops.items()
        if any(len(one.rest) == 1 for one in members) and telling(name) is not Telling.NOTHING
    )
    collections = {
        name
        for name, members in tops.items()
        if all(len(one.rest) > 1 for one in members) and _is_collection(name, members, classes, is_bold=is_bold)
    }
    is_group = len(collections) > 1 and all(telling(name) is Telling.NOTHING for name in collections)
    return [
        _taken_out(one, is_group=is_group) if not one.lost and one.rest and one.rest[0] in collections else one
        for one in folders
    ]


def _is_collection(name: str, members: Iterable[PhotoFolder], classes: frozenset[str], *, is_bold: bool) -> bool:
    inside = {one.rest[1] for one in members if telling(one.rest[1]) is Telling.SOMETHING}
    if not classes or not inside or split_of(name):
        return False
    is_plain = telling(name) is Telling.NOTHING or not classes.isdisjoint(map(spelling_key, inside))
    # A folder around a single other one, as `pets` around `cat`, divides nothing.
    return is_plain or (is_bold and (len(inside) > len(classes) or len(inside) == 1))


# ---- Groups.


def _names_below(tops: Mapping[str, Sequence[PhotoFolder]], *, n_levels: int) -> Mapping[str, frozenset[str]]:
    """The names of what seem to be classes in each outer folder; empty if a folder has none, and so may be a class."""
    inside = {name: [one.inside() for one in members] for name, members in tops.items()}
    branching = (top_keys(members) for members in inside.values())
    known = frozenset[str]().union(*(names for names in branching if len(names) > 1))
    # Thousands of outer folders may hold the same few inner names, which are looked at once.
    of_shape: dict[frozenset[Folders], frozenset[str]] = {}
    names: dict[str, frozenset[str]] = {}
    for name, members in inside.items():
        shape = frozenset(one.rest for one in members)
        if shape not in of_shape:
            of_shape[shape] = _class_names(members, known, n_levels=n_levels)
        if of_shape[shape]:
            names[name] = of_shape[shape]
        if telling(name) is not Telling.NOTHING and (() in shape or not of_shape[shape]):
            return {}
    return names


def _class_names(folders: Sequence[PhotoFolder], known: frozenset[str], *, n_levels: int) -> frozenset[str]:
    """The outermost names, each in one spelling, without those that only say that there are photos in them."""
    names = top_keys(folders)
    is_one_class = len(names) == 1 and names <= known and all(telling(name) is not Telling.NOTHING for name in names)
    is_understood = is_one_class or all(len(one.rest) < 2 for one in folders)
    if not is_understood:
        names = top_keys(without_groups(settled(folders), n_levels=n_levels)[0])
    real = frozenset(name for name in names if name not in PLAIN_FOLDERS)
    return frozenset() if all(map(split_of, real)) else real


def _are_outer(outer: Collection[str], names: Mapping[str, frozenset[str]]) -> bool:
    """Whether folders lie around the classes, given the names inside each."""
    inner = frozenset[str]().union(*names.values())
    if len(names) < 2 or len(inner) < 2:
        return False
    of_outer, of_inner = _telling_of_most(outer), _telling_of_most(inner)
    if all(telling(name) is Telling.NOTHING for name in outer) and of_inner is Telling.SOMETHING:
        return True
    are_subjects = len(names) >= max(_N_SUBJECTS, _SUBJECTS_TO_CLASSES * len(inner)) and of_inner > Telling.NOTHING
    return _are_shared(names) and of_inner > Telling.NOTHING and (of_inner >= of_outer or are_subjects)


def _are_shared(names: Mapping[str, frozenset[str]]) -> bool:
    """Whether the outer folders hold the same inner names, or most of them."""
    counts = Counter(name for inside in names.values() for name in inside)
    common = [n for n in counts.values() if 2 * n > len(names)]
    largest = max(names.values(), key=len)
    is_in_largest = bool(common) and all(inside <= largest for inside in names.values())
    return is_in_largest or (len(common) > 1 and sum(common) >= _COMMON_AT_LEAST * counts.total())


def _telling_of_most(names: Collection[str]) -> Telling:
    """What at least half of the names reach; many that differ in nothing but a number say no more than numbers."""
    ordered = sorted(map(telling, names))
    is_series = len(names) > _N_SUBJECTS and 2 * len({re.sub(r"\d+", "0", name) for name in names}) <= len(names)
    return min(ordered[len(ordered) // 2], Telling.A_NUMBER if is_series else Telling.SOMETHING)


def _taken_out(one: PhotoFolder, *, is_group: bool) -> PhotoFolder:
    """The folder without the outer folder it lies in, which is its group if `is_group`."""
    outer = one.rest[0]
    is_named = is_group and not is_variant(outer) and outer.lower() not in PLAIN_FOLDERS
    inside = one.inside()
    while len(inside.rest) > 1 and spelling_key(inside.rest[0]) == spelling_key(outer):
        inside = inside.inside()  # repeated inside itself
    return replace(inside, group=one.group or (outer if is_named else ""))


# ---- Folders that wrap everything, or all but one part of the split.


def _without_wrapper_beside_part(folders: Sequence[PhotoFolder]) -> list[PhotoFolder]:
    """The folders without one around the training folder: `plants/train` and `plants/valid` beside `test`."""
    tops = by_top(folders)
    splits = {split_of(name) for name in tops}
    if splits == {None} or Split.TRAIN in splits:
        return list(folders)
    inside = {
        name: _unwrapped([one.inside() for one in members]) for name, members in tops.items() if not split_of(name)
    }
    wrappers = [name for name, members in inside.items() if _has_training_part(by_top(members))]
    if len(wrappers) != 1:
        return list(folders)
    (wrapper,) = wrappers
    return [*(one for one in folders if one.rest[:1] != (wrapper,)), *inside[wrapper]]


def _has_training_part(tops: Mapping[str, Sequence[PhotoFolder]]) -> bool:
    """Whether there is a training folder of several classes, and another part beside it."""
    if not any(map(split_name, tops)):
        return False
    siblings = {name: sibling(name, members) for name, members in tops.items()}
    parts = parts_among(siblings.values())
    of_training = [name for name, split in parts.items() if split is Split.TRAIN]
    return len(set(parts.values())) > 1 and any(len(siblings[name].inside) > 1 for name in of_training)


def _unwrapped(folders: Sequence[PhotoFolder]) -> list[PhotoFolder]:
    depth = _wrapper_depth({one.rest for one in folders if not one.lost})
    return [one if one.lost else replace(one, rest=one.rest[depth:]) for one in folders] if depth else list(folders)


def _wrapper_depth(folders: set[Folders]) -> int:
    """How many folders, one inside the other, merely wrap all the rest."""
    depth = 0
    while True:
        below = {folder[depth:] for folder in folders if len(folder) > depth}
        if len({folder[0] for folder in below}) != 1:
            return depth
        # One folder holds all the rest: a class if photos lie in it and nothing branches below it, else a wrapper.
        inside = {folder[1] for folder in below if len(folder) > 1}
        holds_files = any(len(folder) == 1 for folder in below)
        if not inside or (len(inside) == 1 and holds_files and not _branches(below)):
            return depth  # this folder does not wrap others but is a class
        depth += 1


def _branches(folders: set[Folders]) -> bool:
    """Whether any of `folders` lie beside each other. If none do, they all lie one inside the other."""
    longest = max(folders, key=len)
    return any(folder != longest[: len(folder)] for folder in folders)

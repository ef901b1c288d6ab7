"""Parts of the split around class folders, inside them, and in the names of class folders."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from automl.labelling.neutral_names import Telling, is_empty_word, is_mask, telling
from automl.labelling.photo_folder import PhotoFolder, by_top, sibling, top_keys
from automl.labelling.places import NoPlace
from automl.labelling.spellings import spelling_key
from automl.labelling.split_folders import UNLABELLED_WORDS, parts_among
from automl.labelling.split_words import PLAIN_FOLDERS, split_name, without_split_word
from automl.records import Split
from automl.text.messages import labelling as labelling_messages

BESIDE_TRAINING = NoPlace(reason=labelling_messages.BESIDE_TRAINING_FOLDER.one)
"""Of photos that lie beside the training folder: often plots, or files of some program."""

_MOST_LEVELS = 4
"""So many levels inside a part, or inside a class, are looked through."""

_MANY_PARTS = 100
"""Nobody has as many parts; for more, comparing each with all others would take long."""

_PLAIN_INSIDE_PART = PLAIN_FOLDERS | UNLABELLED_WORDS | {"all", "none", "samples", "dataset"}


def without_parts(folders: Sequence[PhotoFolder]) -> list[PhotoFolder]:
    """The folders without the parts of the split that lie around them."""
    tops = by_top(folders)
    if not any(map(split_name, tops)):
        return list(folders)
    if found := _parts_in_class_names(tops):
        return [_renamed(one, found) for one in folders]
    parts = parts_among(sibling(name, _without_repeated(name, members)) for name, members in tops.items())
    if not parts:
        return list(folders)
    inside = {name: [replace(one.inside(), split=parts[name]) for one in tops[name]] for name in parts}
    of_parts = {name: top_keys(_without_repeated_inside(name, members)) for name, members in inside.items()}
    everywhere = frozenset[str]().union(*of_parts.values())
    found_inside = [
        one
        for name, members in inside.items()
        for one in _inside_part(
            members, name, elsewhere=_others(of_parts, name) if len(parts) < _MANY_PARTS else everywhere
        )
    ]
    beside = [one for name, members in tops.items() if name not in parts for one in members]
    if Split.TRAIN in parts.values():
        beside = list(_beside_training(beside, everywhere))
    return [*found_inside, *beside, *(one for one in folders if one.lost or not one.rest)]


def with_splits_inside(folders: Sequence[PhotoFolder]) -> list[PhotoFolder]:
    """The folders with the part that is named by a folder inside the class folder: `cat/train`, `cat/test`."""
    found = list(folders)
    for level in range(1, _MOST_LEVELS):
        parts = _parts_inside({one.rest[level] for one in found if not one.lost and len(one.rest) > level})
        if len(set(parts.values())) == 1 and not _divides_a_class(found, level, parts):
            continue
        found = [one if one.split else replace(one, split=_split_at(one, level, parts)) for one in found]
    return found


def _divides_a_class(folders: Sequence[PhotoFolder], level: int, parts: Mapping[str, Split]) -> bool:
    """Whether some class has photos in a part and others beside it. All photos of a class are no part of it."""
    classes = by_top(folders).values()
    return any(len({_split_at(one, level, parts) for one in members}) > 1 for members in classes)


def _split_at(one: PhotoFolder, level: int, parts: Mapping[str, Split]) -> Split | None:
    return parts.get(one.rest[level]) if len(one.rest) > level else None


def _parts_inside(names: set[str]) -> Mapping[str, Split]:
    """The names that are parts. A single one among others that say something is not: `vehicles/train`."""
    named = {name: found for name in names if (found := split_name(name)) and not found.rest}
    others = [name for name in names if name not in named and telling(name) is Telling.SOMETHING]
    if others and len({found.split for found in named.values()}) < 2:
        return {}
    return {name: found.split for name, found in named.items()}


def _beside_training(folders: Iterable[PhotoFolder], classes: frozenset[str]) -> Iterator[PhotoFolder]:
    """What lies beside a training folder is no data, unless it has the same classes."""
    for name, members in by_top(folders).items():
        is_data = not is_mask(name) and sibling(name, members).shares_classes_with(classes)
        yield from members if is_data else (replace(one, lost=BESIDE_TRAINING) for one in members)


def _others(names: Mapping[str, frozenset[str]], own: str) -> frozenset[str]:
    """The names in the other parts."""
    return frozenset[str]().union(*(found for name, found in names.items() if name != own))


# ---- Inside one part.


def _inside_part(folders: Sequence[PhotoFolder], part: str, *, elsewhere: frozenset[str]) -> list[PhotoFolder]:
    """What lies in one part, without folders that merely wrap all of it; `elsewhere` are the names in other parts."""
    found = list(folders)
    for _ in range(_MOST_LEVELS):
        tops = by_top(found)
        if len(tops) != 1 or not _is_wrapper(*tops.items(), part=part, elsewhere=elsewhere):
            break
        found = [one.inside() if one.rest else one for one in found]
    tops = by_top(found)
    nested = parts_among(sibling(name, members) for name, members in tops.items())
    if nested and nested.keys() == tops.keys():
        found = [replace(one.inside(), split=nested[one.rest[0]]) if one.rest else one for one in found]
    if _says_nothing(found, elsewhere):
        found = [replace(one, rest=()) for one in found]
    unlabelled = NoPlace(reason=labelling_messages.DIRECTLY_IN_PART.format(n=1, part=part))
    return [one if one.rest else replace(one, lost=unlabelled) for one in found]


def _says_nothing(folders: Sequence[PhotoFolder], elsewhere: frozenset[str]) -> bool:
    """Whether no name inside a part is a class, though there are names of classes in the other parts.

    So it is with photos to predict in `test/part1` and `test/part2`, or in `test/images` beside `test/labels`.
    """
    inside = {name for one in folders for name in one.rest}
    is_empty = all(telling(name) is Telling.NOTHING or is_empty_word(name) for name in inside)
    if not is_empty or not elsewhere.isdisjoint(map(spelling_key, inside)):
        return False
    return sum(telling(name) is not Telling.NOTHING for name in elsewhere) > 1


def _is_wrapper(top: tuple[str, Sequence[PhotoFolder]], *, part: str, elsewhere: frozenset[str]) -> bool:
    """Whether the only folder in a part merely wraps what is in the part."""
    name, members = top
    if _repeats(name, part):
        return True
    if name.lower() in _PLAIN_INSIDE_PART:
        return spelling_key(name) not in elsewhere or len(elsewhere) == 1
    if telling(name) is Telling.NOTHING and any(telling(other) is Telling.NOTHING for other in elsewhere):
        return False  # one of several sites or folds, of which this part holds but one
    inside = {one.rest[1] for one in members if len(one.rest) > 1}
    says_something = sum(telling(one) is not Telling.NOTHING for one in inside) > 1
    return says_something and spelling_key(name) not in elsewhere and all(len(one.rest) > 1 for one in members)


def _repeats(name: str, part: str) -> bool:
    """Whether a folder is the part again that it lies in: `test/test`, `train/train_images`."""
    inner, outer = split_name(name), split_name(part)
    return spelling_key(name) == spelling_key(part) or bool(inner and outer and inner.split is outer.split)


def _without_repeated(part: str, folders: Sequence[PhotoFolder]) -> list[PhotoFolder]:
    """The folders in a folder, without a folder of its own name in between: `test/test/cat` is `test/cat`."""
    inside = _without_repeated_inside(part, [one.inside() for one in folders])
    return [replace(one, rest=(part, *one.rest)) for one in inside]


def _without_repeated_inside(part: str, folders: Sequence[PhotoFolder]) -> list[PhotoFolder]:
    found = list(folders)
    for _ in range(_MOST_LEVELS):
        tops = by_top(found)
        if len(tops) != 1 or not (_repeats(name := next(iter(tops)), part) or name.lower() in PLAIN_FOLDERS):
            break
        found = [one.inside() if one.rest else one for one in found]
    return found


# ---- Parts in the names of class folders.


def _parts_in_class_names(tops: Mapping[str, Sequence[PhotoFolder]]) -> Mapping[str, tuple[str, Split]]:
    """The class and the part of folders such as `cats_train`, `cats_test`, `dogs_train` and `dogs_test`.

    There must be two classes at least, each with several parts, and no more folders that say something inside.
    """
    named = {name: found for name in tops if (found := split_name(name)) and found.rest}
    families: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for name, found in named.items():
        families[found.rest].add(name)
    divided = [family for family in families.values() if len({named[name].split for name in family}) > 1]
    names = {name for family in divided for name in family}
    if len(divided) < 2 or 2 * len(names) <= len(tops) or any(sibling(name, tops[name]).inside for name in names):
        return {}
    return {name: (without_split_word(name), named[name].split) for name in names}


def _renamed(one: PhotoFolder, found: Mapping[str, tuple[str, Split]]) -> PhotoFolder:
    if one.lost or not one.rest or one.rest[0] not in found:
        return one
    label, split = found[one.rest[0]]
    return replace(one, rest=(label, *one.rest[1:]), split=split)

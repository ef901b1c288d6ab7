"""Which photos count as copies of each other, now that it is known which class each is in.

Likeness is found without labels. Two things follow from them only here:

- Near copies are copies inside of a class. Across classes likeness means little: a gate that is open or closed, a sign
  with an arrow and without, a letter and its mirror image differ by just what the classes are about. There only the
  same shot, saved again, is a contradiction, and where there are many of those, even that is for the user to say.
- Copies come in twos and threes. Where a class consists of what looks like copies of one picture, a camera has stood
  still, and the photos are told apart by what is left: another noise in each shot. That is so only where the other
  photos of the class show about the same view: a class of two pictures in ten versions each has two.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from automl.datasets.data_file import DataFile
from automl.images.one_view import share_of_view
from automl.images.sequences import joined

MAX_CONTRADICTED = 50
"""One in so many photos may be in two classes by mistake. Where more are, the small difference is what matters."""

_FEWEST_SHOTS, _MAX_SHARE_OF_SHOTS = 4, 0.2
_MANY_SHOTS = 30
_MIN_SHARE_OF_VIEW = 0.8
_ALIKE_SHOTS, _ALIKE_PARTS = 0.5, 0.7
"""Cars of any colour fill much of what a camera sees of a parking space; a letter that moved by its stroke has 0.7."""

_FEWEST_LOOK_ALIKES, _MAX_SHARE_OF_LOOK_ALIKES = 10, 1 / 3

Files = Sequence[DataFile]
_Key = TypeVar("_Key", int, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyGroups:
    """Which photos belong together.

    Attributes:
        group_of: By the id of each photo, the smallest id among its copies.
        one_view: The classes that mostly show one view, whose near copies therefore count as different photos.
        in_doubt: Whether so many photos look the same as photos of another class that nothing follows from it until the
            user says so.
    """

    group_of: dict[int, int]
    one_view: tuple[str, ...]
    in_doubt: bool


def copy_groups(
    photos: Files, fingerprints: Mapping[int, bytes] | None = None, *, trust_labels: bool = False
) -> CopyGroups:
    """Finds the groups of photos in use: of those that have a class and no exact copy in another.

    Args:
        photos: The photos.
        fingerprints: Those of the photos, by id; a class of which some are missing is taken to show one view.
        trust_labels: Whether photos that look the same in two classes are right as they are.
    """
    groups: list[list[DataFile]] = []
    one_view = []
    for label, of_class in sorted(_grouped(photos, lambda photo: photo.label).items()):
        found = _groups_of_class(_Class(photos=of_class, fingerprints=fingerprints or {}))
        groups += found.groups
        one_view += [label] * found.shows_one_view
    group_of = {photo.id: min(member.id for member in group) for group in groups for photo in group}
    shots = () if trust_labels else _grouped(photos, shot_of).values()
    contradictions = [shot for shot in shots if len({photo.label for photo in shot}) > 1]
    n_contradicted = sum(map(len, contradictions))
    in_doubt = n_contradicted * MAX_CONTRADICTED > len(photos)
    if not in_doubt:
        group_of = _joined(group_of, contradictions)
    return CopyGroups(group_of=group_of, one_view=tuple(one_view), in_doubt=in_doubt)


def shot_of(photo: DataFile) -> int:
    """The same number for all photos that are one shot to all appearances."""
    return photo.id if photo.shot is None else photo.shot


def _near_of(photo: DataFile) -> int:
    return photo.id if photo.near is None else photo.near


def _original_of(photo: DataFile) -> int:
    return _near_of(photo) if photo.original is None else photo.original


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfClass:
    """The groups of one class, and whether some of them are parts of what looks like copies of one picture."""

    groups: list[list[DataFile]]
    shows_one_view: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Class:
    """The photos of one class, and the fingerprints of photos by id."""

    photos: Files
    fingerprints: Mapping[int, bytes]

    def shows_only(self, group: list[DataFile], min_alike: float) -> bool:
        """Whether nearly all of its photos show about the view of this group, see `share_of_view`."""
        prints = [self.fingerprints.get(photo.id, b"") for photo in self.photos]
        if not all(prints):
            return True
        members = {photo.id for photo in group}
        values = np.frombuffer(b"".join(prints), np.uint8).reshape(len(prints), -1)
        is_member = np.array([photo.id in members for photo in self.photos])
        return share_of_view(values, is_member, min_alike) >= _MIN_SHARE_OF_VIEW


def _groups_of_class(of_class: _Class) -> _OfClass:
    groups: list[list[DataFile]] = []
    near = list(_grouped(of_class.photos, _near_of).values())
    # Where a camera stands still, the smaller groups are its shots, too, such as those in which somebody walks by.
    is_still = any(_are_shots(group, of_class) for group in near)
    for group in near:
        shots = list(_grouped(group, _original_of).values()) if is_still else [group]
        groups += [part for shot in shots for part in _look_alikes_apart(shot, of_class)]
    return _OfClass(groups=groups, shows_one_view=len(groups) > len(near))


def _are_shots(group: list[DataFile], of_class: _Class) -> bool:
    """Whether a group is too large for copies of one picture, and most in it are shots of their own."""
    n = _n_contents(group)
    if n < _FEWEST_SHOTS or n <= _MAX_SHARE_OF_SHOTS * _n_contents(of_class.photos):
        return False
    if 2 * len(_grouped(group, _original_of)) < n:
        return False
    # Turning and brightening a picture may change its grain, but nobody makes very many versions of one.
    return n >= _MANY_SHOTS or of_class.shows_only(group, _ALIKE_SHOTS)


def _look_alikes_apart(group: list[DataFile], of_class: _Class) -> list[list[DataFile]]:
    """The group, or what is the same everywhere in it, where it is much of a class: things that moved a little."""
    n = _n_contents(group)
    if n < _FEWEST_LOOK_ALIKES or n <= _MAX_SHARE_OF_LOOK_ALIKES * _n_contents(of_class.photos):
        return [group]
    return list(_grouped(group, shot_of).values()) if of_class.shows_only(group, _ALIKE_PARTS) else [group]


def _n_contents(photos: Files) -> int:
    return len({photo.sha256 for photo in photos})


def _grouped(photos: Files, key: Callable[[DataFile], _Key]) -> dict[_Key, list[DataFile]]:
    groups: defaultdict[_Key, list[DataFile]] = defaultdict(list)
    for photo in photos:
        groups[key(photo)].append(photo)
    return groups


def _joined(group_of: dict[int, int], contradictions: Iterable[Files]) -> dict[int, int]:
    """The groups, with those made one that have pictures of one shot."""
    groups = sorted(set(group_of.values()))
    number = {group: place for place, group in enumerate(groups)}
    pairs = [
        (number[group_of[photos[0].id]], number[group_of[photo.id]]) for photos in contradictions for photo in photos
    ]
    first = joined(len(groups), pairs).tolist()
    return {photo: groups[first[number[group]]] for photo, group in group_of.items()}

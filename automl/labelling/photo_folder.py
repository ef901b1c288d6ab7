"""A folder of photos while its names are read level by level, from the outermost to the innermost."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from automl.labelling.neutral_names import is_origin
from automl.labelling.places import MAX_LABEL_CHARS, NoPlace, Place
from automl.labelling.spellings import spelling_key
from automl.labelling.split_folders import Sibling
from automl.records import Split
from automl.text.messages import labelling as labelling_messages
from automl.text.upload_names import Folders

OUTSIDE = NoPlace(reason=labelling_messages.OUTSIDE_CLASS_FOLDERS.one)
_TOO_LONG = NoPlace(reason=labelling_messages.FOLDER_NAME_TOO_LONG.format(n=1, most=MAX_LABEL_CHARS))


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFolder:
    """A folder that directly holds photos, and what is understood of its names so far.

    Attributes:
        path: The names from the outermost folder to this one.
        rest: Those that are not understood yet; in the end the first of them is the class.
        n_photos: The photos directly in it.
        split: The part of the split that it lies in.
        group: The outer folder whose photos stay together.
        lost: Why its photos have no class; None as long as they may have one.
    """

    path: Folders
    rest: Folders
    n_photos: int
    split: Split | None = None
    group: str = ""
    lost: NoPlace | None = None

    def place(self) -> Place | NoPlace:
        """The place of its photos, now that the first name of the rest is the class."""
        if self.lost or not self.rest:
            return self.lost or OUTSIDE
        return place_in(self.rest[0], self.split, group=self.group or next(filter(is_origin, self.rest[1:]), ""))

    def inside(self) -> "PhotoFolder":
        """The same without the outermost name of the rest."""
        return replace(self, rest=self.rest[1:])


def place_in(label: str, split: Split | None, *, group: str = "") -> Place | NoPlace:
    """A place in the class of a folder of this name."""
    return _TOO_LONG if len(label) > MAX_LABEL_CHARS else Place(label=label, split=split, group=group)


def by_top(folders: Iterable[PhotoFolder]) -> dict[str, list[PhotoFolder]]:
    """The folders by their outermost name that is not understood yet; without those that have none."""
    tops: defaultdict[str, list[PhotoFolder]] = defaultdict(list)
    for one in folders:
        if one.rest and not one.lost:
            tops[one.rest[0]].append(one)
    return tops


def top_keys(folders: Iterable[PhotoFolder]) -> frozenset[str]:
    """The outermost names, each in one spelling."""
    return frozenset(spelling_key(one.rest[0]) for one in folders if one.rest and not one.lost)


def sibling(name: str, folders: Iterable[PhotoFolder]) -> Sibling:
    """The folder of this name, which holds `folders`."""
    members = list(folders)
    inside = {one.rest[1] for one in members if len(one.rest) > 1}
    return Sibling.of(name, inside, sum(one.n_photos for one in members))

"""Classes from folders: which folder is the class, which part of the split and which group it lies in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from automl.labelling.named_file import NamedFile
from automl.labelling.neutral_names import is_empty_word, is_lot
from automl.labelling.outer_folders import settled, without_collections, without_groups
from automl.labelling.photo_folder import OUTSIDE, PhotoFolder, by_top, place_in
from automl.labelling.places import NoPlace, Place, Places, without_lonely_split
from automl.labelling.split_levels import BESIDE_TRAINING, with_splits_inside
from automl.labelling.split_words import PLAIN_FOLDERS, innermost_split, split_name, split_of
from automl.records import Split
from automl.text.messages import labelling as labelling_messages
from automl.text.upload_names import Folders

_NO_PHOTOS = NoPlace(reason=labelling_messages.NO_PHOTO.one)

PlaceOfFolder = Mapping[Folders, Place | NoPlace]
"""The place of the photos that lie directly in each folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReading:
    """What the folders of all photos together say.

    Attributes:
        files: All of the files.
        outermost: Where the outermost folders that tell photos apart are the classes. What lies deeper inside a class
            folder belongs to that class.
        innermost: Where the innermost folders are the classes. If outer folders all hold the same inner names, each of
            them is a group.
        splits: The part of the split that each folder lies in.
        outer_folders: The outer folders that all hold the same inner names.
        is_inner_likelier: Whether the innermost folders are more likely to be the classes.
        are_lots: Whether the outermost folders are dates or numbered lots, which say nothing about their photos.
    """

    files: Sequence[NamedFile]
    outermost: PlaceOfFolder
    innermost: PlaceOfFolder
    splits: Mapping[Folders, Split | None]
    outer_folders: tuple[str, ...]
    is_inner_likelier: bool
    are_lots: bool

    @classmethod
    def of(cls, files: Sequence[NamedFile]) -> "FolderReading":
        """There may be parts of the split, groups, and folders that wrap everything, on any level."""
        # Only photos decide: a stray README beside the folder must not hide that the folder wraps everything.
        photos = Counter(file.folders for file in files if file.is_photo)
        counts = photos or Counter(file.folders for file in files if file.unusable is None)
        found = settled([PhotoFolder(path=path, rest=path, n_photos=n) for path, n in counts.items()])
        outer = with_splits_inside(without_collections(found, is_bold=False))
        ungrouped, outer_folders = without_groups(found)
        inner = with_splits_inside(without_collections(ungrouped, is_bold=True))
        outermost, innermost = _places_of(outer), _places_of(inner)
        is_inner_likelier = _labels(outermost) != _labels(innermost)
        tops = by_top(outer)
        return cls(
            files=files,
            outermost=outermost if is_inner_likelier else _without_empty_words(outermost),
            innermost=innermost if is_inner_likelier else _literally_innermost(outer),
            splits={one.path: one.split for one in outer},
            outer_folders=outer_folders,
            is_inner_likelier=is_inner_likelier,
            are_lots=bool(tops) and all(map(is_lot, tops)),
        )

    def by_outermost(self) -> Places:
        """The places of the files where the outermost folders are the classes."""
        return _places(self.files, self.outermost)

    def by_innermost(self) -> Places:
        """The places of the files where the innermost folders are the classes."""
        return _places(self.files, self.innermost)


def _places(files: Sequence[NamedFile], of_folders: PlaceOfFolder) -> Places:
    return without_lonely_split([file.unusable or of_folders.get(file.folders, _NO_PHOTOS) for file in files])


def _places_of(folders: Sequence[PhotoFolder]) -> PlaceOfFolder:
    return {one.path: one.place() for one in folders}


def _without_empty_words(places: PlaceOfFolder) -> PlaceOfFolder:
    """The places, of which none is left where all classes are called `images_001`, `masks` or the like."""
    labels = set(_labels(places).values())
    if len(labels) < 2 or not all(map(is_empty_word, labels)):
        return places
    return {
        path: NoPlace(reason=labelling_messages.FOLDER_SAYS_NOTHING.format(n=1, folder=place.label))
        if isinstance(place, Place)
        else place
        for path, place in places.items()
    }


def _labels(places: PlaceOfFolder) -> Mapping[Folders, str]:
    return {path: place.label for path, place in places.items() if isinstance(place, Place)}


def _literally_innermost(folders: Sequence[PhotoFolder]) -> PlaceOfFolder:
    """The places by the folder that directly holds each photo, however deep, if it is not named for a part."""
    return {one.path: _in_innermost(one) for one in folders}


def _in_innermost(one: PhotoFolder) -> Place | NoPlace:
    if one.lost and one.lost is not BESIDE_TRAINING:
        return one.lost
    around = [name for name in one.path[: len(one.path) - len(one.rest)] if not (one.split and split_name(name))]
    # In `train/images`, where train may be a class, the images are no class of their own.
    inside = _without_plain_end(one.rest) if one.rest and split_of(one.rest[0]) else one.rest
    names = _without_plain_end([name for name in (*around, *inside) if not split_of(name)])
    return place_in(names[-1], one.split or innermost_split(one.rest)) if names else OUTSIDE


def _without_plain_end(names: Sequence[str]) -> Sequence[str]:
    """The names without those at the end that only say that there are photos inside, as long as one is left."""
    while len(names) > 1 and names[-1].lower() in PLAIN_FOLDERS:
        names = names[:-1]
    return names

"""Pictures that belong to photos and are none themselves, such as the masks of a set for segmentation.

They lie in a folder of such a name beside the photos (`images` and `masks`), or beside each photo under its name
(`nevus_1.jpg` and `nevus_1_mask.png`). Such a word alone says nothing: people wear masks, and bottles have labels.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from automl.labelling.named_file import NamedFile
from automl.labelling.neutral_names import Telling, has_mask_word, holds_photos, is_mask, telling
from automl.labelling.places import NoPlace
from automl.labelling.split_words import split_of
from automl.text.messages import labelling as labelling_messages
from automl.text.upload_names import Folders, stem_of

_ENDING = re.compile(
    r"[ _.-](masks?|maske|masque|m[aá]scara|seg|segmentation|superpixels|ground_?truth|gt|trimap|annotations?)"
    r"([ _-]?\d+)?$",
    re.IGNORECASE,
)
"""What stands behind the name of a photo in the name of what belongs to it."""

_FEWEST = 2
"""A single picture with such a name may well be a photo."""

_SHARED_AT_LEAST = 0.5
"""A folder belongs to photos beside it if so much of what is in it is called as they are."""


def without_companions(files: Sequence[NamedFile]) -> list[NamedFile]:
    """The files, of which those cannot be used as photos that belong to other photos."""
    photos = [file for file in files if file.is_photo]
    of_folders = _of_folders(photos)
    endings = _endings(photos)
    return [_judged(file, of_folders, endings) if file.is_photo else file for file in files]


def has_class_folders(files: Sequence[NamedFile]) -> bool:
    """Whether folders of photos that belong to no others may be classes: two at least have a name that says something.

    Where none may be, all folders are to be looked at alike, so that people can still choose the others.
    """
    names = {name for file in files if file.is_photo for name in file.folders}
    return sum(telling(name) is not Telling.NOTHING for name in names) > 1


def _judged(file: NamedFile, of_folders: Mapping[Folders, str], endings: Mapping[Folders, str]) -> NamedFile:
    if folder := of_folders.get(file.folders):
        reason, companion = labelling_messages.BELONGS_TO_PHOTOS.format(n=1, folder=folder), folder
    elif ending := endings.get(file.path):
        reason, companion = labelling_messages.BELONGS_TO_PHOTO.format(n=1, ending=ending), ending
    else:
        return file
    return replace(file, unusable=NoPlace(reason=reason, companion=companion))


@dataclass(slots=True)
class _Contents:
    """What is in a folder, however deep.

    Attributes:
        children: The names of the folders directly in it.
        own: The names of the photos directly in it, without endings.
        all: Those of all photos in it.
    """

    children: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    all: set[str] = field(default_factory=set)


def _of_folders(photos: Sequence[NamedFile]) -> dict[Folders, str]:
    """The folders of which the pictures belong to photos, each with the name of the folder that says so."""
    folders = {file.folders for file in photos}
    if not any(has_mask_word(name) for folder in folders for name in folder):
        return {}
    contents: defaultdict[Folders, _Contents] = defaultdict(_Contents)
    for file in photos:
        stem = _ENDING.sub("", stem_of(file.path[-1].lower()))
        contents[file.folders].own.add(stem)
        for level in range(len(file.folders) + 1):
            contents[file.folders[:level]].all.add(stem)
        for level, name in enumerate(file.folders):
            contents[file.folders[:level]].children.add(name)
    return {
        folder: name
        for folder in folders
        for level, name in enumerate(folder)
        if has_mask_word(name) and _belongs(folder[:level], name, contents)
    }


def _belongs(outer: Folders, name: str, contents: Mapping[Folders, _Contents]) -> bool:
    """Whether the pictures in the folder `name`, which lies in the folder `outer`, belong to the photos beside it."""
    inside = contents[(*outer, name)].all
    beside = [other for other in contents[outer].children if holds_photos(other)]
    if is_mask(name):
        # `ground_truth` may lie beside `train` and `test`.
        return bool(beside) or any(map(split_of, contents[outer].children)) or _shares(inside, contents[outer].own)
    # Other words may make it a class, as in `without_mask`.
    return any(_shares(inside, contents[(*outer, other)].all) for other in beside)


def _shares(inside: set[str], photos: set[str]) -> bool:
    return len(inside & photos) >= _SHARED_AT_LEAST * len(inside)


def _endings(photos: Sequence[NamedFile]) -> dict[Folders, str]:
    """The paths of pictures that are called as a photo beside them, and what stands behind its name in theirs."""
    found = list(_named_for_photos(photos))
    counts = Counter(word for _, word in found)
    return {path: word for path, word in found if counts[word] >= _FEWEST}


def _named_for_photos(photos: Sequence[NamedFile]) -> Iterator[tuple[Folders, str]]:
    ends = [(file, end) for file in photos if (end := _ENDING.search(stem_of(file.path[-1])))]
    if not ends:
        return
    stems = {(file.folders, stem_of(file.path[-1])) for file in photos}
    for file, end in ends:
        if (file.folders, stem_of(file.path[-1])[: end.start()]) in stems:
            yield file.path, end[1]

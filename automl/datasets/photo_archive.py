"""How the photos of a data set lie in an archive: a folder for each class, and a table that says the same.

Names are those that their user gave, as far as every system takes them: Windows refuses some characters and some names,
and does not tell capital letters from small ones. What a name had to lose stands in the table. Read again, the archive
gives the same classes and parts, so it can be learned from anywhere.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence

from automl.labelling.neutral_names import Telling, telling
from automl.labelling.split_words import split_name
from automl.records import ImageRecord, Split
from automl.text.archive_names import unlike
from automl.text.upload_names import file_name_of

TABLE_NAME = "labels.csv"


def archive_paths(photos: Sequence[ImageRecord]) -> list[str]:
    """The path of each photo in the archive, `class/name.jpg`; no two are the same on any system.

    A class that is called like a part of the split, or like a folder that says nothing, lies in a folder with a number:
    read again, `test` would be no class. Its name stands in the table.
    """
    labels = sorted({photo.label for photo in photos})
    plain = {label: f"class_{number}" if _means_more(label) else label for number, label in enumerate(labels, 1)}
    taken_folders: set[str] = set()
    folders = {label: unlike(taken_folders, plain[label]) for label in labels}
    by_label: defaultdict[str, list[int]] = defaultdict(list)
    for place, photo in enumerate(photos):
        by_label[photo.label].append(place)
    paths = [""] * len(photos)
    for label, places in by_label.items():
        taken: set[str] = set()
        for place in places:
            file = unlike(taken, file_name_of(photos[place].name))
            paths[place] = f"{folders[label]}/{file}"
    return paths


def _means_more(label: str) -> bool:
    """Whether a folder of this name could be read as something else than a class."""
    return split_name(label) is not None or telling(label) is Telling.NOTHING


def archive_table(photos: Sequence[ImageRecord], paths: Sequence[str], *, keeps_clips: bool = True) -> str:
    """The table of the archive as CSV: of each photo its path there, its class, and the name that it came with.

    Columns for the part of the split and for the group are there only where the user has said something about them;
    then photos that he has put into no part are learned from. Where he has said that photos of clips are separate ones,
    each photo is a group of its own.
    """
    groups = _named_groups(photos) if keeps_clips else [str(number + 1) for number in range(len(photos))]
    has_split, has_groups = any(photo.split for photo in photos), any(groups)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    header = ["file", "label", *(["split"] if has_split else []), *(["group"] if has_groups else []), "uploaded_as"]
    writer.writerow(header)
    for photo, path, group in zip(photos, paths, groups, strict=True):
        split = [photo.split or Split.TRAIN] if has_split else []
        writer.writerow([path, photo.label, *split, *([group] if has_groups else []), photo.name])
    return buffer.getvalue()


def _named_groups(photos: Sequence[ImageRecord]) -> list[str]:
    """The group of each photo that the user has named; clips that were found have frames in an order."""
    found = {photo.clip for photo in photos if photo.clip and photo.frame}
    return ["" if photo.clip in found else photo.clip for photo in photos]

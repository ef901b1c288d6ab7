"""Classes from the names of files: `angular_leaf_spot_train.0.jpg`, `cat_001.jpg`, `dog (3).jpg`."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from automl.labelling.places import (
    MAX_LABEL_CHARS,
    SPLIT_FOLDERS,
    NamedFile,
    NoPlace,
    Place,
    Places,
    innermost_split,
    without_lonely_split,
)
from automl.records import Split
from automl.text.upload_names import stem_of

_NO_PHOTO = NoPlace("It is not a photo.")
_UNTOLD = NoPlace("Its name does not say what it shows. A name such as cat_001.jpg would.")
_TOO_LONG = NoPlace(f"The name of its class is longer than {MAX_LABEL_CHARS} characters.")

# What cameras, phones, programs and web sites call a photo, whatever it shows.
_MEANINGLESS = frozenset(
    {"img", "image", "images", "imag", "mvimg", "dsc", "dscn", "dscf", "dsci", "pxl", "cimg", "hpim", "sam", "kic"}
    | {"gopr", "gopro", "gx", "gh", "dji", "mvi", "vid", "video", "pano", "burst", "hdr", "portrait", "night", "wa"}
    | {"photo", "photos", "picture", "pic", "pics", "scan", "frame", "file", "foto", "bild", "fb", "snapchat", "raw"}
    | {"screenshot", "screen", "shot", "bildschirmfoto", "capture", "whatsapp", "signal", "telegram", "kakaotalk"}
    | {"received", "unnamed", "untitled", "unbenannt", "download", "thumb", "thumbnail", "original", "collage"}
    | {"copy", "kopie", "edited", "edit", "resized", "cropped", "at", "on", "um", "am", "pm", "of"}
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TOKEN = re.compile(r"[^\s_.,;()\[\]{}+=~@#&-]+")
_WORD_THEN_NUMBER = re.compile(r"(\D+)\d+")

_ALIKE = str.maketrans("123456789", "000000000")


def places_by_names(files: Sequence[NamedFile]) -> Places:
    """The words of each name without its numbers, and without what cameras and programs call every photo.

    A word such as `train` or `test` at either end names the part of the split, if it parts anything; where there is
    none, the innermost folder named for one does.
    """
    known: dict[str, _Name] = {}
    read = [_name(stem_of(file.path[-1]), known) if file.is_photo else None for file in files]
    splits = _Splits([name for name in read if name is not None and name.label])
    return without_lonely_split(
        [_place(file, name, splits) for file, name in zip(files, read, strict=True)],
    )


def _name(stem: str, known: dict[str, "_Name"]) -> "_Name":
    """Names that differ in their numbers alone say the same, unless a number belongs to the class."""
    key = stem.translate(_ALIKE)
    if key not in known:
        known[key] = _Name.of(key)
    name = known[key]
    return _Name.of(stem) if "0" in name.label_with_split else name


def _place(file: NamedFile, name: "_Name | None", splits: "_Splits") -> Place | NoPlace:
    if name is None:
        return file.unusable or _NO_PHOTO
    if not name.label:
        return _UNTOLD
    has_split = splits.holds_for(name)
    label = name.label if has_split or name.split is None else name.label_with_split
    if len(label) > MAX_LABEL_CHARS:
        return _TOO_LONG
    return Place(label, name.split if has_split and name.split else innermost_split(file.folders))


@dataclass(frozen=True, slots=True)
class _Name:
    """What the name of a file says. `label`: empty if nothing; `label_with_split`: with the word for the split."""

    label: str
    label_with_split: str
    split: Split | None

    @classmethod
    def of(cls, stem: str) -> "_Name":
        label, label_with_split, split = "", "", None
        for words in _runs_of_words(_UUID.sub(" 0 ", stem)):
            kept, run_split = _without_split(words)
            split = split or run_split
            if kept and not label:
                label, label_with_split = _text(stem, kept), _text(stem, words)
        return cls(label, label_with_split if split else label, split)


class _Splits:
    """Whether a word such as `test` in a name is the part of the split, or belongs to the class: `test tube`."""

    def __init__(self, names: Sequence[_Name]) -> None:
        self._of_label: defaultdict[str, set[Split | None]] = defaultdict(set)
        for name in names:
            self._of_label[name.label].add(name.split)
        seen = {name.split for name in names}
        self._part_everything = None not in seen or len(seen - {None}) > 1

    def holds_for(self, name: _Name) -> bool:
        return name.split is not None and (self._part_everything or len(self._of_label[name.label]) > 1)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a name, and where it stands there."""

    text: str
    start: int
    end: int


def _runs_of_words(stem: str) -> Iterator[list[_Word]]:
    """The words of a name, parted where a number or an identifier stands, without meaningless words around them."""
    tokens = list(_TOKEN.finditer(stem))
    last_number = max((index for index, token in enumerate(tokens) if token[0].isdecimal()), default=-1)
    run: list[_Word] = []
    for index, token in enumerate(tokens):
        text, has_number = _word(token[0], is_counted=index < last_number)
        if text:
            run.append(_Word(text, token.start(), token.start() + len(text)))
        if has_number:
            yield _stripped(run)
            run = []
    yield _stripped(run)


def _word(token: str, is_counted: bool) -> tuple[str, bool]:
    """The word in a token, or "", and whether it is, or ends in, a number.

    `cat12` is `cat`, unless its photos are counted by a number of its own after it: `boeing747_001` is `boeing747`.
    """
    if not any(c.isdigit() for c in token):
        return token, False
    parts = _WORD_THEN_NUMBER.fullmatch(token)
    if parts is None:
        return "", True
    if is_counted and parts[1].lower() not in _MEANINGLESS:
        return token, False
    return parts[1], True


def _stripped(words: list[_Word]) -> list[_Word]:
    while words and words[0].text.lower() in _MEANINGLESS:
        words = words[1:]
    while words and words[-1].text.lower() in _MEANINGLESS:
        words = words[:-1]
    return words


def _without_split(words: list[_Word]) -> tuple[list[_Word], Split | None]:
    if words and (split := SPLIT_FOLDERS.get(words[-1].text.lower())):
        return _stripped(words[:-1]), split
    if words and (split := SPLIT_FOLDERS.get(words[0].text.lower())):
        return _stripped(words[1:]), split
    return words, None


def _text(stem: str, words: list[_Word]) -> str:
    return stem[words[0].start : words[-1].end]

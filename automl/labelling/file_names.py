"""Classes from the names of files: `angular_leaf_spot_train.0.jpg`, `cat_001.jpg`, `dog (3).jpg`."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from automl.labelling.name_subjects import NameSubject, are_groups, are_subjects, subjects_in
from automl.labelling.named_file import NamedFile
from automl.labelling.places import MAX_LABEL_CHARS, NoPlace, Place, Places, without_lonely_split
from automl.labelling.split_words import SET_WORDS, apart_from_split, split_of_word, words_of
from automl.records import Split
from automl.text.messages import labelling as labelling_messages
from automl.text.upload_names import Folders, stem_of

_NO_PHOTO = NoPlace(reason=labelling_messages.NO_PHOTO.one)
_NO_CLASS = NoPlace(reason=labelling_messages.NAME_WITHOUT_CLASS.one)
_TOO_LONG = NoPlace(reason=labelling_messages.CLASS_IN_NAME_TOO_LONG.format(n=1, most=MAX_LABEL_CHARS))

_MEANINGLESS = words_of(
    # Cameras.
    "img image images imag imgp mvimg mg dsc dscn dscf dsci pxl cimg hpim sam kic pict gedc sdc dcp gopr gopro gx gh "
    "dji mvi mov vid video pano burst hdr portrait night wa cam camera webcam "
    # Sites for stock photos, and programs that make pictures.
    "pixabay pexels unsplash shutterstock istock istockphoto gettyimages getty depositphotos dreamstime adobestock "
    "freepik alamy stocksnap fotolia bigstock 123rf stock chatgpt comfyui midjourney dalle "
    # People and programs, whatever it shows.
    "photo photos picture pic pics scan frame frames clip seq file foto fotos bild fb snapchat raw jpg jpeg png rf "
    "screenshot screen shot bildschirmfoto capture snap snapshot vlcsnap whatsapp signal telegram kakaotalk wechat "
    "mmexport inshot picsart received unnamed untitled unbenannt download thumb thumbnail original collage "
    "descarga herunterladen téléchargement scaricare baixados index oip th hqdefault maxresdefault imgres "
    # Parts of dates and times, and what was done to a copy.
    "copy kopie copie copia edited edit resized cropped crop aug augmented at on um am pm of nr"
)
"""Words, in lower case, that cameras, phones, programs and web sites put into the name of a photo."""

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_SCREENSHOT = (
    "captura de (?:pantalla|tela)|capture d[’'_ ]?écran|schermata|schermafbeelding|schermafdruk|skärmavbild|skärmbild|"
    "skjermbilde|skærmbillede|zrzut ekranu|снимок экрана|скриншот|знімок екрана|ekran görüntüsü|snímek obrazovky|"
    "képernyőfotó|näyttökuva|屏幕截图|屏幕快照|截屏|螢幕截圖|スクリーンショット|스크린샷|화면 캡처"
)
_IDENTIFIER = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # a UUID
    r"|(?<![a-z0-9])(?=[a-f]*[0-9]+[a-f]+[0-9a-f]*[0-9])[0-9a-f]{6,}(?![a-z0-9])"  # a hash
    rf"|(?<![a-z0-9])(?:{_MONTH}[ _.-]?\d{{1,2}}[ _.,-]+|\d{{1,2}}[ _.-]?{_MONTH}[ _.-]?)\d{{4}}(?!\d)"  # a date
    r"|(?<![a-z0-9])img_e(?=\d{4})"  # iPhones, after editing
    r"|^[plr]\d{7}(?!\d)|^[bc]\d{3}_(?=\d{4})"  # Panasonic, Leica and Ricoh; and programs such as B612
    r"|^\d{5,}_[0-9a-f]{10}(?:_[a-z0-9]{1,2})?(?![a-z0-9])"  # Flickr, with a letter for the size
    r"|^\d{5,}_\d{10,}_\d{8,}_[a-z](?![a-z0-9])"  # Facebook, with a letter for the kind
    r"|^pexels-[a-z-]+-\d+.*|^.+-unsplash(?![a-z]).*"  # with the name of the photographer
    r"|^360_f_\d+_[a-z0-9]+|(?<![a-z0-9])\d+x\d+(?![a-z0-9])"  # Adobe Stock; and a size
    r"|dall[·-]?e(?![a-z])|gemini_generated_image(?:_[a-z0-9]+)?|chatgpt image.*|^image_fx|微信(?:图片|圖片)"
    rf"|(?:{_SCREENSHOT})(?:[\W_]*\d.*)?",
    re.IGNORECASE,
)
"""What counts or identifies a photo although there are letters in it. Any digit may stand for any other here."""

_TOKEN = re.compile(r"[^\s_.,;()\[\]{}+=~@#&（）【】，、-]+")
_WORD_THEN_NUMBER = re.compile(r"(\D+)\d+")

_DIGITS_AS_ZERO = str.maketrans("123456789", "000000000")


def places_by_names(files: Sequence[NamedFile], splits_of_folders: Mapping[Folders, Split | None]) -> Places:
    """The places of photos whose class is in their names: the words, without numbers and without meaningless words.

    A word such as `train` or `test` at either end names the part of the split, if it divides the photos at all. Where
    there is no such word, the folder says it (`splits_of_folders`).
    """
    stems = [stem_of(file.path[-1]) if file.is_photo else "" for file in files]
    places = _places_of(files, stems, splits_of_folders)
    subjects = subjects_in(list(dict.fromkeys(filter(None, stems))))
    if not subjects:
        return places
    without = [subjects[stem].rest if stem in subjects else stem for stem in stems]
    return _with_subjects(places, _places_of(files, without, splits_of_folders), [subjects.get(stem) for stem in stems])


def _with_subjects(places: Places, without: Places, subjects: Sequence[NameSubject | None]) -> Places:
    """The places `without` subjects in the names, in groups by the subjects, if these are any; else `places`."""
    found = list(zip(without, subjects, strict=True))
    pairs = [(subject.name, place.label) for place, subject in found if subject and isinstance(place, Place)]
    n_before = sum(isinstance(place, Place) for place in places)
    if len({label for _, label in pairs}) < 2 or 2 * len(pairs) < n_before or not are_subjects(pairs):
        return places
    if not are_groups(pairs):
        return without
    return [
        replace(place, group=subject.name) if subject and isinstance(place, Place) else place
        for place, subject in found
    ]


def _places_of(
    files: Sequence[NamedFile], stems: Sequence[str], splits_of_folders: Mapping[Folders, Split | None]
) -> Places:
    read = _read_names(stems, is_split_first=False)
    # In `test_train_1` either word may be the class: the word for the split stands where it does in other names.
    if sum(name.side for name in read if name is not None) > 0:
        read = _read_names(stems, is_split_first=True)
    splits = _SplitWords([name for name in read if name is not None])
    return without_lonely_split(
        [
            _place(file, name, splits, split=splits_of_folders.get(file.folders))
            for file, name in zip(files, read, strict=True)
        ],
    )


def _read_names(stems: Sequence[str], *, is_split_first: bool) -> list["_NameWords | None"]:
    """What each name says, None where there is none; where both ends may name the split, the first does if
    `is_split_first`."""
    known: dict[str, _NameWords] = {}
    return [_words_of(stem, known, is_split_first=is_split_first) if stem else None for stem in stems]


def _words_of(stem: str, known: dict[str, "_NameWords"], *, is_split_first: bool) -> "_NameWords":
    """What a name says, from `known` where possible: names that differ in their numbers alone say the same.

    Only where a number belongs to the class, as in `boeing747_001`, each name is read for itself.
    """
    key = stem.translate(_DIGITS_AS_ZERO)
    if key not in known:
        known[key] = _NameWords.of(key, is_split_first=is_split_first)
    name = known[key]
    return _NameWords.of(stem, is_split_first=is_split_first) if "0" in name.label_with_split else name


def _place(
    file: NamedFile, name: "_NameWords | None", splits: "_SplitWords", *, split: Split | None
) -> Place | NoPlace:
    if name is None:
        return file.unusable or _NO_PHOTO
    is_split = splits.is_split(name)
    label = name.label if is_split or name.split is None else name.label_with_split
    if not label:
        return _NO_CLASS
    if len(label) > MAX_LABEL_CHARS:
        return _TOO_LONG
    return Place(label=label, split=name.split if is_split and name.split else split)


@dataclass(frozen=True, slots=True, kw_only=True)
class _NameWords:
    """What the name of a file says.

    Attributes:
        label: The class; empty if the name says none.
        label_with_split: The class together with the word for the split, in case the word belongs to the class.
        split: The part of the split that the word names; None without such a word.
        side: 1 where only the first word can name it, -1 where only the last one can, else 0.
    """

    label: str
    label_with_split: str
    split: Split | None
    side: int

    @classmethod
    def of(cls, stem: str, *, is_split_first: bool) -> "_NameWords":
        label, label_with_split, split, side = "", "", None, 0
        # As long as before, so that a word stands where it stands in the name.
        readable = _IDENTIFIER.sub(lambda found: f" {'0' * (len(found[0]) - 2)} ", stem)
        for words in _runs_of_words(readable):
            kept, run_split = _without_split(words, is_split_first=is_split_first)
            if run_split and not split:
                side = bool(split_of_word(words[0].text)) - bool(split_of_word(words[-1].text))
            split = split or run_split
            # The first run with words is the class: what follows a number is mostly a remark.
            if words and not label:
                label_with_split = label_with_split if not kept and label_with_split else _text(stem, words)
                label = _text(stem, kept) if kept else ""
        return cls(
            label=label,
            label_with_split=label_with_split if split else label,
            split=split,
            side=side,
        )


class _SplitWords:
    """Decides whether a word such as `test` in a name is the part of the split, or belongs to the class: `test tube`.

    It is the part of the split where every name has such a word, where words for several parts occur, or where some
    photos of its class have another one or none. A word that stands alone, `train_001`, is a class among other classes
    where no name has another such word.
    """

    def __init__(self, names: Sequence[_NameWords]) -> None:
        self._of_label: defaultdict[str, set[Split | None]] = defaultdict(set)
        for name in names:
            self._of_label[name.label].add(name.split)
        seen = {name.split for name in names if name.label}
        self._divides_all = None not in seen or len(seen - {None}) > 1
        alone = Counter((name.label_with_split.lower(), name.split) for name in names if name.split and not name.label)
        self._is_class_alone = seen == {None} and len(alone) == 1 and max(alone.values()) > 1

    def is_split(self, name: _NameWords) -> bool:
        """Whether the word for the split in this name really is one."""
        if not name.label:
            return not self._is_class_alone
        return name.split is not None and (self._divides_all or len(self._of_label[name.label]) > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """A word of a name, and from where to where it stands in the name."""

    text: str
    start: int
    end: int


def _runs_of_words(stem: str) -> Iterator[list[_Word]]:
    """The words of a name, in runs between numbers and identifiers, each without meaningless words at its ends."""
    tokens = list(_tokens(stem))
    # Only the last number counts the photos: one before it may belong to the class, as in `boeing747_001`.
    last_number = max((index for index, token in enumerate(tokens) if token.text.isdecimal()), default=-1)
    run: list[_Word] = []
    for index, token in enumerate(tokens):
        text, has_number = _word(token.text, is_counted=index < last_number)
        if text:
            run.append(_Word(text=text, start=token.start, end=token.start + len(text)))
        if has_number:
            yield _stripped(run)
            run = []
    yield _stripped(run)


def _tokens(stem: str) -> Iterator[_Word]:
    """What stands between blanks, hyphens and the like; a word for the split is a token of its own: `catTrain01`."""
    for found in _TOKEN.finditer(stem):
        start = found.start()
        for part in apart_from_split(found[0]):
            yield _Word(text=part, start=start, end=start + len(part))
            start += len(part)


def _word(token: str, is_counted: bool) -> tuple[str, bool]:
    """The word in a token, or "", and whether the token is a number or ends in one.

    `cat12` is the word `cat`, unless a number of its own counts the photos (`is_counted`): `boeing747_001` is the word
    `boeing747`.
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
    """The words without those at either end that cameras and programs write."""
    while words and words[0].text.lower() in _MEANINGLESS:
        words = words[1:]
    while words and words[-1].text.lower() in _MEANINGLESS:
        words = words[:-1]
    return words


def _without_split(words: list[_Word], *, is_split_first: bool) -> tuple[list[_Word], Split | None]:
    """The words without one at either end that names a part of the split, as in `test set cat`, and that part."""
    for is_first in (is_split_first, not is_split_first):
        rest = words if is_first else _without_set_words(words, is_first=False)
        if rest and (split := split_of_word(rest[0 if is_first else -1].text)):
            rest = _without_set_words(rest[1:], is_first=True) if is_first else rest[:-1]
            return _stripped(rest), split
    return words, None


def _without_set_words(words: list[_Word], *, is_first: bool) -> list[_Word]:
    """The words without those at one end that belong to a word for the split: `set` of `test set`."""
    while words and words[0 if is_first else -1].text.lower() in SET_WORDS:
        words = words[1:] if is_first else words[:-1]
    return words


def _text(stem: str, words: list[_Word]) -> str:
    """The words as they stand in the name, with what is between them."""
    return stem[words[0].start : words[-1].end]

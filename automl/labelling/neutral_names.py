"""Names of folders that say when, where or how photos were taken, or which lot they came in, but not what they show."""

import re
from enum import IntEnum
from functools import lru_cache

from automl.labelling.split_words import PLAIN_FOLDERS, split_of, words_of


class Telling(IntEnum):
    """How much the name of a folder may say about what is in its photos."""

    NOTHING = 0
    """A date, a place in a series, a device, a lot: `2023-05`, `fold_3`, `site A`, `Camera Roll`, `images_001`."""

    A_NUMBER = 1
    """Nothing but digits, which may count lots but may also be a class."""

    SOMETHING = 2
    """Any other name."""


_ORIGINS = words_of(
    # Who or what was photographed again and again, where, and with what.
    "patient patients subject person participant volunteer donor case site location place plot field farm hospital "
    "clinic centre center lab laboratory factory plant line station camera cam device phone sensor microscope scanner "
    "operator user clip video vid movie scene sequence seq session take recording trial run slide specimen object "
    "standort ort kamera gerät patientin proband aufnahme sitzung szene appareil lieu séance séquence sujet "
    "cámara camara sitio sesión sesion paciente câmera sessão paziente sito sessione 患者 相机 カメラ"
)
_LOTS = words_of(
    "fold folds split cv part parts batch lot chunk shard volume vol disk disc folder group set round week day "
    "month year date time iteration version v teil ordner tag woche monat jahr partie jour semaine mois année parte "
    "día mes año dia mês ano giorno settimana mese anno lote lotto carpeta pasta cartella dossier папка "
    "批次 日期 フォルダ 新しいフォルダー 新しいフォルダ 新建文件夹 新增資料夾"
)
_MONTHS = (
    "january february march april may june july august september october november december jan feb mar apr jun jul "
    "aug sep sept oct nov dec januar februar märz mai juni juli oktober dezember janvier février mars avril juin "
    "juillet août septembre octobre novembre décembre enero febrero marzo abril mayo junio julio agosto septiembre "
    "octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre"
)
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun"
_TIMES = words_of(f"{_MONTHS} {_WEEKDAYS} am pm morning afternoon evening spring summer autumn winter")
_CONDITIONS = words_of("indoor indoors outdoor outdoors day night sunny cloudy rainy inside outside")
_VARIANTS = words_of(
    "color colour colored coloured rgb gray grey grayscale greyscale grays greys bw mono monochrome segmented masked "
    "augmented aug original originals cropped crop crops resized processed preprocessed unprocessed enhanced hd hires "
    "lowres thumbs thumbnails farbe farbig grau schwarzweiss couleur gris "
    "colore grigio cor cinza 彩色 灰度 カラー"
)
_PROGRAMS = words_of(
    "camera roll uploads dcim iphone ipad samsung galaxy pixel huawei android google drive icloud whatsapp telegram "
    "signal screenshots screenshot download downloads new neu neuer neue nouveau nuevo "
    "nueva nova nuova новая untitled unsorted misc other others more "
    "extra extras old copy backup apple canon nikon panasonic pana olympus olymp msdcf fuji "
    "fujifilm casio gopro andro ricoh nd nd750 media album gallery internet web "
    "from phone and various diverse verschiedenes sonstiges from the my own"
)
_MEANINGLESS = _ORIGINS | _LOTS | _TIMES | _CONDITIONS | _VARIANTS | _PROGRAMS | PLAIN_FOLDERS
_MASKS = words_of(
    "mask masks label labels annotation annotations annots anno segmentation segmentations seg groundtruth gt ground "
    "truth trimap trimaps superpixels contours bboxes xmls "
    "maske masken segmentierung segmentierungen annotationen masque masques étiquettes máscara máscaras mascara "
    "mascaras "
    "segmentación segmentacion anotaciones segmentação segmentacao anotações anotacoes maschera maschere segmentazione "
    "annotazioni masker maskers maski adnotacje segmentacja maskeler "
    "маска маски сегментация аннотации разметка 掩码 掩膜 遮罩 标注 標註 分割 マスク アノテーション 마스크"
)
_HOLDERS = _MASKS | PLAIN_FOLDERS | words_of("fold folds batch chunk shard folder dcim apple new untitled")
_PHOTOS = PLAIN_FOLDERS | words_of("original originals input inputs rgb scan scans frame frames")
_WORD = re.compile(r"[^\W\d_]+")
_CAPITAL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word begins without a gap before it: `SegmentationClass`, `JPEGImages`."""
_DATE = re.compile(r"(19|20)\d\d([-_. ]?[01]\d([-_. ]?[0-3]\d)?)?|[0-3]?\d[-_. ][0-3]?\d[-_. ](19|20)?\d\d")
"""A year, a month of a year or a day, without words."""
_SIZE = re.compile(r"\d+ ?x( ?\d+)?|\d+ ?px", re.IGNORECASE)
"""How much photos are enlarged, or how large they are: `40X`, `224x224`, `512px`."""


@lru_cache(maxsize=65536)
def telling(folder: str) -> Telling:
    """How much a name may say about what its photos show."""
    words = [word.lower() for word in _WORD.findall(folder)]
    if not words and any(c.isdigit() for c in folder):
        return Telling.NOTHING if _DATE.fullmatch(folder) else Telling.A_NUMBER
    if _SIZE.fullmatch(folder):
        return Telling.NOTHING
    if not words or (len(words) == 1 and len(words[0]) == 1):
        return Telling.SOMETHING
    # A letter beside a word counts lots, as a number does: `site A`.
    is_meaningless = all(word in _MEANINGLESS or len(word) == 1 for word in words)
    return Telling.NOTHING if is_meaningless or split_of(folder) else Telling.SOMETHING


@lru_cache(maxsize=65536)
def is_variant(folder: str) -> bool:
    """Whether a folder is named for what was done to the photos, so that other folders have the same shots again."""
    words = _WORD.findall(folder.lower())
    return bool(words) and any(word in _VARIANTS for word in words) and all(word in _MEANINGLESS for word in words)


@lru_cache(maxsize=65536)
def is_origin(folder: str) -> bool:
    """Whether a folder is named for one of several subjects, places, devices or clips: `patient_07`, `site B`."""
    first, *others = _WORD.findall(folder.lower()) or [""]
    numbered = any(c.isdigit() for c in folder) or any(len(word) == 1 for word in others)
    return first in _ORIGINS and numbered and all(len(word) == 1 for word in others)


@lru_cache(maxsize=65536)
def is_lot(folder: str) -> bool:
    """Whether a folder is one of several numbered or dated ones, of which none says anything: `images_001`, `2023-05`.

    As class names these make no sense where another reading gives classes.
    """
    return any(c.isdigit() for c in folder) and telling(folder) is Telling.NOTHING


@lru_cache(maxsize=65536)
def is_empty_word(folder: str) -> bool:
    """Whether a folder can be no class at all, since it only says that it holds photos, or what belongs to photos."""
    words = _WORD.findall(folder.lower())
    return bool(words) and all(word in _HOLDERS for word in words)


@lru_cache(maxsize=65536)
def is_mask(folder: str) -> bool:
    """Whether a folder is named for what belongs to photos and is none itself: `masks`, `ground_truth`."""
    words = _parts(folder)
    return bool(words) and all(word in _MASKS for word in words)


@lru_cache(maxsize=65536)
def has_mask_word(folder: str) -> bool:
    """Whether one of the words in a name is a word for what belongs to photos: `lung masks`, but also `no_mask`."""
    return any(word in _MASKS for word in _parts(folder))


@lru_cache(maxsize=65536)
def holds_photos(folder: str) -> bool:
    """Whether a folder is named for the photos in it, unlike another one beside it with their masks."""
    words = _parts(folder)
    return bool(words) and all(word in _PHOTOS for word in words)


def _parts(folder: str) -> list[str]:
    return _WORD.findall(_CAPITAL.sub(" ", folder).lower())

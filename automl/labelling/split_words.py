"""The words that name a part of the split, such as the `train` of a folder or of the name of a file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from automl.records import Split
from automl.text.upload_names import Folders


def words_of(text: str) -> frozenset[str]:
    """The words of a text with blanks between them."""
    return frozenset(text.split())


_WORDS: Mapping[Split, str] = {
    Split.TRAIN: (
        "train training trainings trn trainval learn learning "
        "trening treningowe treningowy uczenie uczące eğitim egitim pelatihan تدريب التدريب "
        "trainieren lern lernen entrainement entraînement apprentissage entrenamiento entrenar entreno aprendizaje "
        "addestramento allenamento apprendimento treino treinamento treinar aprendizagem "
        "训练 訓練 学习 學習 学習 トレーニング 훈련 학습 обучение обучающая обучающие "
        "обучающий тренировка тренировочная тренировочные тренировочный "
        "trénovací trénování trénink tréninkové tanító tanítás trainen oefenen träning træning koulutus antrenare "
        "tréningové навчання навчальні обучение εκπαίδευση אימון אימונים huấnluyện"
    ),
    Split.VALIDATION: (
        "val vld valid validation validate validating dev devel development "
        "walidacja walidacyjne walidacyjny doğrulama dogrulama validasi تحقق التحقق "
        "validierung validierungs validacion validación validar validazione convalida validacao validação validatie "
        "验证 驗證 校验 検証 バリデーション 검증 валидация валидационная "
        "валидационные валидационный проверочная проверочные "
        "validační validace validálás validáló validatie valideren validering validointi validare валідація επικύρωση "
        "אימות תיקוף kiểmđịnh xácthực"
    ),
    Split.TEST: (
        "test tests testing tst holdout heldout holdback unseen eval evaluation evaluate evaluating "
        "prüfung prüf prüfungs pruefung pruef auswertung évaluation prueba pruebas probar evaluacion evaluación essai "
        "testowe testowy verifica pengujian اختبار الاختبار "
        "teste testes avaliacao avaliação prova valutazione "
        "测试 測試 テスト 試験 评估 評估 評価 테스트 평가 тест тестовая тестовые "
        "тестовый "
        "testovací testování teszt tesztelés testen toets testning testi testaus testare тестові тестування δοκιμή "
        "בדיקה מבחן kiểmtra kiểmthử"
    ),
}

SPLIT_WORDS: Mapping[str, Split] = {word: split for split, words in _WORDS.items() for word in words.split()}
"""Each known word, in lower case, and the part of the split that it names."""

EVALUATION_WORDS = words_of(
    "eval evaluation evaluate evaluating auswertung évaluation evaluacion evaluación avaliacao avaliação valutazione "
    "评估 評估 評価 평가"
)
"""Words for the test part that mean the validation part where there is a test part beside it."""

PLAIN_FOLDERS = words_of(
    "images image imgs img photos photo pictures picture pics pic jpg jpeg jpgs png pngs tif tiff raw data "
    "bilder bild fotos foto fotografias imagenes imágenes imagens immagini afbeeldingen obrazy zdjęcia obrázky "
    "fotografie resimler görüntüler gambar kuvat képek "
    "изображения фото фотографии картинки зображення εικόνες תמונות صور ảnh "
    "图片 图像 圖片 照片 画像 写真 이미지 사진"
)
"""Names of folders that only say that there are photos in them."""

SET_WORDS = words_of(
    "set sets data dataset datasets split splits subset daten datensatz données donnees datos dados dati "
    "集 数据 数据集 數據 資料 用 用データ データ データセット セット"
)
"""Words that stand beside one for the split and belong to it: `test set`, `训练集`."""

_WORDS_BESIDE_SPLIT = (
    PLAIN_FOLDERS
    | SET_WORDS
    | words_of(
        "part folder folders dir directory files samples sample final menge satz ordner ensemble jeu conjunto dossier "
        "de di do da d of the for my 用画像"
    )
)

_ENDINGS = tuple(
    sorted(
        {word for word in _WORDS_BESIDE_SPLIT if len(word) > 3 or not word.isascii()} | {"set", "img", "dir"}, key=len
    )
)
"""What may be written after a word for the split without a gap: `trainset`, `Testdaten`, `訓練用`."""

_TOKEN = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WITHOUT_GAPS = re.compile("|".join(word for word in SPLIT_WORDS if ord(word[0]) > 0x2E80))
"""The words of languages that are written without gaps, which may stand anywhere in a token: `花卉训练集`."""


_WRITTEN_APART = re.compile(
    r"(?<![^\W\d_])(?:(hold|held)[\s_-]+(out|back)|(train)(?:ing)?[\s_-]+(?:and[\s_-]+)?(val)(?:id|idation)?"
    r"|(huấn)[\s_-]+(luyện)|(kiểm)[\s_-]+(tra|thử|định)|(xác)[\s_-]+(thực))"
    r"(?![^\W\d_])",
    re.IGNORECASE,
)
"""Words for the split that are often written as two: `hold out`, `train val`, `huấn luyện`."""

_GAP = "\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitName:
    """A name that has a word for a part of the split in it.

    Attributes:
        split: The part that the word names.
        word: The word, in lower case.
        rest: The other words, in lower case, without numbers and without words that only say that it is a set of
            photos: `asl` and `alphabet` in `asl_alphabet_train_set`.
    """

    split: Split
    word: str
    rest: tuple[str, ...]


@lru_cache(maxsize=65536)
def split_name(folder: str) -> SplitName | None:
    """What a name says about the split; None where it has no word for a part, or words for several."""
    tokens = [token.lower() for token in _TOKEN.findall(_with_gaps(_joined(folder)))]
    named = [token for token in tokens if split_of_word(token)]
    if not named or len({split_of_word(token) for token in named}) > 1:
        return None
    split = split_of_word(named[0])
    rest = tuple(token for token in tokens if token not in _WORDS_BESIDE_SPLIT and token not in named)
    return SplitName(split=split, word=split_word(named[0]), rest=rest) if split else None


def without_split_word(name: str) -> str:
    """`name` without the word for the split, what belongs to it and what joins it to the other words.

    The class is what is left: `cats` of `cats_train_set`, `cat` of `catTrain` and `猫` of `猫训练集`.
    """
    text = _with_gaps(_joined(name))
    tokens = list(_TOKEN.finditer(text))
    is_beside = [token[0].lower() in _WORDS_BESIDE_SPLIT for token in tokens]
    dropped = {index for index, token in enumerate(tokens) if split_of_word(token[0])}
    for index in sorted(dropped):
        for step in (1, -1):
            other = index + step
            while 0 <= other < len(tokens) and is_beside[other]:
                dropped.add(other)
                other += step
    for index in sorted(dropped, reverse=True):
        text = text[: tokens[index].start()] + text[tokens[index].end() :]
    text = re.sub(r"([\s_.-])[\s_.-]+", r"\1", text.replace(_GAP, ""))
    return text.strip(" _.-") or name


def apart_from_split(token: str) -> list[str]:
    """The parts of a token in which a word for the split is written together with others: `cat` and `Train01`."""
    parts: list[str] = []
    for part in filter(None, _with_gaps(token).split(_GAP)):
        # `训练集` is one word for the split, whatever stands before it.
        if parts and split_of_word(parts[-1]) and _names_split(parts[-1] + part):
            parts[-1] += part
        else:
            parts.append(part)
    return parts if any(map(_names_split, parts)) else [token]


def _names_split(token: str) -> bool:
    """Whether a token is a word for the split, perhaps with a number behind it."""
    return split_of_word(token.rstrip("0123456789")) is not None


def _with_gaps(text: str) -> str:
    """The text with a mark between words that are told apart by a capital letter, or by being known words."""
    return _WITHOUT_GAPS.sub(rf"{_GAP}\g<0>{_GAP}", _CAMEL.sub(_GAP, text))


def _joined(text: str) -> str:
    """The text with words in one that are often written as two: `hold out`, `train val`."""
    return _WRITTEN_APART.sub(lambda found: "".join(filter(None, found.groups())), text)


@lru_cache(maxsize=65536)
def split_word(token: str) -> str:
    """The known word that a token is, or is put together with: `train` of `trainset`; empty where it is none."""
    word = token.lower()
    if word in SPLIT_WORDS:
        return word
    beginnings = (word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending) and word != ending)
    return next((found for beginning in beginnings if (found := split_word(beginning))), "")


def split_of_word(token: str) -> Split | None:
    """The part of the split that a single word names."""
    return SPLIT_WORDS.get(split_word(token))


def split_of(folder: str) -> Split | None:
    """The part of the split that a folder of this name holds, if it is named for one alone: `train`, `test_set`."""
    name = split_name(folder)
    return name.split if name and not name.rest else None


@lru_cache(maxsize=4096)
def innermost_split(folders: Folders) -> Split | None:
    """The part of the split that is named by the innermost folder that names one."""
    return next((split for folder in reversed(folders) if (split := split_of(folder))), None)

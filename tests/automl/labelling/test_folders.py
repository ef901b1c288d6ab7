import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.labelling.places import NoPlace, Place, Reading
from automl.labelling.reading import Layout, read_layout
from automl.labelling.split_words import SPLIT_WORDS, split_name
from automl.records import Split


def read(*folders: str, reading: Reading | None = None) -> Layout:
    """The layout of three photos in each of the folders."""
    return read_layout([f"{folder}/{n}.jpg" for folder in folders for n in range(3)], reading=reading)


def places(*folders: str, reading: Reading | None = None) -> list[Place | None]:
    """The place of the photos in each of the folders."""
    found = read(*folders, reading=reading).places[::3]
    return [place if isinstance(place, Place) else None for place in found]


def in_each(outer: str, inner: str) -> list[str]:
    return [f"{one}/{other}" for one in outer.split() for other in inner.split()]


def labels_of(folders: list[str]) -> list[str]:
    return [place.label if place else "" for place in places(*folders)]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training_set/training_set", "test_set/test_set"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("x-train-set", "x-test-set"),
        ("trainset", "holdout"),
        ("Training", "Testing"),
        ("train_part1", "unseen data"),
        ("Trainingsdaten", "Prüfdaten"),
        ("entraînement", "essai"),
        ("conjunto de entrenamiento", "conjunto de prueba"),
        ("addestramento", "prova"),
        ("treino", "teste"),
        ("训练集", "测试集"),
        ("学習データ", "テストデータ"),
        ("traindir", "testdir"),
        ("entrenar", "probar"),
        ("тренировочные", "тестовые"),
        ("uczenie", "testowe"),
        ("تدريب", "اختبار"),
    ],
)
def test_words_of_the_split_are_parts_where_they_fit_together(train: str, test: str) -> None:
    found = read(f"data/{train}/cat", f"data/{train}/dog", f"data/{test}/cat", f"data/{test}/dog")
    assert found.places[::3] == [
        Place(label="cat", split=Split.TRAIN),
        Place(label="dog", split=Split.TRAIN),
        Place(label="cat", split=Split.TEST),
        Place(label="dog", split=Split.TEST),
    ]


@pytest.mark.parametrize(
    "classes",
    [
        *(
            ["bus", "car", "train"],
            ["valid", "invalid"],
            ["control", "placebo", "test"],
            ["training shoes", "test tube"],
        ),
        *(["bus/images", "car/images", "train/images"], ["valid/2023", "invalid/2023", "valid/2024"]),
        *(["a/bus", "a/car", "a/train"], ["train/bus", "train/train", "test/bus", "test/train"]),
    ],
)
def test_words_of_the_split_are_classes_among_other_classes(classes: list[str]) -> None:
    # A folder of the class may have folders that say nothing in it.
    expected = [
        next(name for name in reversed(one.split("/")) if name not in ("images", "2023", "2024")) for one in classes
    ]
    assert labels_of(classes) == expected


@pytest.mark.parametrize(
    "unlabelled", ["test", "test/test", "test1/test1", "test/images", "test/unknown", "seg_test/seg_test"]
)
def test_photos_of_a_test_folder_without_classes_are_no_class(unlabelled: str) -> None:
    found = read("train/cat", "train/dog", unlabelled)
    assert found.places[:6] == [Place(label="cat")] * 3 + [Place(label="dog")] * 3
    assert isinstance(found.places[-1], NoPlace)


def test_a_wrapper_around_some_parts_stands_beside_another_part() -> None:
    names = [*in_each("plants/plants/train plants/plants/valid", "rose lily"), "test/test"]
    assert [place and place.split for place in places(*names)] == [*[Split.TRAIN] * 2, *[Split.VALIDATION] * 2, None]


def test_eval_is_the_test_part_unless_there_is_another() -> None:
    assert places(*in_each("train eval", "cat dog"))[2] == Place(label="cat", split=Split.TEST)
    assert places(*in_each("train eval test", "cat dog"))[2] == Place(label="cat", split=Split.VALIDATION)


def test_class_and_part_may_stand_in_one_name() -> None:
    assert places("cats_train", "cats_test", "dogs_train", "dogs_test") == [
        Place(label="cats", split=Split.TRAIN),
        Place(label="cats", split=Split.TEST),
        Place(label="dogs", split=Split.TRAIN),
        Place(label="dogs", split=Split.TEST),
    ]


@pytest.mark.parametrize(
    "outer",
    [
        *("fold_1 fold_2 fold_3", "2023 2024", "2023-05-01 2023-05-02", "site_A site_B", "cam1 cam2", "berlin munich"),
        *("images_001 images_002", "day night", "patient_1 patient_2", "8863 9035", "Januar Februar"),
    ],
)
def test_outer_folders_that_repeat_the_inner_names_are_groups(outer: str) -> None:
    layout = read(*in_each(outer, "cat dog"))
    assert layout.reading is Reading.PARENT
    assert layout.places[::3] == [Place(label=label, group=one) for one in outer.split() for label in ("cat", "dog")]
    assert [other.reading for other in layout.others] == [Reading.FOLDERS]
    assert outer.split()[0] in layout.description and outer.split()[0] in layout.others[0].description


def test_outer_folders_may_lack_some_of_the_inner_names() -> None:
    found = places("berlin/ok", "berlin/dent", "berlin/rust", "rome/ok", "rome/dent", "oslo/ok")
    assert [place and (place.label, place.group) for place in found][-1] == ("ok", "oslo")
    assert (
        labels_of(["apple/healthy", "apple/scab", "tomato/healthy", "tomato/blight"]) == ["apple"] * 2 + ["tomato"] * 2
    )


def test_the_same_photos_in_colour_and_gray_are_no_groups() -> None:
    assert places(*in_each("color gray", "cat dog"))[0] == Place(label="cat")


def test_groups_may_lie_around_parts_and_inside_them() -> None:
    around = places(*in_each("site_1/train site_1/test site_2/train site_2/test", "cat dog"))
    assert around[-1] == Place(label="dog", split=Split.TEST, group="site_2")
    inside = places(*in_each("train/site_1 train/site_2 test/site_3", "cat dog"))
    assert inside[-1] == Place(label="dog", split=Split.TEST, group="site_3")
    nested = places(*in_each("site_1/cam_a site_1/cam_b site_2/cam_a site_2/cam_b", "cat dog"))
    assert nested[0] == Place(label="cat", group="site_1")


@pytest.mark.parametrize("inner", ["2023 2024", "indoor outdoor", "color gray", "IMG_1 IMG_2", "1 2"])
def test_inner_folders_that_say_nothing_belong_to_their_class(inner: str) -> None:
    assert labels_of(in_each("cat dog", inner)) == ["cat", "cat", "dog", "dog"]


@pytest.mark.parametrize("deeper", [("2023", "2024"), ("2023", "Camera Roll"), ("New folder", "from phone")])
def test_folders_in_one_class_only_belong_to_it(deeper: tuple[str, str]) -> None:
    assert labels_of(["cat", *(f"dog/{one}" for one in deeper)]) == ["cat", "dog", "dog"]


def test_a_folder_in_a_class_that_is_named_for_a_subject_is_a_group() -> None:
    found = places("benign/patient_1", "benign/patient_2", "malignant/patient_3")
    assert [place and place.group for place in found] == ["patient_1", "patient_2", "patient_3"]


def test_a_part_that_holds_all_of_a_class_is_none() -> None:
    assert places("cat", "dog/test") == [Place(label="cat"), Place(label="dog")]
    assert places("cat", "dog", "dog/test")[2] == Place(label="dog", split=Split.TEST)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("catTrain", "catTest", "dogTrain", "dogTest"), ["cat", "cat", "dog", "dog"]),
        (("trainA", "trainB", "testA", "testB"), ["A", "B", "A", "B"]),
        (("猫训练集", "猫测试集", "狗训练集", "狗测试集"), ["猫", "猫", "狗", "狗"]),
        (("cats_train_set", "cats hold out", "dogs_train_set", "dogs hold out"), ["cats", "cats", "dogs", "dogs"]),
    ],
)
def test_a_word_of_the_split_that_is_written_together_with_a_class_leaves_the_class(
    names: tuple[str, ...], labels: list[str]
) -> None:
    found = places(*names)
    assert [place.label for place in found if place] == labels
    assert {place.split for place in found if place} == {Split.TRAIN, Split.TEST}


@pytest.mark.parametrize(
    "test", [("test/images", "test/labels"), ("test/part1", "test/part2"), ("test/1 x", "test/2x")]
)
def test_folders_that_say_nothing_in_an_unlabelled_part_are_no_classes(test: tuple[str, str]) -> None:
    assert places("train/cat", "train/dog", *test) == [Place(label="cat"), Place(label="dog"), None, None]


@pytest.mark.parametrize(
    ("names", "lost"),
    [
        (("COVID/images", "COVID/masks", "Normal/images", "Normal/masks"), [1, 3]),
        (("train/good", "test/good", "test/broken", "ground_truth/broken"), [3]),
        (("images/n01-beagle", "images/n02-boxer", "annotations/n01-beagle"), [2]),
    ],
)
def test_masks_beside_photos_are_not_learned_from(names: tuple[str, ...], lost: list[int]) -> None:
    found = places(*names)
    assert [index for index, place in enumerate(found) if place is None] == lost
    assert "masks" not in labels_of(list(names))


def test_how_large_photos_are_is_no_class() -> None:
    kinds = ("benign/adenosis/a1", "benign/tubular/b1", "malignant/ductal/c1", "malignant/lobular/d1")
    assert labels_of(in_each(" ".join(kinds), "40X 100X 400X"))[::6] == ["benign", "malignant"]
    assert labels_of(in_each("224x224 512x512", "cat dog")) == ["cat", "dog", "cat", "dog"]


def test_the_outermost_place_is_the_group_also_where_one_has_a_single_camera() -> None:
    found = places(*in_each("site_1/cam_a site_1/cam_b site_2/cam_a", "deer fox"))
    assert [place and place.group for place in found] == ["site_1"] * 4 + ["site_2"] * 2


def test_a_folder_beside_a_copy_of_itself_is_no_group() -> None:
    found = places(*in_each("Hands/01 Hands/02 hands/Hands/01 hands/Hands/02", "palm fist"))
    assert {place and place.group for place in found} == {"01", "02"}


def test_copies_of_a_class_folder_belong_to_the_class() -> None:
    assert labels_of(["cat", "cat - Copy", "dog", "dog (2)", "kiwi (1)"]) == ["cat", "cat", "dog", "dog", "kiwi (1)"]
    assert "'dog (2)' was taken for another spelling of 'dog'." in read("cat", "dog", "dog (2)").notes


def test_new_folders_are_no_classes() -> None:
    assert labels_of(["Neuer Ordner/Hund", "Neuer Ordner/Katze", "Neuer Ordner (2)/Hund"]) == ["Hund", "Katze", "Hund"]


@pytest.mark.parametrize("names", [("images_001/images", "images_002/images"), ("train/images", "train/masks")])
def test_folders_that_only_hold_photos_are_no_classes_but_can_be_chosen(names: tuple[str, ...]) -> None:
    layout = read(*names)
    assert all(isinstance(place, NoPlace) for place in layout.places)
    assert [other.reading for other in layout.others] == [Reading.PARENT]


def test_numbered_lots_give_way_to_names_that_say_the_class() -> None:
    names = [f"part{lot}/{label}_{n}.jpg" for lot in "12" for label in ("cat", "dog") for n in range(3)]
    assert read_layout(names).reading is Reading.NAMES


def test_both_readings_of_a_name_of_a_part_are_offered() -> None:
    layout = read("cat", "dog", "test")
    assert layout.places[-1] == Place(label="test")
    assert "cat, dog." in layout.others[0].description


CLASSES = st.lists(
    st.sampled_from(["rose", "tulip", "Löwenzahn", "猫", "hot dog", "bus", "train", "test", "valid", "0", "12"]),
    min_size=2,
    max_size=5,
    unique=True,
).filter(lambda classes: len({(split_name(one) and "split") or one for one in classes}) == len(classes))
"""Class names, of which one at most is a word of the split."""

WRAPPERS = st.lists(st.sampled_from(["archive", "my data", "data", "dataset", "images", "v1"]), max_size=3)


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(CLASSES, WRAPPERS, st.randoms(use_true_random=False))
def test_wrappers_change_nothing(classes: list[str], wrappers: list[str], chance: random.Random) -> None:
    folders = ["/".join([*wrappers, label]) for label in chance.sample(classes, len(classes))]
    found = {place.label for place in places(*folders) if place}
    if len(classes) > 2 or not any(map(split_name, classes)):
        assert found == set(classes)


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(
    CLASSES,
    WRAPPERS,
    st.sampled_from(sorted(word for word, split in SPLIT_WORDS.items() if split is Split.TRAIN)),
    st.sampled_from(sorted(word for word, split in SPLIT_WORDS.items() if split is Split.TEST)),
    st.sampled_from(["{}", "{}_set", "x-{}", "{}/{}", "{} images"]),
    st.randoms(use_true_random=False),
)
def test_parts_with_any_words_give_the_same_reading(
    classes: list[str], wrappers: list[str], train: str, test: str, form: str, chance: random.Random
) -> None:
    parts = {form.replace("{}", train): Split.TRAIN, form.replace("{}", test): Split.TEST}
    expected = {
        "/".join([*wrappers, part, label]): Place(label=label, split=split)
        for part, split in parts.items()
        for label in classes
    }
    folders = chance.sample(sorted(expected), len(expected))
    assert dict(zip(folders, places(*folders), strict=True)) == expected


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from(["rose", "tulip", "猫", "bus", "train"]), min_size=2, max_size=4, unique=True),
    WRAPPERS,
    st.sampled_from(["fold_{}", "2023-0{}", "site {}", "camera{}", "images_00{}", "part {}"]),
    st.integers(2, 4),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_groups_of_any_kind_give_the_same_reading(
    classes: list[str], wrappers: list[str], group: str, n: int, has_parts: bool, chance: random.Random
) -> None:
    parts = ["train", "test"] if has_parts else [""]
    expected = {
        "/".join([*wrappers, outer, *([part] if part else []), label]): Place(
            label=label, split=Split(part) if part else None, group=outer
        )
        for outer in (group.format(i + 1) for i in range(n))
        for part in parts
        for label in classes
    }
    folders = chance.sample(sorted(expected), len(expected))
    assert dict(zip(folders, places(*folders), strict=True)) == expected

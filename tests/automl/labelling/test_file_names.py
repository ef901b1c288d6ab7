import random

import pytest

from automl.labelling.places import NoPlace, Place, Reading
from automl.labelling.reading import Layout, read_layout
from automl.records import Split


def by_names(*names: str) -> list[str | None]:
    places = read_layout(names, reading=Reading.NAMES).places
    return [place.label if isinstance(place, Place) else None for place in places]


def guessed(*names: str) -> Layout:
    return read_layout(names)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("angular_leaf_spot_0030.jpg", "angular_leaf_spot"),
        ("cat_001.jpg", "cat"),
        ("cat.0.jpg", "cat"),
        ("cat001.jpg", "cat"),
        ("dog (3).jpg", "dog"),
        ("dog - Copy (2).jpg", "dog"),
        ("great pyrenees-12.jpg", "great pyrenees"),
        ("001_cat.jpg", "cat"),
        ("2019-07-01_cat_3.jpg", "cat"),
        ("IMG_0001_cat.jpg", "cat"),
        ("cat_001_rot90.jpg", "cat"),
        ("boeing747_001.jpg", "boeing747"),
        ("boeing737_001.jpg", "boeing737"),
        ("a1.jpg", "a"),
        ("café_7.jpg", "café"),
        ("गुलाब_7.jpg", "गुलाब"),
        ("hot dog's.jpg", "hot dog's"),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301_cat.jpg", "cat"),
        ("cat-840f04e0-4f89-41d3-9a0c-0305e82c3301.jpg", "cat"),
        ("b352a47d8c_cat.jpg", "cat"),
        ("cat_b352a47d8c_001.jpg", "cat"),
        ("img_cat_001_jpg.rf.a3f9c2d1e4b5a3f9.jpg", "cat"),
        ("20230517T101112_cat.jpg", "cat"),
        ("May 17, 2023 cat.jpg", "cat"),
        ("17-May-2023_cat.jpg", "cat"),
        ("IMG_E1234_cat.jpg", "cat"),
        ("P1010012_cat.jpg", "cat"),
        ("face001.jpg", "face"),
        ("may_001.jpg", "may"),
    ],
)
def test_the_words_of_a_name_are_its_class(name: str, label: str) -> None:
    assert by_names(name) == [label]


@pytest.mark.parametrize(
    "name",
    [
        *("IMG_20190701_123456.jpg", "IMG-20190701-WA0001.jpg", "DSC_0001.JPG", "_DSC0001.jpg", "DSCN0001.jpg"),
        *("PXL_20210101_101010123.jpg", "Screenshot 2020-01-01 at 10.10.10 AM.png", "image (3).jpg", "image_00012.jpg"),
        *("WhatsApp Image 2020-01-01 at 10.10.10.jpeg", "photo.jpg", "download (1).jpg", "frame0012.png"),
        *("3f2504e0-4f89-41d3-9a0c-0305e82c3301.jpg", "2756397428_1d82a08807.jpg", "b352a47d8c.jpg", "0007.jpg"),
        *("_MG_1234.jpg", "IMG_E1234.jpg", "P1010012.jpg", "R0012345.jpg", "B612_20180101_101010.jpg", "PICT0001.jpg"),
        *("60241187_10150123456789012_1749051801_n.jpg", "60241187_10150123456789012_1749051801_o.jpg"),
        *("mmexport1684321234567.jpg", "vlcsnap-2023-05-17-10h11m12s.png"),
        *("train_001.jpg", "test.jpg", "...jpg", "-.jpg"),
    ],
)
def test_what_cameras_and_programs_call_a_photo_is_no_class(name: str) -> None:
    assert by_names(name) == [None]


@pytest.mark.parametrize("sizes", [("", "_n", "_m", "_z"), ("_b", "_o", "_3k"), ("_n",)])
def test_names_that_flickr_gives_are_no_classes_however_many_there_are(sizes: tuple[str, ...]) -> None:
    numbers = random.Random(5)
    names = [
        f"{numbers.randrange(10**6, 10**11)}_{numbers.getrandbits(40):010x}{numbers.choice(sizes)}.jpg"
        for _ in range(300)
    ]
    assert by_names(*names) == [None] * 300
    places = read_layout([f"daisy/{name}" for name in names]).places
    assert [place.label for place in places if isinstance(place, Place)] == ["daisy"] * 300


def test_names_as_in_the_beans_give_class_and_split() -> None:
    names = [
        f"{label}_{part}.{n}.jpg"
        for label in ("angular_leaf_spot", "healthy")
        for part in ("train", "val", "test")
        for n in range(3)
    ]
    layout = guessed(*names)
    assert layout.reading is Reading.NAMES
    assert layout.places[0] == Place(label="angular_leaf_spot", split=Split.TRAIN)
    assert layout.places[-1] == Place(label="healthy", split=Split.TEST)
    assert layout.description == (
        "The name of each file says its class (angular_leaf_spot_test.0.jpg: angular_leaf_spot), "
        "with your own train, validation and test photos."
    )


def test_a_split_that_all_names_share_says_nothing_and_is_no_part_of_the_class() -> None:
    assert set(guessed("rust_train.0.jpg", "rust_train.1.jpg", "healthy_train.0.jpg").places) == {
        Place(label="rust"),
        Place(label="healthy"),
    }


def test_a_test_photo_of_a_class_that_has_others_is_in_the_test_set() -> None:
    places = guessed("cat_1.jpg", "cat_2.jpg", "dog_1.jpg", "test_cat_3.jpg").places
    assert places == [Place(label="cat"), Place(label="cat"), Place(label="dog"), Place(label="cat", split=Split.TEST)]


def test_a_word_such_as_test_may_belong_to_the_class() -> None:
    assert by_names("dev_board_1.jpg", "dev_board_2.jpg", "cat_1.jpg") == ["dev_board", "dev_board", "cat"]


def test_a_word_of_the_split_is_a_class_among_classes() -> None:
    names = [f"{label}_{n}.jpg" for label in ("bus", "car", "train") for n in range(3)]
    assert [place.label for place in guessed(*names).places if isinstance(place, Place)][-1] == "train"
    assert by_names("valid_1.jpg", "valid_2.jpg", "invalid_1.jpg", "invalid_2.jpg")[0] == "valid"
    assert by_names("cat_1.jpg", "cat_2.jpg", "dog_1.jpg", "test.jpg")[-1] is None


@pytest.mark.parametrize("form", ["{split}_{label}_{n}.jpg", "{label}_{split}_{n}.jpg"])
@pytest.mark.parametrize("words", [("train", "test"), ("trainset", "holdout"), ("训练集", "测试集")])
def test_a_class_called_as_a_part_is_told_by_where_the_part_stands(form: str, words: tuple[str, str]) -> None:
    names = [form.format(split=split, label=label, n=n) for split in words for label in ("bus", "train") for n in "123"]
    places = guessed(*names).places
    assert places[3] == Place(label="train", split=Split.TRAIN)
    assert places[-1] == Place(label="train", split=Split.TEST)


@pytest.mark.parametrize(
    "form",
    ["{label}{split}{n}.jpg", "{split}{label}{n}.jpg", "{split} set {label} {n}.jpg", "{label}_{split}_data_{n}.jpg"],
)
@pytest.mark.parametrize("words", [("Train", "Test"), ("训练", "测试")])
def test_a_word_of_the_split_may_be_written_together_with_the_class(form: str, words: tuple[str, str]) -> None:
    names = [form.format(split=split, label=label, n=n) for split in words for label in ("Cat", "Dog") for n in "123"]
    places = guessed(*names).places
    assert places[::3] == [
        Place(label=label, split=split) for split in (Split.TRAIN, Split.TEST) for label in ("Cat", "Dog")
    ]


def test_wide_brackets_stand_between_words_as_narrow_ones_do() -> None:
    assert by_names("猫（1）.jpg", "猫（2）.jpg", "测试仪【3】.jpg") == ["猫", "猫", "测试仪"]


def test_a_folder_may_name_the_split_where_names_say_the_class() -> None:
    layout = guessed("train/cat_1.jpg", "train/dog_1.jpg", "test/cat_2.jpg", "test/dog_2.jpg")
    assert layout.reading is Reading.NAMES
    assert layout.places[2] == Place(label="cat", split=Split.TEST)


def test_names_that_mostly_differ_are_not_taken_for_classes() -> None:
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghij", k=8)) for _ in range(100)]
    layout = guessed(*(f"{word}.jpg" for word in words))
    assert (layout.reading, layout.others) == (Reading.FOLDERS, ())


def test_names_are_not_used_where_most_of_them_say_nothing() -> None:
    camera = [f"IMG_{n:04}.jpg" for n in range(10)]
    assert guessed("cat_1.jpg", "dog_1.jpg", *camera).reading is Reading.FOLDERS


def test_one_photo_without_a_telling_name_is_refused_with_an_example() -> None:
    place = guessed("cat_1.jpg", "cat_2.jpg", "dog_1.jpg", "dog_2.jpg", "IMG_1.jpg").places[-1]
    assert isinstance(place, NoPlace)
    assert "cat_001.jpg" in place.reason


def test_a_document_has_no_class() -> None:
    assert by_names("cat_1.jpg", "LICENSE.txt") == ["cat", None]


def test_a_class_name_of_endless_length_is_refused() -> None:
    place = read_layout(["x" * 201 + "_1.jpg"], reading=Reading.NAMES).places[0]
    assert isinstance(place, NoPlace)
    assert "longer than 200" in place.reason

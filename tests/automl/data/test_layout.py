import random

import pytest

from automl.data.layout import NoPlace, Place, clean_text, guess_layout, is_junk
from automl.records import Split


def placed(*names: str) -> dict[str, Place]:
    places = guess_layout(names)
    return {name: place for name, place in zip(names, places, strict=True) if isinstance(place, Place)}


def reason(name: str, *others: str) -> str:
    place = guess_layout([name, *others])[0]
    assert isinstance(place, NoPlace)
    return place.reason


CLASSES = ("cat/1.jpg", "dog/1.jpg")


def test_a_folder_is_a_class() -> None:
    assert placed(*CLASSES) == {"cat/1.jpg": Place("cat"), "dog/1.jpg": Place("dog")}


@pytest.mark.parametrize("wrapper", ["pets/", "a/b/c/", "/home/me/pets/", "C:\\Users\\me\\pets\\", "./", "../../"])
def test_folders_around_everything_mean_nothing(wrapper: str) -> None:
    assert {place.label for place in placed(*(wrapper + name for name in CLASSES)).values()} == {"cat", "dog"}


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        *[(name, Split.TRAIN) for name in ("train", "training", "Train")],
        *[(name, Split.VALIDATION) for name in ("val", "valid", "validation", "dev", "VAL")],
        *[(name, Split.TEST) for name in ("test", "testing")],
    ],
)
@pytest.mark.parametrize("wrapper", ["", "beans/"])
def test_folders_above_the_classes_name_the_split(folder: str, split: Split, wrapper: str) -> None:
    other = "test" if split is Split.TRAIN else "train"
    names = [f"{wrapper}{part}/{name}" for part in (folder, other) for name in CLASSES]
    assert placed(*names)[f"{wrapper}{folder}/cat/1.jpg"] == Place("cat", split)


def test_split_folders_inside_the_classes_are_understood_too() -> None:
    places = placed("cat/train/1.jpg", "cat/test/2.jpg", "dog/train/1.jpg", "dog/test/2.jpg")
    assert places["cat/test/2.jpg"] == Place("cat", Split.TEST)
    assert places["dog/train/1.jpg"] == Place("dog", Split.TRAIN)


def test_a_wrapper_inside_the_split_folders_means_nothing() -> None:
    names = [f"{part}/images/{name}" for part in ("train", "test") for name in CLASSES]
    assert placed(*names)["test/images/dog/1.jpg"] == Place("dog", Split.TEST)


def test_a_wrapper_may_itself_be_called_test() -> None:
    names = [f"test/{part}/{name}" for part in ("train", "val") for name in CLASSES]
    assert placed(*names)["test/val/cat/1.jpg"] == Place("cat", Split.VALIDATION)


@pytest.mark.parametrize("only", ["train", "test", "val"])
def test_a_single_split_folder_says_nothing_about_the_split(only: str) -> None:
    assert set(placed(*(f"{only}/{name}" for name in CLASSES)).values()) == {Place("cat"), Place("dog")}


def test_a_test_folder_beside_class_folders_is_the_test_set() -> None:
    places = placed(*CLASSES, *(f"test/{name}" for name in CLASSES))
    assert places["cat/1.jpg"] == Place("cat")
    assert places["test/cat/1.jpg"] == Place("cat", Split.TEST)


def test_test_may_be_the_name_of_a_class() -> None:
    assert {place.label for place in placed("test/1.jpg", "control/1.jpg").values()} == {"test", "control"}


def test_deeper_folders_belong_to_their_class() -> None:
    assert placed("cat/2019/july/1.jpg", "cat/2.jpg", "dog/1.jpg")["cat/2019/july/1.jpg"] == Place("cat")


def test_a_class_that_is_sent_later_stands_beside_those_of_the_first_folder() -> None:
    places = placed("pets/cat/1.jpg", "pets/dog/1.jpg", "bird/1.jpg")
    assert [place.label for place in places.values()] == ["cat", "dog", "bird"]
    assert [place.label for place in placed("photos/cat/1.jpg", "bird/1.jpg").values()] == ["cat", "bird"]


def test_a_single_folder_of_images_inside_a_class_is_no_class() -> None:
    assert [place.label for place in placed("cat/images/1.jpg", "dog/1.jpg").values()] == ["cat", "dog"]


def test_a_picture_outside_any_class_folder_is_refused() -> None:
    assert "outside any class folder" in reason("pets/cover.jpg", "pets/cat/1.jpg", "pets/dog/1.jpg")


def test_a_document_beside_the_folder_does_not_hide_that_the_folder_wraps_everything() -> None:
    places = placed("README.txt", "pets/cat/1.jpg", "pets/dog/1.jpg", "pets/labels/a.csv")
    assert places["pets/cat/1.jpg"] == Place("cat")


def test_pictures_directly_in_a_test_folder_are_refused() -> None:
    names = [f"train/{name}" for name in CLASSES]
    assert "test/name-of-class/photo.jpg" in reason("test/1.jpg", "test/cat/2.jpg", *names)


def test_split_folders_without_classes_are_refused_not_learned() -> None:
    assert "directly in the folder 'train'" in reason("train/1.jpg", "test/1.jpg")


def test_what_lies_beside_the_training_folder_is_refused() -> None:
    names = [f"{part}/{name}" for part in ("train", "test") for name in CLASSES]
    assert "beside the training folder" in reason("drawings/figure.png", *names)


@pytest.mark.parametrize(
    "name",
    [
        "__MACOSX/cat/._1.jpg",
        "cat/.DS_Store",
        "cat/Thumbs.db",
        "cat/desktop.ini",
        "cat/.ipynb_checkpoints/1-checkpoint.jpg",
        "cat/._1.jpg",
        "cat/@eaDir/1.jpg",
    ],
)
def test_junk_is_dropped_and_says_nothing_about_the_layout(name: str) -> None:
    first, *others = guess_layout([name, "pets/cat/1.jpg", "pets/dog/1.jpg"])
    assert isinstance(first, NoPlace)
    assert first.is_junk and is_junk(name)
    assert others == [Place("cat"), Place("dog")]


@pytest.mark.parametrize("name", ["cat/.secret.jpg", ".cache/1.jpg"])
def test_hidden_pictures_are_refused_with_a_reason(name: str) -> None:
    place = guess_layout([name, *CLASSES])[0]
    assert isinstance(place, NoPlace)
    assert "hidden" in place.reason and not place.is_junk


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("big cat", "big cat"),
        ("  cat ", "cat"),
        ("'cat' \"x\"", "'cat' \"x\""),
        ("🐱", "🐱"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\nb\tc\x07d", "a b c d"),
        ("line\u2028end", "line end"),
        ("bad\udcff", "bad"),
    ],
)
def test_any_folder_name_becomes_a_label_on_one_line(folder: str, label: str) -> None:
    assert placed(f"{folder}/1.jpg", "dog/1.jpg")[f"{folder}/1.jpg"].label == label


@pytest.mark.parametrize(
    "name", ["../../etc/cat/1.jpg", "/etc/cat/1.jpg", "..\\..\\cat\\1.jpg", "a/../cat/./1.jpg", "//cat//1.jpg"]
)
def test_hostile_paths_are_only_labels(name: str) -> None:
    assert all(part not in ("", ".", "..") for part in placed(name, "dog/1.jpg")[name].label.split("/"))


def test_a_class_name_of_endless_length_is_refused() -> None:
    assert "longer than 200" in reason("x" * 201 + "/1.jpg", "dog/1.jpg")


@pytest.mark.parametrize("name", ["", "/", "..", "\\", " / "])
def test_a_name_without_a_name_is_refused(name: str) -> None:
    assert reason(name, *CLASSES) == "It has no name."


def test_files_of_one_folder_alone_are_one_class() -> None:
    assert set(placed("cat/1.jpg", "cat/2.jpg").values()) == {Place("cat")}


def test_no_names_no_places() -> None:
    assert guess_layout([]) == []


def test_clean_text_is_stable() -> None:
    assert clean_text(clean_text(" a\r\n\u00a0b ")) == clean_text(" a\r\n\u00a0b ") == "a b"


def test_any_names_at_all_get_a_clean_label_or_a_reason() -> None:
    chance = random.Random(0)
    parts = [
        "train",
        "test",
        "val",
        "cat",
        "Dog",
        "..",
        ".",
        "",
        " ",
        "\\",
        "a\nb",
        "🐕",
        "__MACOSX",
        ".x",
        "1.jpg",
        "x.txt",
    ]
    for _ in range(2000):
        names = ["/".join(chance.choices(parts, k=chance.randint(0, 5))) for _ in range(chance.randint(0, 8))]
        places = guess_layout(names)
        assert len(places) == len(names)
        for place in places:
            text = place.label if isinstance(place, Place) else place.reason
            assert text and text == clean_text(text)
            assert isinstance(place, NoPlace) or (place.label not in (".", "..") and "/" not in place.label)

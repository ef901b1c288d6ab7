import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.labelling.folders import FolderReading
from automl.labelling.label_tables import LabelTable
from automl.labelling.named_file import NamedFile
from automl.labelling.places import NoPlace, Place, Places, Reading
from automl.labelling.reading import OtherReading, read_layout
from automl.labelling.spellings import joined_spellings
from automl.labelling.split_words import split_of
from automl.records import Split
from automl.text.upload_names import clean_parts, clean_text, is_junk


def guess_layout(names: Sequence[str]) -> Places:
    """The places by the folders alone."""
    files = [NamedFile.of(name) for name in names]
    return FolderReading.of(files).by_outermost()


def placed(*names: str) -> dict[str, Place]:
    places = guess_layout(names)
    return {name: place for name, place in zip(names, places, strict=True) if isinstance(place, Place)}


def reason(name: str, *others: str) -> str:
    place = guess_layout([name, *others])[0]
    assert isinstance(place, NoPlace)
    return place.reason


CLASSES = ("cat/1.jpg", "dog/1.jpg")


def test_a_folder_is_a_class() -> None:
    assert placed(*CLASSES) == {"cat/1.jpg": Place(label="cat"), "dog/1.jpg": Place(label="dog")}


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
    assert placed(*names)[f"{wrapper}{folder}/cat/1.jpg"] == Place(label="cat", split=split)


def test_split_folders_inside_the_classes_are_understood_too() -> None:
    places = placed("cat/train/1.jpg", "cat/test/2.jpg", "dog/train/1.jpg", "dog/test/2.jpg")
    assert places["cat/test/2.jpg"] == Place(label="cat", split=Split.TEST)
    assert places["dog/train/1.jpg"] == Place(label="dog", split=Split.TRAIN)


def test_a_wrapper_inside_the_split_folders_means_nothing() -> None:
    names = [f"{part}/images/{name}" for part in ("train", "test") for name in CLASSES]
    assert placed(*names)["test/images/dog/1.jpg"] == Place(label="dog", split=Split.TEST)


def test_a_wrapper_may_itself_be_called_test() -> None:
    names = [f"test/{part}/{name}" for part in ("train", "val") for name in CLASSES]
    assert placed(*names)["test/val/cat/1.jpg"] == Place(label="cat", split=Split.VALIDATION)


@pytest.mark.parametrize("only", ["train", "test", "val"])
def test_a_single_split_folder_says_nothing_about_the_split(only: str) -> None:
    assert set(placed(*(f"{only}/{name}" for name in CLASSES)).values()) == {Place(label="cat"), Place(label="dog")}


def test_a_test_folder_beside_class_folders_is_the_test_set() -> None:
    places = placed(*CLASSES, *(f"test/{name}" for name in CLASSES))
    assert places["cat/1.jpg"] == Place(label="cat")
    assert places["test/cat/1.jpg"] == Place(label="cat", split=Split.TEST)


def test_test_may_be_the_name_of_a_class() -> None:
    assert {place.label for place in placed("test/1.jpg", "control/1.jpg").values()} == {"test", "control"}


def test_deeper_folders_belong_to_their_class() -> None:
    assert placed("cat/2019/july/1.jpg", "cat/2.jpg", "dog/1.jpg")["cat/2019/july/1.jpg"] == Place(label="cat")


def test_a_class_that_is_sent_later_stands_beside_those_of_the_first_folder() -> None:
    layout = read_layout(["pets/cat/1.jpg", "pets/dog/1.jpg", "bird/1.jpg"])
    assert layout.places == [Place(label="cat"), Place(label="dog"), Place(label="bird")]
    assert Reading.FOLDERS in [other.reading for other in layout.others]  # with the classes pets and bird
    assert [place.label for place in placed("photos/cat/1.jpg", "bird/1.jpg").values()] == ["cat", "bird"]


def test_a_single_folder_of_images_inside_a_class_is_no_class() -> None:
    assert [place.label for place in placed("cat/images/1.jpg", "dog/1.jpg").values()] == ["cat", "dog"]


def test_a_picture_outside_any_class_folder_is_refused() -> None:
    assert "outside any class folder" in reason("pets/cover.jpg", "pets/cat/1.jpg", "pets/dog/1.jpg")


def test_a_picture_beside_the_only_folder_does_not_make_that_a_class() -> None:
    names = ["pets/cover.jpg", "pets/photos/cat/1.jpg", "pets/photos/dog/1.jpg"]
    assert placed(*names) == {names[1]: Place(label="cat"), names[2]: Place(label="dog")}
    assert placed("cat/1.jpg", "cat/2019/july/1.jpg")["cat/2019/july/1.jpg"] == Place(label="cat")


def test_a_document_beside_the_folder_does_not_hide_that_the_folder_wraps_everything() -> None:
    places = placed("README.txt", "pets/cat/1.jpg", "pets/dog/1.jpg", "pets/labels/a.csv")
    assert places["pets/cat/1.jpg"] == Place(label="cat")


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
    assert others == [Place(label="cat"), Place(label="dog")]


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
    assert set(placed("cat/1.jpg", "cat/2.jpg").values()) == {Place(label="cat")}


def test_no_names_no_places() -> None:
    assert guess_layout([]) == []


def test_clean_text_is_stable() -> None:
    assert clean_text(clean_text(" a\r\n\u00a0b ")) == clean_text(" a\r\n\u00a0b ") == "a b"


def test_the_folder_that_holds_a_photo_may_be_its_class() -> None:
    names = ["pets/cats/1.jpg", "pets/dogs/1.jpg", "plants/roses/1.jpg"]
    layout = read_layout(names)
    assert [place.label for place in layout.places if isinstance(place, Place)] == ["pets", "pets", "plants"]
    assert layout.others == (
        OtherReading(
            reading=Reading.PARENT,
            description="The innermost folder of each photo is its class. The classes would be: cats, dogs, roses.",
        ),
    )
    inner = read_layout(names, reading=Reading.PARENT)
    assert inner.places == [Place(label="cats"), Place(label="dogs"), Place(label="roses")]
    assert [other.reading for other in inner.others] == [Reading.FOLDERS]


def test_split_folders_beside_the_photos_are_not_their_class() -> None:
    names = ["a/cat/train/1.jpg", "a/cat/test/2.jpg", "b/test/dog/3.jpg", "train/4.jpg"]
    places = read_layout(names, reading=Reading.PARENT).places
    assert places[:3] == [
        Place(label="cat", split=Split.TRAIN),
        Place(label="cat", split=Split.TEST),
        Place(label="dog", split=Split.TEST),
    ]
    assert isinstance(places[3], NoPlace)


@pytest.mark.parametrize("folder", ["training_set", "train_images", "Train Data", "images-train", "train.samples"])
def test_a_split_folder_may_say_that_it_holds_images(folder: str) -> None:
    places = placed(*(f"{part}/{name}" for part in (folder, "test_set") for name in CLASSES))
    assert places[f"{folder}/cat/1.jpg"] == Place(label="cat", split=Split.TRAIN)


@pytest.mark.parametrize("folder", ["training shoes", "test tube", "data", "set", ""])
def test_a_class_is_not_a_split_folder_for_a_word_in_it(folder: str) -> None:
    assert split_of(folder) is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (CLASSES, "One folder for each class."),
        (("train/cat/1.jpg", "test/dog/1.jpg"), "One folder for each class, with your own train and test folders."),
        (("cat/1.jpg", "cat/2.jpg"), "All photos are of one class, 'cat'."),
        (("1.jpg", "2.jpg"), "No folder says what the photos show."),
        ((), "No folder says what the photos show."),
    ],
)
def test_the_layout_is_told_in_a_sentence(names: tuple[str, ...], words: str) -> None:
    layout = read_layout(names)
    assert (layout.reading, layout.description) == (Reading.FOLDERS, words)


@pytest.mark.parametrize("reading", [Reading.NAMES, Reading.TABLE])
def test_a_reading_that_gives_nothing_says_so(reading: Reading) -> None:
    layout = read_layout(CLASSES, reading=reading)
    assert all(isinstance(place, NoPlace) for place in layout.places)
    assert "not say what the photos show" in layout.description or "No table" in layout.description
    assert [other.reading for other in layout.others] == [Reading.FOLDERS, Reading.PARENT]


def test_readings_that_give_the_same_places_are_not_offered() -> None:
    names = [
        f"{part}/{label}/{label}_{part}.{n}.jpg" for part in ("train", "test") for label in ("a", "b") for n in "12"
    ]
    assert read_layout([*names, "README.txt", "train/a/notes.txt"]).others == ()


@pytest.mark.parametrize("other", ["Cat", "CAT", "cat ", "cat_"])
def test_a_class_written_twice_is_one_class_under_its_most_frequent_spelling(other: str) -> None:
    layout = read_layout(["cat/1.jpg", "cat/2.jpg", f"{other}/3.jpg", "dog/1.jpg"])
    assert layout.places[2] == Place(label="cat")
    apart = read_layout(["cat/1.jpg", "cat/2.jpg", f"{other}/3.jpg", "dog/1.jpg"], join_spellings=False)
    assert apart.places[2] == Place(label=clean_text(other)) and not apart.notes


def test_each_joined_spelling_is_told() -> None:
    names = ["leaf_spot/1.jpg", "leaf_spot/2.jpg", "Leaf Spot/3.jpg", "leaf-spot/4.jpg", "healthy/5.jpg"]
    layout = read_layout(names)
    assert (
        layout.notes
        == layout.joined
        == (
            "'Leaf Spot' was taken for another spelling of 'leaf_spot'.",
            "'leaf-spot' was taken for another spelling of 'leaf_spot'.",
        )
    )


@pytest.mark.parametrize(
    "pair", [("a", "A"), ("1", "-1"), ("C", "C++"), ("5-6", "56"), ("hot dog", "hotdog"), ("+", "-")]
)
def test_classes_that_differ_in_more_than_spelling_stay_apart(pair: tuple[str, str]) -> None:
    assert joined_spellings(pair) == {}


def test_documents_do_not_count_as_photos_of_a_class() -> None:
    layout = read_layout(["images/cat_1.jpg", "images/dog_1.jpg", "annotations/notes.txt"])
    assert layout.reading is Reading.NAMES


PARTS = st.sampled_from(
    [
        "train",
        "test",
        "val",
        "test_set",
        "cat",
        "Cat",
        "dog",
        "images",
        "..",
        ".",
        "",
        " ",
        "a\nb",
        "🐕",
        "__MACOSX",
        ".x",
    ]
) | st.text(max_size=6)
FILES = st.sampled_from(["1.jpg", "cat_1.jpg", "dog_train.2.jpg", "IMG_3.jpg", "x.txt", "l.csv", ".DS_Store"]) | PARTS
NAMES = st.builds(lambda parts, file: "/".join([*parts, file]), st.lists(PARTS, max_size=5), FILES)
CELLS = st.sampled_from(["1.jpg", "cat_1", "1", "0", "cat", "dog", "train", "test", "file", "label", "a/1.jpg"])
LINES = st.lists(st.lists(CELLS | st.text(max_size=4), max_size=4).map(",".join), max_size=6).map("\n".join)
TABLES = st.lists(st.builds(LabelTable, name=st.just("l.csv") | NAMES, text=LINES | st.text(max_size=30)), max_size=2)
READINGS = st.none() | st.sampled_from(Reading)


@settings(derandomize=True, database=None, deadline=None, max_examples=400)
@given(st.lists(NAMES, max_size=8), TABLES, READINGS, st.booleans())
def test_any_names_at_all_get_a_clean_label_or_a_reason(
    names: list[str], tables: list[LabelTable], reading: Reading | None, join: bool
) -> None:
    layout = read_layout(names, tables, reading=reading, join_spellings=join)
    assert len(layout.places) == len(names)
    assert reading in (None, layout.reading) and layout.description
    assert layout.reading not in [other.reading for other in layout.others]
    for place in layout.places:
        text = place.label if isinstance(place, Place) else place.reason
        assert text and (text == clean_text(text) or isinstance(place, NoPlace))
        assert isinstance(place, NoPlace) or not (place.label in (".", "..") or {"/", "\\"} & {*place.label})


@settings(derandomize=True, database=None, deadline=None, max_examples=200)
@given(st.lists(NAMES, max_size=8, unique=True), TABLES, READINGS, st.randoms(use_true_random=False))
def test_the_order_of_the_files_changes_nothing(
    names: list[str], tables: list[LabelTable], reading: Reading | None, chance: random.Random
) -> None:
    layout = read_layout(names, tables, reading=reading)
    shuffled = chance.sample(names, len(names))
    again = read_layout(shuffled, tables[::-1], reading=reading)
    assert (again.reading, again.description, again.notes) == (layout.reading, layout.description, layout.notes)
    assert dict(zip(shuffled, again.places, strict=True)) == dict(zip(names, layout.places, strict=True))


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(NAMES, max_size=8), st.sampled_from(["", "photos/", "C:\\me\\", "/a/b/", "./", "../../"]))
def test_a_folder_around_class_folders_changes_no_label(names: list[str], wrapper: str) -> None:
    names = [*names, "cat/1.jpg", "dog/1.jpg"]
    inside = [place for place in guess_layout([f"w/{name}" for name in names]) if isinstance(place, Place)]
    wrapped = [place for place in guess_layout([f"w/{wrapper}{name}" for name in names]) if isinstance(place, Place)]
    assert inside == wrapped


@settings(derandomize=True, database=None, deadline=None)
@given(st.text())
def test_cleaning_is_stable_and_leaves_nothing_that_leads_elsewhere(name: str) -> None:
    parts = clean_parts(name)
    assert clean_parts("/".join(parts)) == parts
    for part in parts:
        assert part == clean_text(part) and part not in ("", ".", "..")
        assert not {"/", "\\", "\0", "\n", "\r", "\u2028"} & {*part}
    assert NamedFile.of(name).path == parts


def test_a_project_of_teachable_machine_has_the_class_in_the_name_of_each_photo() -> None:
    names = [
        f"{folder}{label}-!-{n}.jpg" for folder in ("", "p/") for label in ("Class 1", "Class 2") for n in range(3)
    ]
    layout = read_layout([*names[:6], "manifest.json"])
    assert [place.label for place in layout.places[:6] if isinstance(place, Place)] == ["Class 1"] * 3 + ["Class 2"] * 3
    assert read_layout(names[6:]).places == layout.places[:6]

from dataclasses import dataclass

import pytest

from automl.datasets.verdict import are_too_few_to_compare, explained, problem_of, verdict_of
from automl.records import RefusedFile, Split
from automl.text.lists import quoted


@dataclass(frozen=True)
class Pic:
    label: str
    sha256: str
    split: Split | None = None
    group: str = ""


GOOD = [Pic(label, f"{label}{i}") for label in ("cat", "dog") for i in range(3)]


def test_good_pictures_are_no_problem() -> None:
    assert problem_of(GOOD) == ""


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ([], "no photo here that can be used"),
        (GOOD[:3], "of one class, 'cat'"),
        ([*GOOD, Pic("bird", "x")], "fewer than 2 different photos of 'bird'"),
        ([*GOOD, Pic("bird", "x"), Pic("bird", "x")], "fewer than 2 different photos of 'bird'"),
        (
            [*GOOD, Pic("bird", "x"), Pic("bird", "x", Split.TEST), Pic("bird", "y", Split.TEST)],
            "Every training photo of 'bird' is also in the test folder",
        ),
    ],
)
def test_what_cannot_be_trained_is_explained_with_the_names_of_the_classes(pictures: list[Pic], words: str) -> None:
    assert words in problem_of(pictures)


TWO_EACH = [*GOOD[:2], *GOOD[3:5]]
ONE_EACH_AND_A_TEST = [Pic(c, f"{c}{i}", split) for c in "ab" for i, split in enumerate((None, Split.TEST))]


def test_one_photo_of_each_class_beside_a_test_folder_is_accepted_with_a_warning() -> None:
    assert problem_of(ONE_EACH_AND_A_TEST) == ""
    assert are_too_few_to_compare(ONE_EACH_AND_A_TEST)


@pytest.mark.parametrize("pictures", [GOOD, TWO_EACH, [*ONE_EACH_AND_A_TEST, Pic("a", "more")], []])
def test_the_warning_is_only_given_where_it_is_true(pictures: list[Pic]) -> None:
    assert not are_too_few_to_compare(pictures)


def test_a_problem_is_explained_with_the_first_reasons_and_the_end_of_long_names() -> None:
    refused = [RefusedFile("x/" * 99 + f"{i}.png", "Damaged.") for i in range(5)]
    message = explained("Nothing here.", refused)
    assert message.startswith("Nothing here. Not used: …")
    assert "/2.png: Damaged. And 2 more files." in message
    assert len(message) < 400


def test_a_problem_without_refused_files_stands_alone() -> None:
    assert explained("Nothing here.", []) == "Nothing here."


def test_the_verdict_is_one_sentence() -> None:
    pictures = [Pic(label, f"{label}{i}") for label in ("cat", "dog", "cow") for i in range(500)]
    assert verdict_of(pictures) == "1,500 photos, 3 classes, balanced, ready"


@pytest.mark.parametrize(
    ("n_cats", "n_dogs", "words"),
    [
        (10, 29, "39 photos, 2 classes, balanced, ready"),
        (10, 30, "40 photos, 2 classes, unbalanced (10 to 30 photos a class), ready"),
        (9, 10, "19 photos, 2 classes, ready, but 1 class has fewer than 10 photos: expect unsure results"),
        (2, 2, "4 photos, 2 classes, ready, but 2 classes have fewer than 10 photos: expect unsure results"),
    ],
)
def test_the_verdict_says_whether_the_classes_are_alike_in_size(n_cats: int, n_dogs: int, words: str) -> None:
    pictures = [Pic("cat", f"c{i}") for i in range(n_cats)] + [Pic("dog", f"d{i}") for i in range(n_dogs)]
    assert verdict_of(pictures) == words


@pytest.mark.parametrize(
    ("n", "words"), [(1, "'0'"), (2, "'0' and '1'"), (3, "'0', '1' and '2'"), (7, "'0', '1', '2', '3', '4' and 2 more")]
)
def test_lists_of_classes_read_like_a_sentence(n: int, words: str) -> None:
    assert quoted([str(i) for i in range(n)]) == words


def test_a_long_reason_is_said_once() -> None:
    refused = [RefusedFile(f"{n}.jpg", "So it is. " * 20) for n in range(3)] + [RefusedFile("x.csv", "No photo.")]
    assert (
        explained("Nothing.", refused)
        == f"Nothing. Not used: 0.jpg: {'So it is. ' * 20} x.csv: No photo. And 2 more files."
    )

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from automl.datasets.edits import ExcludeFiles, RenameClass
from automl.datasets.findings.doctor import examine
from automl.datasets.findings.examined_dataset import ExaminedDataset, Photo, UnusableFile
from automl.datasets.findings.finding import MAX_FILES_IN_SUMMARY, MAX_GROUPS_IN_SUMMARY, Finding
from automl.images.near_copies import near_copies
from automl.records import FindingSummary, Severity, Split
from tests.automl.images.faults import fingerprints_of, planted

N = 12
"""Photos of each class in a data set that nothing is wrong with."""


def photo(file_id: int, label: str = "cat", **changes: object) -> Photo:
    base = Photo(
        file_id=file_id,
        name=f"{label}/{file_id}.jpg",
        label=label,
        split=None,
        sha256=f"{file_id:064x}",
        near=file_id,
        width=640,
        height=480,
        format="JPEG",
        spread=50.0,
        is_gray=False,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def fine(first_id: int = 1000) -> list[Photo]:
    return [photo(first_id + i, label) for i, label in enumerate(("cat", "dog") * N)]


def unusable(number: int, reason: str) -> UnusableFile:
    return UnusableFile(file_id=number, name=str(number), reason=reason)


def found(photos: Sequence[Photo], joined: Sequence[str] = ()) -> dict[str, Finding]:
    return {finding.kind: finding for finding in examine(ExaminedDataset(photos, joined=joined))}


def left_out(finding: Finding) -> list[int]:
    assert finding.fix is not None and isinstance(finding.fix.edit, ExcludeFiles)
    return sorted(finding.fix.edit.files)


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert examine(ExaminedDataset(fine())) == []


def test_no_photo_at_all() -> None:
    assert examine(ExaminedDataset(())) == []


def test_files_that_cannot_be_used_are_told_by_reason() -> None:
    files = [unusable(1, "The file is empty."), unusable(2, "Cut off."), unusable(3, "Cut off.")]
    findings = examine(ExaminedDataset(fine(), files))
    assert [finding.title for finding in findings] == ["2 files cannot be used", "1 file cannot be used"]
    assert findings[0].consequence == "Cut off. They are left out already."
    assert [finding.fix for finding in findings] == [None, None]


def test_many_different_reasons_do_not_fill_the_page() -> None:
    findings = examine(ExaminedDataset((), [unusable(i, f"Reason {i}.") for i in range(500)]))
    assert len(findings) == 13
    assert sum(finding.n_photos for finding in findings) == 500


def test_of_exact_copies_the_test_photo_is_kept() -> None:
    copies = [photo(1), photo(2, split=Split.TEST), photo(3, split=Split.VALIDATION)]
    finding = found([*fine(), *(replace(each, sha256="a", near=1) for each in copies)])["duplicates"]
    assert left_out(finding) == [1, 3]
    assert finding.title == "2 photos are exact copies of another"
    assert finding.groups == ((1, 2, 3),)


def test_of_near_copies_the_largest_is_kept() -> None:
    finding = found([*fine(), photo(1, near=7), photo(2, near=7, width=4000), photo(3, near=7)])["near-copies"]
    assert left_out(finding) == [1, 3]


def test_exact_copies_alone_are_not_near_copies() -> None:
    assert "near-copies" not in found([*fine(), photo(1, sha256="a", near=1), photo(2, sha256="a", near=1)])


def test_the_same_picture_in_two_classes_is_an_error_and_nothing_else() -> None:
    photos = [*fine(), photo(1, "cat", sha256="a", near=1), photo(2, "dog", sha256="a", near=1)]
    findings = found(photos)
    assert list(findings) == ["two-labels"]
    assert findings["two-labels"].severity is Severity.ERROR
    assert left_out(findings["two-labels"]) == [1, 2]


def test_near_copies_in_two_classes_are_told_apart_from_those_in_one() -> None:
    findings = found([*fine(), photo(1, "cat", near=1), photo(2, "dog", near=1)])
    assert list(findings) == ["near-two-labels"]
    assert findings["near-two-labels"].groups == ((1, 2),)


def test_training_copies_of_test_photos_are_to_be_left_out() -> None:
    tested = [photo(1, split=Split.TEST, sha256="a", near=1), photo(2, split=Split.TEST, near=3)]
    learned = [photo(5, sha256="a", near=1), photo(6, near=3)]
    findings = found([*fine(), *tested, *learned])
    assert left_out(findings["test-copies"]) == [5]
    assert left_out(findings["test-near-copies"]) == [6]
    assert findings["test-copies"].title == "1 training photo is a copy of a test photo"
    assert findings["test-near-copies"].title == "1 training photo is a near copy of a test photo"


def test_without_a_test_folder_no_copy_is_in_the_test() -> None:
    assert "test-copies" not in found([*fine(), photo(1, sha256="a"), photo(2, sha256="a")])


def test_near_copies_count_as_one_photo_of_a_tiny_class() -> None:
    burst = [photo(i, "bird", near=1) for i in range(1, 40)]
    finding = found([*fine(), *burst])["tiny-class"]
    assert left_out(finding) == list(range(1, 40))
    assert len(finding.groups) == 1


def test_two_classes_are_the_least_so_a_tiny_one_of_two_stays() -> None:
    finding = found([photo(i, "cat" if i < 30 else "dog") for i in range(33)])["tiny-class"]
    assert finding.fix is None


@pytest.mark.parametrize(("n_large", "is_found"), [(299, False), (300, True)])
def test_ten_to_one_is_unbalanced(n_large: int, is_found: bool) -> None:
    photos = [photo(i, "cat" if i < n_large else "dog") for i in range(n_large + 30)]
    findings = found(photos)
    assert ("unbalanced" in findings) == is_found
    if is_found:
        kept = n_large - len(left_out(findings["unbalanced"]))
        assert kept == 150
        assert left_out(findings["unbalanced"]) == left_out(found(photos[::-1])["unbalanced"])


def test_photos_of_the_users_test_folder_are_never_left_out_to_even_the_classes() -> None:
    tested = [photo(i, split=Split.TEST) for i in range(200)]
    assert found([*tested, *(photo(500 + i, "dog") for i in range(12))])["unbalanced"].fix is None


def test_very_small_blank_and_very_long_photos() -> None:
    findings = found([*fine(), photo(1, width=31, height=31), photo(2, spread=3.9), photo(3, width=1600, height=400)])
    shown = {kind: finding.groups for kind, finding in findings.items()}
    assert shown == {"small": ((1,),), "blank": ((2,),), "aspect": ((3,),)}


@pytest.mark.parametrize(
    ("name", "is_wrong"), [("a.png", True), ("a.JPG", False), ("a", False), ("a.xyz", False), ("a.jfif", False)]
)
def test_an_ending_of_another_format_is_told_and_harmless(name: str, is_wrong: bool) -> None:
    findings = found([*fine(), photo(1, name=name)])
    assert ("extension" in findings) == is_wrong
    if is_wrong:
        assert findings["extension"].severity is Severity.INFO and findings["extension"].fix is None


def test_gray_is_worse_where_it_goes_with_the_class() -> None:
    even = [photo(i, label, is_gray=i < 2) for i, label in enumerate(("cat", "dog") * 20)]
    uneven = [photo(i, label, is_gray=label == "dog" and i > 20) for i, label in enumerate(("cat", "dog") * 20)]
    assert found(even)["gray"].severity is Severity.INFO
    assert found(uneven)["gray"].severity is Severity.WARNING
    assert left_out(found(even)["gray"]) == [0, 1]


def test_only_photos_in_use_that_show_something_count_as_gray() -> None:
    even = [photo(i, label, is_gray=i < 2) for i, label in enumerate(("cat", "dog") * 20)]
    beside = [photo(100, is_gray=True, is_used=False), photo(101, is_gray=True, spread=0.0)]
    findings = found([*even, *beside])
    assert findings["gray"].title == "2 photos are gray, 38 in colour"
    assert findings["blank"].title == "1 photo is blank"


def test_what_a_fix_did_counts_the_photos_that_it_left_out() -> None:
    """A photo without which its class would have nothing to learn from stays."""
    alone = [photo(1, "bird", spread=0.0), photo(2, "bird", spread=0.0)]
    finding = found([*fine(), *alone, photo(3, "cat", spread=0.0)])["blank"]
    assert finding.title == "3 photos are blank"
    assert left_out(finding) == [3]
    assert finding.fix is not None and finding.fix.edit.title == "Left out 1 blank photo"


def test_a_class_that_is_all_gray_is_not_left_out_by_a_click() -> None:
    assert (
        found([photo(i, label, is_gray=label == "dog") for i, label in enumerate(("cat", "dog") * 20)])["gray"].fix
        is None
    )


@pytest.mark.parametrize(
    ("one", "other", "is_found"),
    [
        ("Rose", "roses", True),
        ("café_noir", "Cafe noir", True),
        ("c", "c++", False),
        ("か", "が", False),
        ("glass", "glas", False),
        ("1", "01", False),
    ],
)
def test_class_names_that_are_nearly_the_same_can_be_made_one(one: str, other: str, is_found: bool) -> None:
    photos = [photo(i, one) for i in range(20)] + [photo(100 + i, other) for i in range(15)]
    findings = found(photos)
    assert ("spelling" in findings) == is_found
    if is_found:
        fix = findings["spelling"].fix
        assert fix is not None and fix.edit == RenameClass(old=other, new=one, title=f"Joined '{other}' with '{one}'")


def test_names_that_were_joined_already_are_told() -> None:
    finding = found(fine(), joined=["'CAT' was joined with 'cat'."])["joined"]
    assert finding.consequence == "'CAT' was joined with 'cat'." and finding.severity is Severity.INFO


def test_the_worst_comes_first_then_the_most_frequent() -> None:
    photos = [*fine(), photo(1, sha256="a", near=1), photo(2, "dog", sha256="a", near=1), photo(3, spread=0.0)]
    photos += [photo(4, name="a.png"), photo(5, width=10, height=10), photo(6, width=10, height=10)]
    assert [finding.kind for finding in examine(ExaminedDataset(photos))] == [
        "two-labels",
        "small",
        "blank",
        "extension",
    ]


def test_the_summary_of_a_finding_has_the_first_files_and_all_counts() -> None:
    photos = [*fine(), *(photo(i, near=i % 70, sha256=f"{i % 70}") for i in range(70 * 14))]
    whole = found(photos)["duplicates"]
    shown = FindingSummary.model_validate_json(whole.summary().model_dump_json())
    assert (shown.n_groups, shown.n_photos, shown.key) == (70, 70 * 14, whole.key)
    assert len(shown.groups) == MAX_GROUPS_IN_SUMMARY and {len(group) for group in shown.groups} == {
        MAX_FILES_IN_SUMMARY
    }
    assert whole.fix is not None and shown.fix is not None
    assert (shown.fix.title, shown.fix.done, shown.fix.kind) == (
        "Keep one of each",
        whole.fix.edit.title,
        "exclude",
    )


def test_a_finding_may_have_neither_photos_nor_a_fix() -> None:
    shown = found(fine(), joined=["x"])["joined"].summary()
    assert (shown.groups, shown.fix, shown.n_photos) == ((), None, 0)


def test_planted_faults_are_all_found_and_nothing_else() -> None:
    files = list(planted(80, 15))
    near = near_copies(fingerprints_of(files))
    photos = [
        photo(i, "cat" if file.picture % 2 else "dog", sha256=str(hash(file.content)), near=int(near[i]))
        for i, file in enumerate(files)
    ]
    findings = found(photos)
    exact = {i for i, file in enumerate(files) if file.change == "exact"}
    copies = {i for i, file in enumerate(files) if file.change not in ("", "exact")}
    assert set(left_out(findings["duplicates"])) == exact
    together = {i for group in findings["near-copies"].groups for i in group}
    assert len(together & copies) >= 0.95 * len(copies)
    assert all(files[i].picture < 15 for i in together)


def test_twenty_thousand_photos_are_looked_over_in_a_moment() -> None:
    labels = [f"class {i}" for i in range(50)]
    photos = [photo(i, labels[i % 50], near=i // 3, sha256=str(i // 2), is_gray=i % 5 == 0) for i in range(20_000)]
    start = time.process_time()
    findings = examine(ExaminedDataset(photos))
    assert time.process_time() - start < 2
    assert findings


def test_no_click_leaves_a_class_without_anything_to_learn_from() -> None:
    tested = photo(1, "a", split=Split.TEST, near=1, sha256="t")
    learned = [photo(n, "a", split=Split.TRAIN, near=1) for n in (2, 3)]
    others = [replace(each, split=Split.TRAIN) for each in fine()]
    findings = found([tested, *learned, *others])
    assert findings["test-near-copies"].fix is None
    many = [photo(100 + n, "big", split=Split.TEST) for n in range(1000)]
    few = [photo(5000 + n, "big", split=Split.TRAIN) for n in range(200)]
    small = [photo(9000 + n, "small", split=Split.TRAIN) for n in range(12)]
    assert len(left_out(found([*many, *few, *small])["unbalanced"])) == 200 - 60


@pytest.mark.parametrize(
    ("one", "other"), [("1.5", "15"), ("v1.0", "v10"), ("news", "new"), ("Lens", "Len"), ("-1", "1")]
)
def test_numbers_and_short_words_are_not_taken_for_spellings(one: str, other: str) -> None:
    photos = [photo(n, label) for n, label in enumerate([one, other] * N)]
    assert "spelling" not in found(photos)


def test_a_photo_that_transparency_hides_is_not_called_blank() -> None:
    hidden = [photo(1, spread=0.0, background="black"), photo(2, spread=0.0, background="black")]
    findings = found([*fine(), *hidden, photo(3, spread=60.0, background="black")])
    assert list(findings) == ["transparent"]
    assert findings["transparent"].title == "2 photos show nothing, because transparency hides what is in them"
    assert "put on black" in findings["transparent"].consequence
    assert left_out(findings["transparent"]) == [1, 2]

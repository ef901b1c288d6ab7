from dataclasses import replace

import pytest

from automl.datasets.data_file import DataFile
from automl.datasets.edits import (
    EditKind,
    apply_edits,
    chosen_reading,
    confirmed_labels,
    edit_values,
    first_label,
    joins_spellings,
    read_edit,
)
from automl.errors import BadSetting
from automl.labelling.places import Reading
from automl.records import FileState, Split


def file(number: int, label: str = "cat", **values: object) -> DataFile:
    seen = DataFile(
        id=number,
        name=f"{label}/{number}.jpg",
        key=f"k{number}",
        sha256=f"s{number}",
        label=label,
        format="JPEG",
        state=FileState.ACCEPTED,
    )
    return replace(seen, **values)  # type: ignore[arg-type]


def edit(kind: str, **values: object):  # type: ignore[no-untyped-def]
    return read_edit(kind, {name.rstrip("_"): value for name, value in values.items()})


def test_a_rename_to_another_class_joins_the_two() -> None:
    after = apply_edits([edit("rename", from_="kitten", to="cat")], [file(1, "kitten"), file(2, "cat"), file(3, "dog")])
    assert [one.label for one in after] == ["cat", "cat", "dog"]


def test_edits_apply_in_their_order() -> None:
    edits = [edit("move", files=[1], to="dog"), edit("rename", from_="dog", to="wolf")]
    assert apply_edits(edits, [file(1)])[0].label == "wolf"
    assert apply_edits(edits[::-1], [file(1)])[0].label == "dog"


def test_left_out_photos_say_why_and_come_back() -> None:
    out = apply_edits([read_edit("exclude", {"files": [1]}, "Left out 1 blank photo")], [file(1), file(2)])
    assert [(one.state, one.reason) for one in out] == [
        (FileState.EXCLUDED, "Left out 1 blank photo."),
        (FileState.ACCEPTED, ""),
    ]
    back = apply_edits([edit("exclude", files=[1]), edit("include", files=[1])], [file(1)])
    assert (back[0].state, back[0].reason) == (FileState.ACCEPTED, "")


def test_a_photo_without_a_class_is_used_once_it_is_moved_to_one() -> None:
    stray = file(1, "").refused("It lies outside any class folder.")
    assert apply_edits([edit("move", files=[1], to="cat")], [stray])[0].state is FileState.ACCEPTED
    damaged = replace(stray, format="", fault="It is damaged.")
    assert apply_edits([edit("move", files=[1], to="cat")], [damaged])[0].state is FileState.REFUSED


def test_photos_are_put_into_a_part_of_the_split_and_out_of_it() -> None:
    inside = apply_edits([edit("part", files=[1], to="test")], [file(1)])
    assert inside[0].split is Split.TEST
    assert apply_edits([edit("part", files=[1], to="")], inside)[0].split is None


def test_the_last_choice_of_a_reading_counts() -> None:
    edits = [edit("layout", reading="names"), edit("layout", reading="parent")]
    assert chosen_reading(edits) is Reading.PARENT
    assert chosen_reading([*edits, edit("layout", reading="")]) is None
    assert joins_spellings([]) and not joins_spellings([edit("spellings", join=False)])


def test_files_that_are_gone_are_passed_over() -> None:
    assert apply_edits([edit("exclude", files=[7])], [file(1)]) == [file(1)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("explode", {}),
        ("exclude", {}),
        ("exclude", {"files": []}),
        ("exclude", {"files": ["1"]}),
        ("exclude", {"files": [True]}),
        ("exclude", {"files": list(range(100_001))}),
        ("move", {"files": [1], "to": " \n"}),
        ("move", {"files": [1], "to": "a/b"}),
        ("move", {"files": [1], "to": "x" * 201}),
        ("rename", {"to": "cat"}),
        ("part", {"files": [1], "to": "exam"}),
        ("layout", {"reading": "tea leaves"}),
        ("spellings", {"join": "yes"}),
    ],
)
def test_what_is_no_edit_is_refused_in_words(kind: str, values: dict[str, object]) -> None:
    with pytest.raises(BadSetting):
        read_edit(kind, values)


def test_labels_are_cleaned_and_every_kind_has_a_title() -> None:
    moved = read_edit("move", {"files": [2, 1, 1], "to": "  big\tcat "})
    assert (edit_values(moved), moved.title) == ({"files": [1, 2], "to": "big cat"}, "Moved 2 photos to 'big cat'")
    samples = {"files": [1], "to": "test", "from": "a", "reading": "names", "join": True, "trust": True, "keep": False}
    assert all(read_edit(kind, samples).title for kind in EditKind)


def test_photos_that_are_sent_to_a_class_follow_its_renames_and_no_others() -> None:
    swapped = [edit("rename", from_=a, to=b) for a, b in (("cat", "tmp"), ("dog", "cat"), ("tmp", "dog"))]
    assert (first_label(swapped, "cat"), first_label(swapped, "dog")) == ("dog", "cat")
    for label in ("cat", "dog", "bird"):
        sent = file(1, first_label(swapped, label))
        assert apply_edits(swapped, [sent])[0].label == label
    assert first_label([edit("rename", from_="cat", to="lion")], "lion") == "lion"


def test_every_kind_of_edit_comes_back_from_its_json() -> None:
    samples = {
        "files": [1, 2],
        "to": "test",
        "from": "a",
        "reading": "names",
        "join": True,
        "trust": True,
        "keep": False,
    }
    for kind in EditKind:
        given = read_edit(kind, samples)
        assert read_edit(kind, edit_values(given), given.title) == given


def test_a_label_is_confirmed_until_the_photo_is_moved() -> None:
    confirmed = read_edit("confirm", {"files": [1, 2]})
    assert confirmed.title == "Said that the labels of 2 photos are right"
    assert confirmed_labels([confirmed]) == {1, 2}
    assert confirmed_labels([confirmed, read_edit("move", {"files": [2], "to": "dog"})]) == {1}
    assert confirmed_labels([read_edit("move", {"files": [2], "to": "dog"}), confirmed]) == {1, 2}

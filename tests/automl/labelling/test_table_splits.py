import pytest

from automl.labelling.label_tables import LabelTable
from automl.labelling.places import Place
from automl.labelling.reading import Layout, read_layout
from automl.records import Split

N = 12
NAMES = [f"{i:04d}.jpg" for i in range(N)]


def read(header: str, *cells: list[str]) -> Layout:
    labels = ["rose", "tulip"] * (N // 2)
    rows = [",".join(row) for row in zip(NAMES, labels, *cells, strict=True)]
    table = LabelTable(name="labels.csv", text="\n".join([f"file,flower,{header}", *rows]))
    return read_layout([*NAMES, "labels.csv"], [table])


def splits(layout: Layout) -> list[Split | None]:
    return [place.split for place in layout.places[:N] if isinstance(place, Place)]


@pytest.mark.parametrize(
    ("header", "cells", "rest", "marked"),
    [
        ("is_valid", ("False", "True"), Split.TRAIN, Split.VALIDATION),
        ("is_test", ("0", "1"), Split.TRAIN, Split.TEST),
        ("is_training_image", ("1", "0"), Split.TRAIN, Split.TEST),
        ("train", ("yes", "no"), Split.TRAIN, Split.TEST),
        ("test", ("0.0", "1.0"), Split.TRAIN, Split.TEST),
    ],
)
def test_a_column_of_marks_names_the_part(header: str, cells: tuple[str, str], rest: Split, marked: Split) -> None:
    assert splits(read(header, [cells[i >= 8] for i in range(N)])) == [rest] * 8 + [marked] * 4


def test_several_columns_of_marks_name_the_parts_together() -> None:
    valid, test = ([str(int(i in numbers)) for i in range(N)] for numbers in ((8, 9), (10, 11)))
    assert (
        splits(read("is_valid,is_test", valid, test)) == [Split.TRAIN] * 8 + [Split.VALIDATION] * 2 + [Split.TEST] * 2
    )


def test_parts_may_be_numbered() -> None:
    cells = [str(max(0, i - 9)) for i in range(N)]
    assert splits(read("split", cells)) == [Split.TRAIN] * 10 + [Split.VALIDATION, Split.TEST]


@pytest.mark.parametrize("header", ["valid", "fold", "is_test"])
def test_marks_of_most_photos_and_folds_are_no_parts(header: str) -> None:
    cells = [str(i % 5) if header == "fold" else str(int(i > 2)) for i in range(N)]
    assert splits(read(header, cells)) == [None] * N


def test_a_table_that_says_what_class_folders_say_is_read_for_its_parts_or_its_groups() -> None:
    names = [f"{label}/{i}.jpg" for label in ("rose", "tulip") for i in range(6)]
    for column, cells in (("split", ["train", "test"]), ("patient", ["p1", "p2"]), ("remark", ["nice", "nicer"])):
        rows = [f"{name},{name.split('/')[0]},{cells[i % 2]}" for i, name in enumerate(names)]
        table = LabelTable(name="labels.csv", text="\n".join([f"file,label,{column}", *rows]))
        places = [place for place in read_layout([*names, "labels.csv"], [table]).places if isinstance(place, Place)]
        assert {place.label for place in places} == {"rose", "tulip"}
        assert {place.split for place in places} == ({Split.TRAIN, Split.TEST} if column == "split" else {None})
        assert {place.group for place in places} == ({"p1", "p2"} if column == "patient" else {""})

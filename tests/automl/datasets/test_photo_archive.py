"""Names that every system takes, and a table that says what they had to lose."""

import csv
import io
from pathlib import Path

import pytest

from automl.datasets.photo_archive import archive_paths, archive_table
from automl.records import ImageRecord, Split


def image(name: str, label: str = "rose", **values: object) -> ImageRecord:
    return ImageRecord(path=Path(), name=name, label=label, sha256=name, width=1, height=1, **values)  # type: ignore[arg-type]


def rows(*images: ImageRecord, keeps_clips: bool = True) -> list[dict[str, str]]:
    table = archive_table(images, archive_paths(images), keeps_clips=keeps_clips)
    return list(csv.DictReader(io.StringIO(table, newline="")))


def test_a_photo_lies_in_the_folder_of_its_class_under_its_own_name() -> None:
    assert archive_paths([image("a/b/1.jpg"), image("c\\2.JPG", "tulip")]) == ["rose/1.jpg", "tulip/2.JPG"]


def test_names_are_distinct_also_where_capital_letters_count_for_nothing() -> None:
    images = [image("a/1.jpg"), image("b/1.jpg"), image("c/1.JPG"), image("d/1.jpg", "Rose")]
    paths = archive_paths(images)
    assert paths == ["rose (2)/1.jpg", "rose (2)/1 (2).jpg", "rose (2)/1 (3).JPG", "Rose/1.jpg"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("con", "_con"),
        ("LPT1.jpg", "_LPT1.jpg"),
        ("console.jpg", "console.jpg"),
        ('a:b?*"<>|.jpg', "a_b______.jpg"),
        ("dot. ", "dot"),
        ("...", "_"),
        ("ü" * 200 + ".jpg", "ü" * 58 + ".jpg"),
        ("a\x00\n.png", "a__.png"),
    ],
)
def test_what_windows_refuses_is_replaced(name: str, safe: str) -> None:
    assert archive_paths([image(name)]) == [f"rose/{safe}"]


def test_the_table_has_the_true_class_and_the_name_that_it_came_with() -> None:
    (row,) = rows(image("x/a?.jpg", "what?"))
    assert row == {"file": "what_/a_.jpg", "label": "what?", "uploaded_as": "x/a?.jpg"}


def test_parts_and_groups_are_there_where_the_user_has_named_some() -> None:
    tested, other = rows(image("1", split=Split.TEST), image("2"))
    assert (tested["split"], other["split"]) == ("test", "train")
    named = [image(str(n), clip="site 7", frame=0) for n in range(2)]
    found = [image(str(n), clip="digest", frame=n) for n in range(2, 5)]
    assert [row["group"] for row in rows(*named, *found)] == ["site 7", "site 7", "", "", ""]
    assert "group" not in rows(*found)[0]
    assert len({row["group"] for row in rows(*found, keeps_clips=False)}) == 3

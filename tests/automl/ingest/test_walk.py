import os
from pathlib import Path

import pytest

from automl.ingest.walk import printable, status_of_file, walk_folder
from automl.records import RefusedFile
from tests.automl.images.pictures import write_files


def names(folder: Path) -> list[str]:
    def fail(error: OSError) -> None:
        raise error

    return [name for _, name in walk_folder(folder, fail)]


def test_every_file_has_its_name_relative_to_the_folder(tmp_path: Path) -> None:
    write_files(tmp_path / "pets", {"cat/1.jpg": b"1", "cat/old/2.jpg": b"2", "3.jpg": b"3"})
    found = dict(walk_folder(tmp_path / "pets", lambda _: None))
    assert found == {tmp_path / "pets" / name: name for name in ("cat/1.jpg", "cat/old/2.jpg", "3.jpg")}


def test_a_link_back_up_ends_there_and_of_two_ways_to_a_folder_the_first_by_name_is_taken(tmp_path: Path) -> None:
    write_files(tmp_path, {"pets/cat/1.jpg": b"1"})
    (tmp_path / "pets" / "cat" / "up").symlink_to(tmp_path / "pets", target_is_directory=True)
    (tmp_path / "pets" / "also").symlink_to(tmp_path / "pets" / "cat", target_is_directory=True)
    assert names(tmp_path / "pets") == ["also/1.jpg"]


def test_a_folder_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        names(tmp_path / "nothing")


def test_a_name_that_is_not_utf8_is_made_printable(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.jpg")).write_bytes(b"1")
    assert names(tmp_path) == ["\ufffd.jpg"] == [printable(os.fsdecode(b"\xff.jpg"))]


def test_what_is_no_ordinary_file_says_why(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert status_of_file(tmp_path / "pipe", "p") == RefusedFile("p", "It is not an ordinary file.")
    missing = status_of_file(tmp_path / "gone", "g")
    assert missing == RefusedFile("g", "The file cannot be read: No such file or directory.")

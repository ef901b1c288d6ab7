"""Downloads that can be made again go when nobody wants them."""

import os
import time

from automl.store.composed import KEPT_S, make_room, remove_of_run, remove_old


def test_what_is_old_goes_and_an_empty_folder_with_it(tmp_path):
    old, left, young = (tmp_path / name for name in ("a/1.zip", "a/.half.zip.12.part", "b/2.zip"))
    for path in (old, left, young):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    for path in (old, left):
        os.utime(path, (0, time.time() - KEPT_S - 1))
    remove_old(tmp_path)
    assert list(tmp_path.rglob("*")) == [tmp_path / "b", young]


def test_those_of_a_deleted_run_go_and_others_stay(tmp_path):
    for run in "ab":
        (tmp_path / run).mkdir()
        (tmp_path / run / "x.zip").write_bytes(b"x")
    remove_of_run(tmp_path, "a")
    remove_of_run(tmp_path, "gone")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_room_is_made_by_the_oldest(tmp_path):
    for age in range(6):
        (tmp_path / f"{age}.zip").write_bytes(b"x")
        os.utime(tmp_path / f"{age}.zip", (0, 1000 - age))
    make_room(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.zip", "1.zip", "2.zip"]


def test_nothing_to_remove_is_no_error(tmp_path):
    remove_old(tmp_path / "none")
    make_room(tmp_path / "none")

"""A reserve on the disk, and a ballast that is thrown off where even that is used up."""

import errno
import os
from pathlib import Path

import pytest

from automl.errors import DiskFull
from automl.settings import Settings, load_settings
from automl.store import room
from automl.store.room import BALLAST_BYTES, hold_ballast, is_short, refuse_short_disk

PLENTY = 10 * 1024**3


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"DARKROOM_HOME": str(tmp_path), "DARKROOM_RESERVE_BYTES": "1000000000"})


def test_below_the_reserve_nothing_new_is_begun(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "free_bytes", lambda _folder: 1_000_000_000)
    refuse_short_disk(settings)
    monkeypatch.setattr(room, "free_bytes", lambda _folder: 999_999_999)
    assert is_short(settings)
    with pytest.raises(DiskFull, match=r"less than 1\.0 GB are free"):
        refuse_short_disk(settings)


def test_a_home_that_is_not_there_yet_has_the_room_of_its_disk(tmp_path: Path):
    assert room.free_bytes(tmp_path / "not" / "yet") == room.free_bytes(tmp_path) > 0


def test_the_ballast_is_taken_up_where_there_is_plenty_and_thrown_off_where_hardly_anything_is(settings: Settings):
    ballast = settings.home / "ballast"
    hold_ballast(settings, free=settings.reserve_bytes)
    assert not ballast.exists()
    hold_ballast(settings, free=PLENTY)
    assert ballast.stat().st_blocks * 512 >= BALLAST_BYTES  # it really holds the room
    hold_ballast(settings, free=settings.reserve_bytes - 1)
    assert ballast.exists()
    hold_ballast(settings, free=1_000_000)
    assert not ballast.exists()


def test_a_disk_that_has_no_room_for_it_goes_without(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    hold_ballast(settings, free=PLENTY)
    assert not (settings.home / "ballast").exists()

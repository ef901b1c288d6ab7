import errno
from pathlib import Path

import pytest

from automl.atomic_files import full_disk_explained, no_half_files
from automl.errors import DiskFull


def test_files_appear_whole(tmp_path: Path) -> None:
    with no_half_files([tmp_path / "a", tmp_path / "b"]) as parts:
        for part in parts:
            part.write_text("x")
        assert not (tmp_path / "a").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), no_half_files([tmp_path / "a"]) as (part,):
        part.write_text("half")
        1 / 0  # noqa: B018
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_explained_and_leaves_nothing(number: int, tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="is full"), no_half_files([tmp_path / "a"]) as (part,):
        part.write_text("half")
        raise OSError(number, "no room")
    assert not list(tmp_path.iterdir())


def test_other_errors_of_the_disk_stay_what_they_are() -> None:
    with pytest.raises(PermissionError), full_disk_explained("x"):
        raise PermissionError(errno.EACCES, "no")

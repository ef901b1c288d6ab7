"""A file of a cache that a disk has changed is removed, and so made again."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from automl.atomic_files import no_half_files
from automl.checked_files import add_checksum, is_sound, is_unchanged, remove


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "features.npy"
    path.write_bytes(b"what was computed")
    add_checksum(path)
    return path


def test_what_is_as_it_was_written_is_sound_and_read_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_sound(path) and is_unchanged(path)
    monkeypatch.setattr("automl.checked_files.sha256_of", None)
    os.utime(path.parent)
    assert is_sound(path)


@pytest.mark.parametrize("content", [b"what was cOmputed", b"what was", b""])
def test_what_has_changed_is_removed_with_a_line_in_the_log(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with capture_logs() as lines:
        assert not is_sound(path)
    assert [(line["log_level"], line["file"]) for line in lines] == [("warning", str(path))]
    assert list(path.parent.iterdir()) == []


def test_what_has_no_checksum_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "old.npy").write_bytes(b"by an earlier version")
    assert not is_sound(tmp_path / "old.npy")
    assert not (tmp_path / "old.npy").exists()


def test_what_is_not_there_is_not_sound_and_no_fault(path: Path) -> None:
    remove(path)
    with capture_logs() as lines:
        assert not is_sound(path)
    assert lines == []


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, bool]] = []
    target = tmp_path / "model.zip"
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, target.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    with no_half_files([target]) as (part,):
        part.write_bytes(b"x")
        name = part.name
    assert synced == [(name, False), (tmp_path.name, True)]

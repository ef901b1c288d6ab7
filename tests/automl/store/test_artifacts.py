import hashlib
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automl.errors import NotFound, UploadTooLarge
from automl.store.artifacts import ArtifactStore

HOSTILE = [
    *("", ".", "..", "../secret", "a/../../secret", "a/..", "a//b", "/etc/passwd", "a/", "./a"),
    *("a\\..\\b", "..\\secret", "a/b\0c", "\0"),
]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    (tmp_path / "secret").write_text("secret")
    return ArtifactStore(tmp_path / "files")


def read(store: ArtifactStore, key: str) -> bytes:
    with store.open(key) as handle:
        return handle.read()


def test_what_is_written_is_read_again_with_its_size_and_hash(store: ArtifactStore) -> None:
    content = b"photo" * 500_000
    stored = store.write("datasets/x", io.BytesIO(content), max_bytes=10**7)
    assert read(store, stored.key) == content
    assert (stored.n_bytes, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_every_file_has_a_key_of_its_own_under_its_prefix(store: ArtifactStore) -> None:
    keys = {store.write("runs/x", io.BytesIO(b"same"), max_bytes=10, suffix=".png").key for _ in range(50)}
    assert len(keys) == 50
    assert all(key.startswith("runs/x/") and key.endswith(".png") for key in keys)


@pytest.mark.parametrize("key", HOSTILE)
def test_no_key_leads_out_of_the_root(store: ArtifactStore, key: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound), store.open(key):
        pass
    with pytest.raises(NotFound):
        store.local_path(key, tmp_path)
    with pytest.raises(NotFound):
        store.delete(key)
    with pytest.raises(NotFound):
        store.delete_prefix(key)
    assert (tmp_path / "secret").read_text() == "secret"


@pytest.mark.parametrize("prefix", [key for key in HOSTILE if key])
def test_no_prefix_leads_out_of_the_root(store: ArtifactStore, prefix: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        store.write(prefix, io.BytesIO(b"x"), max_bytes=10)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"secret"}


def test_too_many_bytes_leave_nothing_behind(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(UploadTooLarge, match="limit of 9 bytes"):
        store.write("datasets/x", io.BytesIO(b"0123456789"), max_bytes=9)
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def test_exactly_the_limit_is_allowed(store: ArtifactStore) -> None:
    assert store.write("x", io.BytesIO(b"0123456789"), max_bytes=10).n_bytes == 10


def test_a_source_that_breaks_off_leaves_nothing_behind(store: ArtifactStore, tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def read(self, n_bytes: int = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.write("x", Broken(), max_bytes=10)  # type: ignore[arg-type]
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def test_a_local_file_keeps_its_suffix(store: ArtifactStore, tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    path.write_bytes(b"png")
    assert store.put("runs/x", path).key.endswith(".png")


def test_a_local_store_hands_out_the_file_itself(store: ArtifactStore, tmp_path: Path) -> None:
    stored = store.write("x", io.BytesIO(b"abc"), max_bytes=10)
    path = store.local_path(stored.key, tmp_path / "scratch")
    assert path.read_bytes() == b"abc"
    assert not (tmp_path / "scratch").exists()


def test_a_remote_store_hands_out_a_copy(tmp_path: Path) -> None:
    store = ArtifactStore("memory://darkroom-test")
    stored = store.write("x", io.BytesIO(b"abc"), max_bytes=10)
    path = store.local_path(stored.key, tmp_path)
    assert path.is_relative_to(tmp_path) and path.read_bytes() == b"abc"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    store.delete_prefix("x")


def test_what_is_gone_is_not_found_and_may_be_deleted_again(store: ArtifactStore) -> None:
    stored = store.write("x", io.BytesIO(b"abc"), max_bytes=10)
    store.delete(stored.key)
    store.delete(stored.key)
    with pytest.raises(NotFound), store.open(stored.key):
        pass


def test_a_prefix_is_deleted_with_all_below_and_nothing_beside(store: ArtifactStore) -> None:
    inside = store.write("datasets/x/archive-1", io.BytesIO(b"a"), max_bytes=10)
    beside = store.write("datasets/xy", io.BytesIO(b"b"), max_bytes=10)
    store.delete_prefix("datasets/x")
    store.delete_prefix("datasets/x")
    assert read(store, beside.key) == b"b"
    with pytest.raises(NotFound), store.open(inside.key):
        pass


@pytest.mark.parametrize("root", ["local", "memory://darkroom-list"])
def test_the_files_below_a_prefix_are_listed_with_size_and_time(root: str, tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / root if root == "local" else root)
    keys = {store.write(prefix, io.BytesIO(b"abc"), max_bytes=10).key for prefix in ("a/x", "a/x", "a/x/deep", "a/y")}
    store.write("ab", io.BytesIO(b"beside"), max_bytes=10)
    listed = list(store.list("a"))
    assert {file.key for file in listed} == keys and {file.n_bytes for file in listed} == {3}
    assert all(abs(datetime.now(UTC) - file.modified) < timedelta(minutes=1) for file in listed)
    assert list(store.list("nothing")) == []
    store.delete_prefix("a")


def test_the_time_of_a_listed_file_is_that_of_its_last_writing(store: ArtifactStore, tmp_path: Path) -> None:
    key = store.write("a", io.BytesIO(b"abc"), max_bytes=10).key
    os.utime(tmp_path / "files" / key, (0, 86400))
    assert [file.modified for file in store.list("a")] == [datetime(1970, 1, 2, tzinfo=UTC)]


def test_a_file_that_goes_away_while_its_folder_is_listed_is_left_out(store: ArtifactStore) -> None:
    keys = sorted(store.write("a", io.BytesIO(b"abc"), max_bytes=10).key for _ in range(3))
    listing = store.list("a")
    first = next(listing)
    (gone, *_) = (key for key in keys if key != first.key)
    store.delete(gone)
    assert {first.key, *(file.key for file in listing)} == set(keys) - {gone}


@pytest.mark.parametrize("key", HOSTILE)
def test_nothing_outside_is_listed(store: ArtifactStore, key: str) -> None:
    with pytest.raises(NotFound):
        list(store.list(key))

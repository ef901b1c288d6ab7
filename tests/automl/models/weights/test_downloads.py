import errno
import socket
import time
from pathlib import Path

import pytest

from automl.backbone_table import HubSource, Naming
from automl.errors import BadWeights, SourceUnavailable
from automl.models.weights.downloads import check_digest, check_reachable, check_source, download, open_client
from tests.automl.models.weights.loopback import Loopback


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_host_that_does_not_answer_is_given_up_within_seconds() -> None:
    start = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1 cannot be reached"):
        check_reachable(f"http://127.0.0.1:{free_port()}/weights.h5")
    assert time.monotonic() - start < 10


def test_a_host_that_accepts_and_then_says_nothing_is_given_up_within_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        with pytest.raises(SourceUnavailable):
            check_reachable(f"http://127.0.0.1:{silent.getsockname()[1]}/weights.h5")
        assert time.monotonic() - start < 15


def test_any_answer_means_reachable(loopback: Loopback) -> None:
    check_reachable(f"{loopback.url}/no/such/file")


def test_a_module_in_the_users_own_hub_cache_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = HubSource(handle=f"http://127.0.0.1:{free_port()}/module/1", naming=Naming.SLIM_V1)
    with pytest.raises(SourceUnavailable):
        check_source(source)
    import hashlib

    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    (tmp_path / hashlib.sha1(source.handle.encode()).hexdigest()).mkdir()
    check_source(source)


def test_a_file_is_downloaded_whole(loopback: Loopback, tmp_path: Path) -> None:
    loopback.files["/a"] = bytes(range(256)) * 10_000
    with open_client() as client:
        download(f"{loopback.url}/a", tmp_path / "a", client)
    assert (tmp_path / "a").read_bytes() == loopback.files["/a"]


@pytest.mark.parametrize("path", ["/a", "/missing"])
def test_a_transfer_that_breaks_off_or_a_missing_file_is_unavailable(
    loopback: Loopback, tmp_path: Path, path: str
) -> None:
    loopback.files["/a"] = bytes(100_000)
    loopback.cut_off_after = 5_000
    with open_client() as client, pytest.raises(SourceUnavailable, match="the download from"):
        download(loopback.url + path, tmp_path / "a", client)


def test_a_full_disk_is_told_as_such(loopback: Loopback) -> None:
    loopback.files["/a"] = bytes(100_000)
    with open_client() as client, pytest.raises(OSError) as caught:
        download(f"{loopback.url}/a", Path("/dev/full"), client)
    assert caught.value.errno == errno.ENOSPC


def test_another_checksum_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"weights")
    with pytest.raises(BadWeights, match="SHA256"):
        check_digest(tmp_path / "a", "0" * 64)

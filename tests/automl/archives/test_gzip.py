import gzip
import io

import pytest

from automl.archives.gzip import BrokenOff, Gunzip
from automl.archives.limits import ArchiveLimits, ArchiveMeter
from automl.errors import UploadTooLarge


def gunzip(content: bytes, max_bytes: int = 10**6) -> Gunzip:
    limits = ArchiveLimits(max_files=10, max_bytes=max_bytes)
    return Gunzip(io.BytesIO(content), ArchiveMeter(kind=".tar.gz", limits=limits, n_archive_bytes=len(content)))


def all_of(stream: Gunzip, n_bytes: int = 1000) -> bytes:
    pieces = []
    while piece := stream.read(n_bytes):
        assert len(piece) <= n_bytes
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("n_bytes", [1, 7, 1000, 1 << 20])
def test_it_unpacks_in_pieces_of_any_size(n_bytes: int) -> None:
    content = bytes(range(256)) * 40
    assert all_of(gunzip(gzip.compress(content)), n_bytes) == content


def test_several_parts_follow_each_other_and_zeros_at_the_end_are_nothing() -> None:
    parts = [b"one" * 9000, b"", b"two"]
    assert all_of(gunzip(b"".join(map(gzip.compress, parts)) + bytes(600))) == b"".join(parts)


@pytest.mark.parametrize("n_lost", [1, 8, 9, 500])
def test_what_breaks_off_gives_what_came_before(n_lost: int) -> None:
    stream = gunzip(gzip.compress(bytes(range(256)) * 400, 0)[:-n_lost])
    with pytest.raises(BrokenOff):
        all_of(stream)


def test_a_wrong_sum_is_damage() -> None:
    content = bytearray(gzip.compress(b"x" * 999))
    content[-6] ^= 1
    with pytest.raises(BrokenOff):
        all_of(gunzip(bytes(content)))


def test_a_bomb_is_stopped_by_its_size_and_by_its_ratio() -> None:
    bomb = gzip.compress(bytes(100_000_000), 1)
    with pytest.raises(UploadTooLarge, match="limit of 1,000,000 bytes"):
        all_of(gunzip(bomb), 1 << 16)
    with pytest.raises(UploadTooLarge, match="200 times"):
        all_of(gunzip(gzip.compress(bytes(100_000_000), 9), 10**9), 1 << 20)


def test_endless_empty_parts_are_damage() -> None:
    with pytest.raises(BrokenOff):
        all_of(gunzip(gzip.compress(b"") * 5000))


def test_a_header_that_never_ends_is_damage() -> None:
    with pytest.raises(BrokenOff):
        all_of(gunzip(b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 1_000_000))

"""Archives that are not opened: each is told in one true sentence what to do."""

import bz2
import gzip
import lzma

import pytest

from automl.errors import BadUpload
from bench.folder_cases.raw_zip import RawFile, zipped_raw
from tests.automl.archives.made_archives import gzipped, tarred, unpacked
from tests.automl.images.pictures import zipped

FILES = {"cat/1.jpg": b"1" * 400, "dog/2.jpg": b"2" * 400}
PARTS = "one part of an archive that was cut into several parts"


def refusal(content: bytes, name: str) -> str:
    with pytest.raises(BadUpload) as caught:
        unpacked(content, name)
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("pets.rar", b"Rar!\x1a\x07\x00" + bytes(50), ".rar"),
        ("pets.rar", b"Rar!\x1a\x07\x01\x00" + bytes(50), ".rar"),
        ("pets.zip", b"Rar!\x1a\x07\x01\x00" + bytes(50), ".rar"),
        ("pets.7z", b"7z\xbc\xaf\x27\x1c" + bytes(50), ".7z"),
        ("pets.tar.xz", lzma.compress(tarred(FILES)), ".xz"),
        ("pets.tar.bz2", bz2.compress(tarred(FILES)), ".bz2"),
        ("pets.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(50), ".zst"),
        ("pets.cab", b"MSCF" + bytes(50), ".cab"),
        ("pets.lzh", b"\x20\x00-lh5-" + bytes(50), ".lzh"),
        ("pets.iso", b"x" * 600, ".iso"),
    ],
)
def test_a_kind_that_is_not_opened_is_named(name: str, content: bytes, kind: str) -> None:
    assert refusal(content, name).startswith(f"This is a {kind} file, which cannot be opened here. Unpack it")


@pytest.mark.parametrize(
    "name", ["pets.z01", "pets.zip.001", "pets.7z.002", "pets.part1.rar", "pets.r00", "pets.tar.gz.001"]
)
def test_a_part_of_an_archive_is_known_by_its_name(name: str) -> None:
    assert PARTS in refusal(zipped(FILES)[:60], name)


def test_the_only_part_is_the_whole_archive() -> None:
    assert unpacked(zipped(FILES), "pets.zip.001").files == FILES


def raw_files(**values: int) -> list[RawFile]:
    return [RawFile(name=name.encode(), content=data, **values) for name, data in FILES.items()]


def test_the_first_and_the_last_part_are_known_by_their_bytes() -> None:
    whole = b"PK\x07\x08" + zipped_raw(raw_files(), disk=1)
    assert PARTS in refusal(whole[:500], "pets.zip")
    assert PARTS in refusal(whole[500:], "pets.zip")


def test_parts_that_were_joined_are_read() -> None:
    assert unpacked(b"PK\x07\x08" + zipped_raw(raw_files(), disk=1), "pets.zip").files == FILES


def test_an_archive_that_could_have_been_cut_but_was_not_is_read() -> None:
    assert unpacked(b"PK00" + zipped_raw(raw_files()), "pets.zip").files == FILES


@pytest.mark.parametrize("method", [0, 99])
def test_both_kinds_of_encryption_are_passwords(method: int) -> None:
    assert "protected with a password" in refusal(zipped_raw(raw_files(flags=1, method=method)), "pets.zip")


def test_a_gz_of_a_single_file_is_told_from_one_of_a_folder() -> None:
    assert "holds a single packed file" in refusal(gzip.compress(b"\xff\xd8\xff" + bytes(900)), "1.jpg.gz")
    assert "holds a single packed file" in refusal(gzip.compress(b""), "x.gz")
    assert unpacked(gzipped(tarred(FILES)), "pets.gz").files == FILES


def test_a_zip_of_another_name_is_opened() -> None:
    assert unpacked(zipped(FILES), "pets.rar").files == FILES


def test_archives_in_archives_are_named() -> None:
    found = unpacked(zipped({"cat/inner.7z": b"7z", **FILES}), "pets.zip")
    assert found.refused["cat/inner.7z"] == "It is a .7z inside a .zip, which is not opened. Unpack it first."


def test_an_empty_file_is_no_archive() -> None:
    assert "not a .zip" in refusal(b"", "pets.tar")

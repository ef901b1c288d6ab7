import io
import random
import re
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.archives import limits as limits_module
from automl.archives import zip
from automl.archives.limits import ArchiveLimits
from automl.archives.opening import read_zip
from automl.errors import BadUpload, UploadTooLarge
from tests.automl.archives.made_archives import unpacked as unpacked_or_refused
from tests.automl.images.pictures import zipped

LIMITS = ArchiveLimits(max_files=100, max_bytes=10_000_000)


def unpacked(content: bytes, name: str = "pets.zip", limits: ArchiveLimits = LIMITS) -> dict[str, bytes]:
    return {member.name: member.stream.read() for member in read_zip(io.BytesIO(content), name, limits)}


def with_entry(name: str, change: Callable[[zipfile.ZipInfo], None], content: bytes = b"target") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        info = zipfile.ZipInfo(name)
        change(info)
        file.writestr(info, content)
        file.writestr("cat/1.jpg", b"photo")
    return target.getvalue()


def test_files_come_with_their_names_and_bytes() -> None:
    files = {"cat/1.jpg": b"one", "dog/ü 🐕.jpg": b"two" * 5000}
    assert unpacked(zipped(files)) == files


def test_an_archive_without_folders_gives_its_name_to_the_class() -> None:
    assert set(unpacked(zipped({"1.jpg": b"", "2.jpg": b""}), "my/cats.zip")) == {"my/cats/1.jpg", "my/cats/2.jpg"}


def test_an_archive_with_folders_lies_where_it_was() -> None:
    assert set(unpacked(zipped({"cat/1.jpg": b""}), "my/pets.zip")) == {"my/cat/1.jpg"}


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\x.jpg", "a/../../b.jpg"])
def test_hostile_names_are_handed_on_as_mere_names(name: str, tmp_path: Path) -> None:
    assert unpacked(zipped({name: b"x", "cat/1.jpg": b"y"}))[name] == b"x"


@pytest.mark.parametrize("name", ["__MACOSX/cat/._1.jpg", "cat/.DS_Store", "Thumbs.db"])
def test_junk_and_folders_are_passed_over(name: str) -> None:
    assert set(unpacked(zipped({name: b"junk", "cat/": b"", "cat/1.jpg": b"x"}))) == {"cat/1.jpg"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_say_why_they_are_not_read(kind: int) -> None:
    def change(info: zipfile.ZipInfo) -> None:
        info.create_system, info.external_attr = 3, (kind | 0o644) << 16

    found = unpacked_or_refused(with_entry("cat/link.jpg", change), "pets.zip")
    assert found.files == {"cat/1.jpg": b"photo"}
    reason = "It is a link to another file" if kind == stat.S_IFLNK else "It is not an ordinary file"
    assert found.refused["cat/link.jpg"].startswith(reason)


def test_names_in_utf8_without_the_flag_are_read_right() -> None:
    content = zipped({"c\u00e4t/1.jpg": b"x"})
    # Bit 11 of the flags says UTF-8: in the local header at 6, in the directory at 8.
    at = content.index(b"PK\x01\x02")
    plain = content[:6] + b"\0\0" + content[8 : at + 8] + b"\0\0" + content[at + 10 :]
    assert set(unpacked(plain)) == {"c\u00e4t/1.jpg"}


def test_a_password_is_explained() -> None:
    content = bytearray(zipped({"cat/1.jpg": b"x"}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadUpload, match="password"):
        unpacked(bytes(content))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 50, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    with pytest.raises(BadUpload, match="damaged or incomplete"):
        unpacked(content)


@pytest.mark.parametrize("files", [{}, {"cat/": b""}, {"__MACOSX/cat/._1.jpg": b"junk"}])
def test_an_archive_without_a_file_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(BadUpload, match="no file in this"):
        unpacked(zipped(files))


def test_a_directory_before_the_beginning_is_damage_although_a_real_file_calls_it_an_error_of_the_system(
    tmp_path: Path,
) -> None:
    content = bytearray(zipped({"cat/1.jpg": b"x"}))
    # The directory's own place, at 16 of the end record, is put far behind where it really is.
    end = content.index(b"PK\x05\x06")
    content[end + 16 : end + 20] = struct.pack("<I", 100_000)
    (tmp_path / "x.zip").write_bytes(content)
    with (tmp_path / "x.zip").open("rb") as source:
        photo, note = read_zip(source, "x.zip", LIMITS)
    assert (photo.name, note.name) == ("cat/1.jpg", "x.zip")
    with pytest.raises(BadUpload, match="damaged"):
        note.stream.read()


def test_a_member_without_a_name_is_passed_over() -> None:
    content = bytearray(zipped({"a": b"x", "cat/1.jpg": b"y"}))
    at = content.index(b"PK\x01\x02")
    # The name's one byte becomes the first of an empty extra field's place: length 0 at 28, comment length 1 at 32.
    content[at + 28 : at + 34] = struct.pack("<HHH", 0, 0, 1)
    assert set(unpacked(bytes(content))) == {"cat/1.jpg"}


def test_one_damaged_member_does_not_spoil_the_others() -> None:
    content = zipped({"cat/1.jpg": b"A" * 99, "cat/2.jpg": b"fine"}, zipfile.ZIP_STORED)
    members = read_zip(io.BytesIO(content.replace(b"A" * 99, b"A" * 98 + b"B")), "pets.zip", LIMITS)
    with pytest.raises(BadUpload, match="damaged inside"):
        next(members).stream.read()
    assert next(members).stream.read() == b"fine"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_can_fill_the_memory_are_refused(method: int) -> None:
    with pytest.raises(BadUpload, match="Deflate"):
        unpacked(zipped({"cat/1.jpg": b"x" * 100}, method))


def test_too_many_files_are_refused() -> None:
    with pytest.raises(UploadTooLarge, match="limit of 2 files"):
        unpacked(zipped({f"cat/{i}.jpg": b"" for i in range(3)}), limits=ArchiveLimits(max_files=2, max_bytes=100))


def test_an_endless_directory_is_refused_before_it_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip, "PIECE_BYTES", 1000)
    with pytest.raises(UploadTooLarge, match="lists far more files"):
        unpacked(zipped({f"cat/{i}.jpg": b"" for i in range(100)}), limits=ArchiveLimits(max_files=1, max_bytes=100))


def test_too_many_bytes_are_refused_over_all_members_together() -> None:
    with pytest.raises(UploadTooLarge, match="limit of 150 bytes"):
        unpacked(
            zipped({"cat/1.jpg": b"a" * 100, "cat/2.jpg": b"b" * 100}), limits=ArchiveLimits(max_files=9, max_bytes=150)
        )


def test_a_header_that_lies_about_the_size_gains_nothing() -> None:
    content = bytearray(zipped({"cat/1.jpg": b"a" * 5000}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 10)
    with pytest.raises((BadUpload, UploadTooLarge)):
        unpacked(bytes(content), limits=ArchiveLimits(max_files=9, max_bytes=1000))


def test_an_archive_that_swells_beyond_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "_RATIO_FREE_BYTES", 1000)
    with pytest.raises(UploadTooLarge, match="200 times"):
        unpacked(zipped({"cat/1.bmp": b"\0" * 5_000_000}))


def test_files_that_share_their_bytes_are_not_unpacked_again_and_again() -> None:
    content = bytearray(zipped({f"cat/{i}.jpg": random.Random(i).randbytes(1000) for i in range(20)}))
    for i in range(content.count(b"PK\x01\x02")):
        at = [match.start() for match in re.finditer(b"PK\x01\x02", content)][i]
        content[at + 20 : at + 24] = struct.pack("<I", 15_000)
        content[at + 42 : at + 46] = struct.pack("<I", 0)
    members = list(read_zip(io.BytesIO(content), "pets.zip", LIMITS))
    assert [member.name for member in members] == [*(f"cat/{i}.jpg" for i in range(20)), "pets.zip"]


def test_a_large_member_passes_through_in_pieces() -> None:
    content = random.Random(0).randbytes(3_000_000)
    members = read_zip(io.BytesIO(zipped({"cat/1.jpg": content})), "pets.zip", LIMITS)
    member = next(members)
    assert member.stream.read(2_500_000) + member.stream.read(2_500_000) == content


def test_an_archive_cut_or_scrambled_anywhere_is_read_or_refused_but_never_another_error() -> None:
    content = zipped({f"cat/{i}.jpg": random.Random(i).randbytes(300) for i in range(5)})
    chance = random.Random(1)
    for _ in range(600):
        bad = bytearray(content)
        for _ in range(chance.randint(0, 6)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        end = chance.choice([len(bad), chance.randrange(len(bad))])
        try:
            for member in read_zip(io.BytesIO(bad[:end]), "x.zip", LIMITS):
                try:
                    member.stream.read()
                except BadUpload:
                    continue
        except (BadUpload, UploadTooLarge):
            continue

"""Names in any code page, through every reader of archives."""

from collections.abc import Callable, Mapping

import pytest

from automl.archives.stored_names import NameReader, StoredName
from bench.folder_cases.raw_zip import RawFile, unicode_path, zipped_raw
from tests.automl.archives.made_archives import Unpacked, entry, gzipped, unpacked
from tests.automl.images.pictures import zipped

Unpack = Callable[[Mapping[bytes, bytes]], Unpacked]

FLOWERS = ("玫瑰/1.jpg", "郁金香/2.jpg", "向日葵/3.jpg")
NAMES = {
    "gbk": FLOWERS,
    "cp932": ("表/ソ連.jpg", "能力/予測.jpg", "バラ/1.jpg", "十字/貼る.jpg"),
    "big5": ("功能/許可.jpg", "玫瑰/1.jpg", "鬱金香/餐蓋.jpg"),
    "euc_kr": ("장미/1.jpg", "튤립/2.jpg", "해바라기/3.jpg"),
    "cp866": ("роза/1.jpg", "тюльпан/2.jpg", "подсолнух/3.jpg"),
    "cp1251": ("роза/1.jpg", "тюльпан/2.jpg", "подсолнух/3.jpg"),
    "cp437": ("Löwenzahn/1.jpg", "Gänseblümchen/2.jpg", "Füße/3.jpg"),
    "cp850": ("Löwenzahn/Ärger.jpg", "Gänseblümchen/2.jpg", "Rübe/3.jpg"),
    "utf-8": ("玫瑰/1.jpg", "Löwenzahn/2.jpg"),
}


def by_directory(files: Mapping[bytes, bytes]) -> Unpacked:
    return unpacked(zipped_raw([RawFile(name=name, content=data) for name, data in files.items()]), "pets.zip")


def without_directory(files: Mapping[bytes, bytes]) -> Unpacked:
    content = zipped_raw([RawFile(name=name, content=data) for name, data in files.items()])
    return unpacked(content[: content.index(b"PK\1\2")], "pets.zip")


def by_tar(files: Mapping[bytes, bytes]) -> Unpacked:
    headers = [
        entry("Q" * len(name), data).replace(b"Q" * len(name), name, 1) for name, data in files.items()
    ]  # the sum in the header is made anew below
    return unpacked(b"".join(map(_summed, headers)) + bytes(1024), "pets.tar")


def by_long_name(files: Mapping[bytes, bytes]) -> Unpacked:
    entries = (entry("x", name + b"\0", type=b"L") + entry("x", data) for name, data in files.items())
    return unpacked(gzipped(b"".join(entries) + bytes(1024)), "pets.tgz")


def _summed(header: bytes) -> bytes:
    blank = header[:148] + b" " * 8 + header[156:]
    return header[:148] + b"%06o\0 " % sum(blank[:512]) + header[156:]


READERS: tuple[Unpack, ...] = (by_directory, without_directory, by_tar, by_long_name)
every_reader = pytest.mark.parametrize("unpack", READERS)


@every_reader
@pytest.mark.parametrize("codec", NAMES)
def test_names_come_back_as_they_were_written(unpack: Unpack, codec: str) -> None:
    found = unpack({name.encode(codec): name.encode() for name in NAMES[codec]})
    assert found.files == {name: name.encode() for name in NAMES[codec]}
    assert not any("code page" in reason for reason in found.refused.values())


@every_reader
def test_where_the_code_page_cannot_be_told_it_is_said_and_the_names_are_shown(unpack: Unpack) -> None:
    found = unpack({b"\x8c\xa2/1.jpg": b"1", b"cat/2.jpg": b"2"})
    (reason,) = found.refused.values()
    assert "does not say in which code page" in reason and "'犬/1.jpg'" in reason
    assert len(found.files) == 2


def test_half_a_letter_is_no_folder_although_nobody_knows_the_code_page() -> None:
    found = by_directory({b"\xfc\xff\xfd\\1.jpg": b"1", b"\xfc\xff\\2.jpg": b"2"})
    assert all("\\" not in name for name in found.files) and len(found.files) == 2


def test_backslashes_of_old_windows_programs_are_folders_in_any_code_page() -> None:
    found = by_directory({f"{name}\\{i}.jpg".encode("gbk"): b"x" for i, name in enumerate(("玫瑰", "郁金香", "猫"))})
    assert set(found.files) == {"玫瑰\\0.jpg", "郁金香\\1.jpg", "猫\\2.jpg"}


def test_entries_of_folders_with_backslashes_are_no_files() -> None:
    files = [RawFile(name=b"cat\\", attributes=0x10), RawFile(name=b"cat\\1.jpg", content=b"1")]
    assert set(unpacked(zipped_raw(files), "pets.zip").files) == {"cat\\1.jpg"}


@pytest.mark.parametrize("read", [zipped_raw, lambda files: zipped_raw(files).split(b"PK\1\2")[0]])
def test_the_unicode_path_field_is_believed(read: Callable[[list[RawFile]], bytes]) -> None:
    files = [RawFile(name=b"?/1.jpg", extra=b"\x01\x00\x00\x00" + unicode_path("猫/1.jpg", b"?/1.jpg"))]
    assert set(unpacked(read(files), "pets.zip").files) == {"猫/1.jpg"}


def test_a_unicode_path_that_was_made_for_another_name_is_not_believed() -> None:
    files = [RawFile(name=b"dog/1.jpg", extra=unicode_path("cat/1.jpg", b"cat/1.jpg"))]
    assert set(unpacked(zipped_raw(files), "pets.zip").files) == {"dog/1.jpg"}


@pytest.mark.parametrize("extra", [b"\x75\x70", b"\x75\x70\x05\x00\x01\0\0\0\0", b"\x75\x70\x06\x00\x01\0\0\0\0\xff"])
def test_a_broken_unicode_path_costs_nothing(extra: bytes) -> None:
    files = [RawFile(name=b"cat/1.jpg", extra=extra)]
    assert set(unpacked(zipped_raw(files), "pets.zip").files) == {"cat/1.jpg"}


def test_a_name_that_was_damaged_does_not_change_the_others() -> None:
    names = [f"猫{i}/1.jpg".encode() for i in range(12)] + [b"\xff\xfe/1.jpg"]
    found = by_tar(dict.fromkeys(names, b"x"))
    assert {f"猫{i}/1.jpg" for i in range(12)} < set(found.files) and len(found.files) == 13


def test_names_with_the_flag_are_read_beside_names_in_a_code_page() -> None:
    files = [RawFile(name=name.encode("gbk"), content=b"x") for name in FLOWERS]
    files.append(RawFile(name="🌹/1.jpg".encode(), content=b"x", flags=0x800))
    assert set(unpacked(zipped_raw(files), "pets.zip").files) == {*FLOWERS, "🌹/1.jpg"}


def test_an_archive_is_one_class_where_half_letters_look_like_folders() -> None:
    content = zipped_raw([RawFile(name=f"表ソ能{i}.jpg".encode("cp932")) for i in range(3)])
    assert set(unpacked(content, "cats.zip").files) == {f"cats/表ソ能{i}.jpg" for i in range(3)}


def test_python_writes_what_is_read() -> None:
    assert set(unpacked(zipped(dict.fromkeys(FLOWERS, b"x")), "x.zip").files) == set(FLOWERS)


def test_ascii_needs_no_code_page() -> None:
    reader = NameReader([StoredName(raw=b"cat/1.jpg")])
    assert reader.note == "" and reader(StoredName(raw=b"a\\b.jpg")) == "a\\b.jpg"

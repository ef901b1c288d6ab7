"""Archives that mean harm, or that came to harm: each is refused or cleaned with a message, and nothing else happens.

They go the whole way of an upload: into the store and the database, by `unpack_archives`.
"""

import io
import random
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from automl.archives.limits import ArchiveLimits
from automl.archives.opening import read_archive
from automl.archives.suffixes import is_archive
from automl.errors import BadUpload, UploadTooLarge
from automl.records import FileState
from automl.settings import Settings
from automl.store.tables import DatasetFile
from automl.store.unpacking import unpack_archives
from automl.text.upload_names import clean_parts, is_junk
from tests.automl.archives.made_archives import END, LIMITS, Unpacked, entry, gzipped, tarred, unpacked
from tests.automl.conftest import UploadedDataset
from tests.automl.images.pictures import zipped

Upload = Callable[[Mapping[str, bytes]], UploadedDataset]
Make = Callable[[Mapping[str, bytes]], bytes]

PHOTOS = {f"cat/{i}.jpg": random.Random(i).randbytes(1500) for i in range(12)}
MAKERS: dict[str, Make] = {
    "pets.zip": zipped,
    "stored.zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    "pets.tar": tarred,
    "pets.tar.gz": lambda files: gzipped(tarred(files)),
}
every_kind = pytest.mark.parametrize(("name", "make"), MAKERS.items(), ids=list(MAKERS))
quickly = hypothesis_settings(deadline=None, max_examples=60, database=None, derandomize=True)


def went_through(uploaded: Upload, settings: Settings, name: str, content: bytes) -> UploadedDataset:
    """Unpacks, and makes sure that there is nothing but what rows refer to, under keys that the store made."""
    dataset = uploaded({name: content})
    unpack_archives(dataset.database, dataset.store, dataset.id, settings=settings, say=lambda _: None)
    with dataset.database.session() as session:
        known = set(session.scalars(select(DatasetFile.key).where(DatasetFile.key != "")))
    stored = {file.key for file in dataset.store.list("datasets")}
    assert stored == known
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-/") for key in stored)
    outside = [path for path in settings.home.parent.rglob("*") if path.is_file() and not _is_ours(path, settings)]
    assert outside == []
    return dataset


def _is_ours(path: Path, settings: Settings) -> bool:
    return path.is_relative_to(settings.files_dir) or path.name.startswith("darkroom.sqlite3")


def received(dataset: UploadedDataset) -> set[str]:
    return {name for name, file in dataset.files().items() if file.state is FileState.RECEIVED}


@every_kind
@pytest.mark.parametrize(
    "bad", ["../../escaped.jpg", "/absolute.jpg", "..\\..\\x.jpg", "C:\\x.jpg", "a/../../../b.jpg", "~/x.jpg", "//x/y"]
)
def test_a_path_out_of_the_archive_is_a_name_like_any_other(
    uploaded: Upload, settings: Settings, name: str, make: Make, bad: str
) -> None:
    dataset = went_through(uploaded, settings, name, make({bad: b"escaped", **PHOTOS}))
    assert received(dataset) == {bad, *PHOTOS}


@every_kind
def test_very_long_names_are_refused_alone(uploaded: Upload, settings: Settings, name: str, make: Make) -> None:
    if "tar" in name:
        long = entry("L", b"cat/" + b"x" * 60_000 + b".jpg\0", type=tarfile.GNUTYPE_LONGNAME) + entry("x", b"long")
        content = long + tarred(PHOTOS)
        content = gzipped(content) if name.endswith("gz") else content
    else:
        content = make({"cat/" + "x" * 60_000 + ".jpg": b"long", **PHOTOS})
    dataset = went_through(uploaded, settings, name, content)
    assert received(dataset) == set(PHOTOS)
    assert list(dataset.reasons().values()) == ["Its name is longer than 1,000 characters."]


@pytest.mark.parametrize("raw", [b"cat/\0\0\0.jpg", b"cat/\xff\xfe\xed\xa0\x80.jpg", b"cat/\r\n\x1b[2J.jpg", b"\0"])
def test_names_of_any_bytes_reach_the_database(uploaded: Upload, settings: Settings, raw: bytes) -> None:
    note = b"path=" + raw + b"\n"
    length = len(note) + 3
    pax = entry("x", b"%d " % length + note, type=tarfile.XHDTYPE)
    dataset = went_through(uploaded, settings, "a.tar", pax + entry("x", b"odd") + tarred(PHOTOS))
    assert len(received(dataset)) == len(PHOTOS) + 1
    content = zipped({"cat/" + "Q" * len(raw): b"odd", **PHOTOS}).replace(b"cat/" + b"Q" * len(raw), b"cat/" + raw)
    dataset = went_through(uploaded, settings.model_copy(update={"max_files": 300}), "a.zip", content)
    assert set(PHOTOS) <= received(dataset)


@every_kind
def test_the_same_name_twice_gives_both_files(uploaded: Upload, settings: Settings, name: str, make: Make) -> None:
    twice = make({"cat/1.jpg": b"first", "cat/Q.jpg": b"second"}) if name != "pets.tar.gz" else None
    if "tar" in name:
        content = entry("cat/1.jpg", b"first") + tarred({"cat/1.jpg": b"second"})
        content = gzipped(content) if name.endswith("gz") else content
    else:
        assert twice is not None
        content = twice.replace(b"cat/Q.jpg", b"cat/1.jpg")
    found = [member.stream.read() for member in read_archive(io.BytesIO(content), name, LIMITS)]
    assert found == [b"first", b"second"]
    assert len(received(went_through(uploaded, settings, name, content))) == 1  # by name; both rows are there


@every_kind
def test_an_archive_in_an_archive_is_not_opened(uploaded: Upload, settings: Settings, name: str, make: Make) -> None:
    inner = make({f"dog/{i}.jpg": b"d" for i in range(5)})
    dataset = went_through(uploaded, settings, name, make({f"cat/inner{i}.tar.gz": inner for i in range(3)} | PHOTOS))
    assert received(dataset) == set(PHOTOS)
    assert all("which is not opened" in reason for reason in dataset.reasons().values()) and len(dataset.reasons()) == 3


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_and_a_file_through_it_lead_nowhere(
    uploaded: Upload, settings: Settings, tmp_path: Path, kind: bytes
) -> None:
    link = entry("cat", type=kind, linkname=str(tmp_path))
    dataset = went_through(uploaded, settings, "a.tar", link + tarred({"cat/x.jpg": b"through", **PHOTOS}))
    assert received(dataset) == {"cat/x.jpg", *PHOTOS}
    assert "not followed" in dataset.reasons()["cat"]


@every_kind
def test_a_bomb_is_refused_and_leaves_nothing(uploaded: Upload, settings: Settings, name: str, make: Make) -> None:
    small = settings.model_copy(update={"max_upload_bytes": 2_000_000})
    content = make({**PHOTOS, "cat/bomb.bmp": bytes(20_000_000)})
    tracemalloc.start()
    dataset = uploaded({"x": b""})
    dataset.add({name: content})
    unpack_archives(dataset.database, dataset.store, dataset.id, settings=small, say=lambda _: None)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "larger than the limit" in dataset.reasons()[name]
    assert set(dataset.files()) == {"x", name} and dataset.files()[name].key == ""
    assert sum(path.stat().st_size for path in settings.files_dir.rglob("*") if path.is_file()) == 0
    assert peak_bytes < 30_000_000


@every_kind
def test_a_hundred_thousand_entries_are_refused(uploaded: Upload, settings: Settings, name: str, make: Make) -> None:
    if "tar" in name:
        content = entry("cat/1.jpg") * 100_000 + END
        content = gzipped(content) if name.endswith("gz") else content
    else:
        one = zipped({"cat/1.jpg": b""})
        at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
        directory = one[at:end] * 100_000
        # 65,535 is all that the end record can say; what is there is what counts.
        content = one[:at] + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, len(directory), at, 0)
    dataset = went_through(uploaded, settings, name, content)
    assert "limit" in dataset.reasons()[name] and len(dataset.files()) == 1


@pytest.mark.parametrize("name", ["pets.zip", "stored.zip"])
def test_a_password_is_explained(uploaded: Upload, settings: Settings, name: str) -> None:
    content = bytearray(MAKERS[name](PHOTOS))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "password" in went_through(uploaded, settings, name, bytes(content)).reasons()[name]


@pytest.mark.parametrize("name", ["pets.zip", "stored.zip"])
def test_a_wrong_sum_costs_one_photo(uploaded: Upload, settings: Settings, name: str) -> None:
    content = bytearray(MAKERS[name](PHOTOS))
    content[14] ^= 1
    content[content.index(b"PK\x01\x02") + 16] ^= 1
    dataset = went_through(uploaded, settings, name, bytes(content))
    assert dataset.reasons() == {"cat/0.jpg": "It is damaged inside the .zip."}
    assert received(dataset) == set(PHOTOS) - {"cat/0.jpg"}


@every_kind
def test_cut_at_every_kilobyte_it_gives_the_photos_that_came_before(name: str, make: Make) -> None:
    content = make(PHOTOS)
    n_before = 0
    for n_bytes in range(0, len(content) - 20, 1024):
        found = read_or_refused(content[:n_bytes], name)
        assert all(PHOTOS[photo] == data for photo, data in found.files.items())
        assert n_before <= len(found.files), "a longer part gives no less"
        assert len(found.files) >= n_bytes // 2100 - 1, "all but the one that was cut"
        assert not found.files or "Make it again" in found.refused[name] or "make it again" in found.refused[name]
        n_before = len(found.files)
    assert n_before >= len(PHOTOS) - 1


@every_kind
def test_a_cut_archive_is_unpacked_and_sent_again_it_is_whole(
    uploaded: Upload, settings: Settings, name: str, make: Make
) -> None:
    content = make(PHOTOS)
    dataset = went_through(uploaded, settings, name, content[:10_000])
    assert 3 <= len(received(dataset)) < len(PHOTOS)
    assert name in dataset.reasons()
    dataset.add({name: content})
    unpack_archives(dataset.database, dataset.store, dataset.id, settings=settings, say=lambda _: None)
    assert received(dataset) == set(PHOTOS)
    assert name not in dataset.files()


@every_kind
def test_scrambled_anywhere_it_is_read_or_refused_and_no_photo_is_changed(name: str, make: Make) -> None:
    content, chance = make(PHOTOS), random.Random(1)
    n_good = 0
    for _ in range(150):
        bad = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        n_good += len(read_or_refused(bytes(bad), name).files)
    assert n_good > 150 * len(PHOTOS) * (0.3 if name.endswith("gz") else 0.8)


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=90)


@quickly
@given(files=st.dictionaries(names, st.binary(max_size=2000), max_size=8))
@pytest.mark.parametrize("kind", ["zip", "gnu", "pax"])
def test_files_of_any_names_come_with_their_bytes_or_a_reason(kind: str, files: dict[str, bytes]) -> None:
    form = tarfile.GNU_FORMAT if kind == "gnu" else tarfile.PAX_FORMAT
    content = zipped(files) if kind == "zip" else b"".join(tar_entry(*file, form) for file in files.items()) + END
    wanted = {name: data for name, data in files.items() if not is_junk(name) and (kind, name[-1]) != ("zip", "/")}
    if not wanted:
        assert read_or_refused(content, "my/x.tar") == Unpacked()
        return
    for (name, data), member in zip(wanted.items(), read_archive(io.BytesIO(content), "my/x.tar", LIMITS), strict=True):
        assert member.name.startswith("my/") and member.name.endswith(name.removeprefix("./"))
        assert ".." not in clean_parts(member.name)
        if is_archive(name):
            with pytest.raises(BadUpload, match="not opened"):
                member.stream.read()
        else:
            assert member.stream.read() == data


@quickly
@given(content=st.binary(max_size=3000), start=st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08\0", b"PK\x05\x06"]))
def test_any_bytes_are_read_or_refused(content: bytes, start: bytes) -> None:
    read_or_refused(start + content, "x.zip")


@quickly
@given(data=st.binary(max_size=3000))
def test_any_bytes_in_a_packed_tar_are_read_or_refused(data: bytes) -> None:
    good = entry("cat/1.jpg", b"good")
    assert read_or_refused(gzipped(good + data), "x.tar.gz").files.get("cat/1.jpg") == b"good"


@quickly
@given(header=st.binary(min_size=512, max_size=512), kind=st.sampled_from([b"0", b"x", b"L", b"S", b"g", b"5", b"D"]))
def test_a_header_of_any_bytes_with_a_right_sum_is_read_or_refused(header: bytes, kind: bytes) -> None:
    block = bytearray(header)
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:]))
    read_or_refused(entry("cat/1.jpg", b"good") + bytes(block) + tarred({"cat/2.jpg": b"good"}), "x.tar")


def tar_entry(name: str, content: bytes, form: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info.tobuf(form, "utf-8", "surrogateescape") + content + bytes(-len(content) % 512)


def read_or_refused(content: bytes, name: str) -> Unpacked:
    try:
        return unpacked(content, name, ArchiveLimits(max_files=100, max_bytes=10_000_000))
    except (BadUpload, UploadTooLarge) as error:
        assert error.message
        return Unpacked()

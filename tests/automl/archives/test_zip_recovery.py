import io
import random
import struct
import zipfile

import pytest

from automl.archives.limits import ArchiveLimits
from automl.errors import BadUpload, UploadTooLarge
from tests.automl.archives.made_archives import unpacked
from tests.automl.images.pictures import zipped

FILES = {f"cat/{i}.jpg": random.Random(i).randbytes(3000) for i in range(5)} | {"dog/ü.jpg": b"d" * 5000}


class Pipe(io.BytesIO):
    """A target that cannot be rewound: sizes and sums are then written behind the files."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def piped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = Pipe()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def without_directory(content: bytes) -> bytes:
    return content[: content.index(b"PK\x01\x02")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_without_its_directory_every_file_is_still_found(method: int) -> None:
    found = unpacked(without_directory(zipped({"cat/": b"", "__MACOSX/._1": b"j", **FILES}, method)), "pets.zip")
    assert found.files == FILES
    assert set(found.refused) == {"pets.zip"} and "damaged or incomplete" in found.refused["pets.zip"]


def test_sizes_that_follow_the_bytes_are_found() -> None:
    assert unpacked(without_directory(piped(FILES)), "pets.zip").files == FILES


def test_a_file_that_does_not_say_where_it_ends_is_refused_and_the_next_is_found() -> None:
    stored = without_directory(piped({"cat/x.jpg": b"stored"}, zipfile.ZIP_STORED))
    found = unpacked(stored + zipped({"cat/1.jpg": b"1"})[:-30], "pets.zip")
    assert found.files == {"cat/1.jpg": b"1"}
    assert "where it ends" in found.refused["cat/x.jpg"]


def test_sizes_beyond_32_bits_are_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive, archive.open("cat/1.jpg", "w", force_zip64=True) as file:
        file.write(b"large" * 100)
    assert unpacked(without_directory(target.getvalue()), "pets.zip").files == {"cat/1.jpg": b"large" * 100}


@pytest.mark.parametrize(
    "content", [zipped(FILES), zipped(FILES, zipfile.ZIP_STORED), piped(FILES)], ids=["deflated", "stored", "piped"]
)
def test_a_damaged_file_costs_itself_alone(content: bytes) -> None:
    bad = bytearray(without_directory(content))
    bad[100] ^= 1
    found = unpacked(bytes(bad), "pets.zip")
    assert found.refused["cat/0.jpg"] == "It is damaged inside the .zip."
    assert found.files == {name: data for name, data in FILES.items() if name != "cat/0.jpg"}


def test_a_password_and_an_unusual_method_are_explained() -> None:
    content = bytearray(without_directory(zipped({"cat/1.jpg": b"1"})))
    content[6] |= 1
    lzma = without_directory(zipped({"cat/2.jpg": b"2" * 99}, zipfile.ZIP_LZMA))
    found = unpacked(bytes(content) + lzma + without_directory(zipped(FILES)), "pets.zip")
    assert "password" in found.refused["cat/1.jpg"] and "Deflate" in found.refused["cat/2.jpg"]
    assert found.files == FILES


def test_a_size_that_is_a_lie_costs_its_own_file_alone() -> None:
    content = bytearray(without_directory(zipped(FILES, zipfile.ZIP_STORED)))
    content[18:22] = struct.pack("<I", 2_000_000_000)
    found = unpacked(bytes(content), "pets.zip")
    assert set(found.files) == set(FILES) - {"cat/0.jpg"}


def test_files_hidden_in_each_other_are_not_read_for_ever() -> None:
    header = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 1, 60_000, 60_000, 1, 0) + b"x"
    limits = ArchiveLimits(max_files=10_000, max_bytes=10**9)
    found = unpacked(header * 2000 + bytes(60_000), "pets.zip", limits)
    assert len(found.files) == 0 and set(found.refused) == {"pets/x", "pets.zip"}


def test_too_many_files_are_refused_while_they_come() -> None:
    content = without_directory(zipped({f"cat/{i}.jpg": b"" for i in range(20)}))
    with pytest.raises(UploadTooLarge, match="limit of 10 files"):
        unpacked(content, "pets.zip", ArchiveLimits(max_files=10, max_bytes=1000))


def test_a_bomb_without_a_directory_is_stopped() -> None:
    content = without_directory(zipped({"cat/1.bmp": bytes(30_000_000)}))
    with pytest.raises(UploadTooLarge, match="limit of 10,000,000 bytes"):
        unpacked(content, "pets.zip")


def test_a_name_that_claims_to_be_utf8_and_is_not_costs_nothing() -> None:
    content = zipped({"cat/\u00fc.jpg": b"1", **FILES}).replace("cat/\u00fc.jpg".encode(), b"cat/\xff\xff.jpg")
    found = unpacked(content, "pets.zip")
    assert len(found.files) == len(FILES) + 1 and FILES.items() <= found.files.items()


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" * 1000, b"PK\x03\x04" + b"\xff" * 5000])
def test_headers_of_nothing_are_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(BadUpload, match="damaged or incomplete"):
        unpacked(content, "pets.zip")

import pytest

from automl.errors import BadUpload
from tests.automl.archives.made_archives import gzipped, tarred, unpacked
from tests.automl.images.pictures import zipped

FILES = {"cat/1.jpg": b"one" * 1000, "dog/ü 🐕.jpg": b"two"}


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tgz"])
@pytest.mark.parametrize("content", [zipped(FILES), tarred(FILES), gzipped(tarred(FILES))], ids=["zip", "tar", "gz"])
def test_the_bytes_say_what_it_is_not_the_name(content: bytes, name: str) -> None:
    assert unpacked(content, name).files == FILES


@pytest.mark.parametrize("make", [zipped, tarred, lambda files: gzipped(tarred(files))], ids=["zip", "tar", "gz"])
class TestEveryKind:
    def test_without_folders_its_name_is_the_class(self, make: object) -> None:
        content = make({"./1.jpg": b"1", "._1.jpg": b"junk", "__MACOSX/._1.jpg": b"junk", "2.jpg": b"2"})  # type: ignore[operator]
        assert unpacked(content, "my/cats.tar.gz").files == {"my/cats/1.jpg": b"1", "my/cats/2.jpg": b"2"}

    def test_with_folders_it_lies_where_it_was(self, make: object) -> None:
        assert set(unpacked(make({"1.jpg": b"", "cat/2.jpg": b""}), "my/x.zip").files) == {"my/1.jpg", "my/cat/2.jpg"}  # type: ignore[operator]

    def test_an_archive_in_it_says_that_it_is_not_opened(self, make: object) -> None:
        found = unpacked(make({"cat/1.jpg": b"1", "cat/x.tgz": b"not even one"}))  # type: ignore[operator]
        assert set(found.files) == {"cat/1.jpg"}
        assert found.refused["cat/x.tgz"].startswith("It is a .tgz inside a ") and "Unpack it" in str(found.refused)


@pytest.mark.parametrize(
    ("start", "kind"),
    [(b"BZh9", r"\.bz2"), (b"\xfd7zXZ\0", r"\.xz"), (b"7z\xbc\xaf'\x1c", r"\.7z"), (b"Rar!", r"\.rar")],
)
def test_other_kinds_of_archives_are_named(start: bytes, kind: str) -> None:
    with pytest.raises(BadUpload, match=f"This is a {kind} file"):
        unpacked(start + bytes(2000))


@pytest.mark.parametrize("content", [b"", b"a text", b"\xff\xd8\xff photo" * 100])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(BadUpload, match=r"not a \.zip, \.tar or \.tar\.gz"):
        unpacked(content)


@pytest.mark.parametrize("content", [bytes(10240), gzipped(bytes(10240)), gzipped(b"a text"), gzipped(b"")])
def test_an_archive_of_nothing_is_refused(content: bytes) -> None:
    with pytest.raises(BadUpload, match=r"no file in this|damaged or incomplete"):
        unpacked(content)

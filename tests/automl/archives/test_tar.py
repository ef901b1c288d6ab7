import io
import tarfile
import tracemalloc
from collections.abc import Callable

import pytest

from automl.archives.limits import ArchiveLimits
from automl.archives.opening import read_archive
from automl.errors import BadUpload, UploadTooLarge
from tests.automl.archives.made_archives import END, LIMITS, entry, gzipped, padded, tarred, tarred_by_tarfile, unpacked

LONG = "/".join(["cat", *["folder" * 10] * 5, "ü" * 90 + ".jpg"])


def attributes(**values: str) -> bytes:
    """The header that says more of the next file, as pax writes it."""
    lines = b""
    for key, value in values.items():
        line = f" {key}={value}\n".encode()
        n_digits = len(str(len(line) + len(str(len(line)))))
        lines += str(len(line) + n_digits).encode() + line
    return entry("x", lines, type=tarfile.XHDTYPE)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_common_form_is_read(form: int) -> None:
    files = {"cat/1.jpg": b"1" * 1000, "cat/2.jpg": b"", "dog/" + "b" * 90 + ".jpg": b"3" * 512}
    assert unpacked(tarred_by_tarfile(files, form)).files == files


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_other_alphabets_come_whole(form: int) -> None:
    assert unpacked(tarred_by_tarfile({LONG: b"1", "dog/🐕.jpg": b"2"}, form)).files == {LONG: b"1", "dog/🐕.jpg": b"2"}


def test_folders_and_leftovers_are_passed_over() -> None:
    content = entry("./", type=tarfile.DIRTYPE) + entry("./cat/._1.jpg", b"junk" * 300) + tarred({"./cat/1.jpg": b"1"})
    assert unpacked(content).files == {"cat/1.jpg": b"1"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, b"M"])
def test_what_is_no_file_says_why(kind: bytes) -> None:
    found = unpacked(entry("cat/2.jpg", type=kind, linkname="/etc/passwd") + tarred({"cat/1.jpg": b"1"}))
    assert found.files == {"cat/1.jpg": b"1"}
    assert found.refused["cat/2.jpg"].startswith(("It is a link", "It is not an ordinary file"))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\x.jpg"])
def test_hostile_names_are_handed_on_as_mere_names(name: str) -> None:
    assert unpacked(tarred({name: b"x", "cat/1.jpg": b"y"})).files[name] == b"x"


def test_a_file_with_holes_says_why_and_the_next_one_is_found() -> None:
    header = bytearray(entry("cat/2.jpg", type=tarfile.GNUTYPE_SPARSE, size=512))
    header[482] = 1
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 256 + sum(header[156:512]))
    pax = attributes(**{"GNU.sparse.major": "1"}) + entry("cat/3.jpg", bytes(512))
    found = unpacked(bytes(header) + bytes(512) + bytes(512) + pax + tarred({"cat/1.jpg": b"1"}))
    assert found.files == {"cat/1.jpg": b"1"}
    assert ["holes" in reason for reason in found.refused.values()] == [True, True]


def test_the_size_in_an_extra_header_counts() -> None:
    content = attributes(size="600") + entry("cat/1.jpg", b"1" * 600, size=0) + tarred({"cat/2.jpg": b"2"})
    # `entry` wrote the contents although the header says 0.
    assert unpacked(content).files == {"cat/1.jpg": b"1" * 600, "cat/2.jpg": b"2"}


@pytest.mark.parametrize(
    "data", [b"9999999 path=x\n", b"abc", b"-1 a=b\n", b"3 a", b"0 path=x\n", b"11 size=-1\n", b"15 path\0=cat\xff\n"]
)
def test_an_extra_header_that_makes_no_sense_is_passed_over(data: bytes) -> None:
    found = unpacked(entry("x", data, type=tarfile.XHDTYPE) + tarred({"cat/1.jpg": b"1"}))
    assert found.files == {"cat/1.jpg": b"1"}


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_huge_extra_header_is_skipped_and_not_taken_into_memory(kind: bytes) -> None:
    content = gzipped(entry("x", bytes(50_000_000), type=kind) + tarred({"cat/1.jpg": b"1"}))
    tracemalloc.start()
    found = unpacked(content, limits=ArchiveLimits(max_files=100, max_bytes=80_000_000))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.files == {"cat/1.jpg": b"1"}
    assert peak_bytes < 10_000_000


def test_an_endless_chain_of_extra_headers_is_refused() -> None:
    with pytest.raises(UploadTooLarge, match="lists far more"):
        unpacked(attributes(path="cat/x.jpg") * 5000 + tarred({"cat/1.jpg": b"1"}))


def test_many_small_attributes_cost_no_more_than_few_large_ones() -> None:
    content = entry("x", b"5 a=\n" * 200_000 + b"18 path=cat/1.jpg\n", type=tarfile.XHDTYPE)
    assert set(unpacked(content + tarred({"y": b"1"}), limits=ArchiveLimits(max_files=9, max_bytes=10**8)).files) == {
        "cat/1.jpg"
    }


def test_a_damaged_header_costs_its_own_file_alone() -> None:
    content = bytearray(tarred({f"cat/{i}.jpg": bytes([i]) * 700 for i in range(1, 5)}))
    content[1536 + 3] ^= 1
    found = unpacked(bytes(content))
    assert found.files == {f"cat/{i}.jpg": bytes([i]) * 700 for i in (1, 3, 4)}
    assert "part of this .tar is damaged" in found.refused["pets.tar"]


@pytest.mark.parametrize("size", [10**9, 8**11 - 1, 2**80, -5])
def test_a_header_that_lies_about_the_size_costs_its_own_file_alone(size: int) -> None:
    content = entry("cat/2.jpg", size=size) + padded(b"2") + tarred({"cat/1.jpg": b"1"})
    found = unpacked(entry("cat/0.jpg", b"0") + content)
    assert found.files == {"cat/0.jpg": b"0", "cat/1.jpg": b"1"}
    assert "damaged" in found.refused["pets.tar"]


def test_without_the_end_mark_it_is_said_that_something_may_be_missing() -> None:
    found = unpacked(tarred({"cat/1.jpg": b"1"})[: -len(END)])
    assert found.files == {"cat/1.jpg": b"1"}
    assert found.refused == {
        "pets.tar": "This .tar breaks off before its end: what came after 'cat/1.jpg' is lost. Make it again."
    }


def test_limits_are_counted_while_reading() -> None:
    files = {f"cat/{i}.jpg": b"x" * 100 for i in range(5)}
    with pytest.raises(UploadTooLarge, match="limit of 4 files"):
        unpacked(tarred(files), limits=ArchiveLimits(max_files=4, max_bytes=10_000))
    with pytest.raises(UploadTooLarge, match="limit of 450 bytes"):
        unpacked(tarred(files), limits=ArchiveLimits(max_files=9, max_bytes=450))
    assert len(unpacked(tarred(files), limits=ArchiveLimits(max_files=5, max_bytes=500)).files) == 5


@pytest.mark.parametrize("make", [tarred, lambda files: gzipped(tarred(files))])
def test_a_member_that_is_not_read_to_its_end_does_not_shift_the_next(
    make: Callable[[dict[str, bytes]], bytes],
) -> None:
    content = make({"cat/1.jpg": b"1" * 3000, "cat/2.jpg": b"2" * 3000, "cat/3.jpg": b"3"})
    members = read_archive(io.BytesIO(content), "x.tar", LIMITS)
    assert [next(members).stream.read(n_bytes) for n_bytes in (0, 7, 7)] == [b"", b"2" * 7, b"3"]


def test_nothing_but_damage_is_refused_as_a_whole() -> None:
    with pytest.raises(BadUpload, match="damaged or incomplete"):
        unpacked(gzipped(b"a text, no tar" * 1000))

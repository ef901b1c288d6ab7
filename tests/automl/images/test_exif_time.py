"""The clock of the camera is read where it can be, and never costs a photo."""

import io

import pytest
from PIL import Image

from automl.images.exif_time import time_taken
from automl.images.verify import inspect_photo

EXIF_IFD, ORIGINAL, SUBSECONDS, DATE_TIME = 0x8769, 0x9003, 0x9291, 0x0132


def jpeg(*, original: object = None, subseconds: object = None, date_time: object = None) -> io.BytesIO:
    exif = Image.Exif()
    inner = {tag: value for tag, value in ((ORIGINAL, original), (SUBSECONDS, subseconds)) if value is not None}
    if inner:
        exif[EXIF_IFD] = inner
    if date_time is not None:
        exif[DATE_TIME] = date_time
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "JPEG", exif=exif)
    out.seek(0)
    return out


def taken(**values: object) -> float | None:
    return inspect_photo(jpeg(**values), 10_000)[0].taken_at


def test_a_burst_is_ordered_by_fractions_of_a_second():
    times = [taken(original="2023:04:15 10:30:12", subseconds=part) for part in ("10", "5", "75")]
    assert times == [1681554612.1, 1681554612.5, 1681554612.75]


def test_the_time_of_the_file_serves_where_that_of_the_photo_is_missing():
    assert taken(date_time="2023:04:15 10:30:12") == 1681554612


@pytest.mark.parametrize("written", ["", "yesterday", "0000:00:00 00:00:00", "2023:13:45 99:00:00", "    :  :     "])
def test_a_time_that_is_none_is_not_known_and_costs_nothing(written):
    assert taken(original=written) is None


def test_a_picture_without_exif_has_no_time():
    assert taken() is None


@pytest.mark.parametrize("content", [b"", b"no photo", b"\xff\xd8\xff\xe1\x00\x20Exif\0\0II*\0\xff\xff\xff\xff"])
def test_what_is_no_photo_has_no_time(content):
    assert time_taken(io.BytesIO(content)) is None

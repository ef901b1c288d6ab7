import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from automl.errors import BadImage
from automl.images.verify import VerifiedImage, in_threads, verify_image
from automl.serving.predict import open_photo
from bench.folder_cases.odd_photos import beside_a_jpeg, beside_a_png, deep_colour, patches, tiff
from tests.automl.images.pictures import encoded, picture

MAX_BYTES = 3_000_000


def verified(content: bytes) -> VerifiedImage:
    return verify_image(io.BytesIO(content), MAX_BYTES)


def refusal(content: bytes, max_bytes: int = MAX_BYTES) -> str:
    with pytest.raises(BadImage) as caught:
        verify_image(io.BytesIO(content), max_bytes)
    return caught.value.message


def png_header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + b"\0\0\0\x0aIDAT"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_every_promised_format_is_accepted_whatever_the_name(form: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.txt"
    path.write_bytes(encoded(0, form))
    assert verify_image(path, MAX_BYTES) == VerifiedImage(width=24, height=16, format=form)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "I;16", "CMYK", "YCbCr", "F"])
def test_every_kind_of_pixel_is_accepted(mode: str) -> None:
    image = Image.new(mode, (24, 16)) if mode in ("I;16", "PA") else picture(mode=mode)
    form = {"CMYK": "JPEG", "YCbCr": "JPEG", "F": "TIFF", "PA": "TIFF"}.get(mode, "PNG")
    image = image.convert("LA") if mode == "PA" else image
    assert verified(encoded(image, form)).width == 24


def test_a_palette_png_with_transparency_is_accepted() -> None:
    assert verified(encoded(picture(mode="P"), transparency=bytes(range(256)))).format == "PNG"


def test_an_animation_counts_with_its_first_frame() -> None:
    frames = [picture(seed) for seed in range(3)]
    assert verified(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])).format == "GIF"


@pytest.mark.parametrize(("orientation", "size"), [(1, (24, 16)), (3, (24, 16)), (6, (16, 24)), (8, (16, 24))])
def test_the_size_is_that_of_the_upright_picture(orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = verified(encoded(picture(), "JPEG", exif=exif))
    assert (found.width, found.height) == size


def test_a_picture_of_one_pixel_is_a_picture() -> None:
    assert verified(encoded(Image.new("RGB", (1, 1)))) == VerifiedImage(width=1, height=1, format="PNG")


def test_a_phone_photo_with_a_second_picture_inside_counts_as_jpeg() -> None:
    content = encoded(picture(0), "MPO", save_all=True, append_images=[picture(1)])
    assert verified(content).format == "JPEG"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_a_picture_that_ends_too_early_is_refused(form: str) -> None:
    content = encoded(picture(size=(200, 150)), form)
    assert "damaged or cut off" in refusal(content[: len(content) // 2])


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg", "tiff_adobe_deflate"])
def test_a_cut_off_compressed_tiff_is_refused_in_silence(compression: str, capfd: pytest.CaptureFixture[str]) -> None:
    content = encoded(picture(size=(200, 150)), "TIFF", compression=compression)
    for n_bytes in range(8, len(content), 997):
        with warnings.catch_warnings(), pytest.raises(BadImage):
            verify_image(io.BytesIO(content[:n_bytes]), MAX_BYTES)
    assert capfd.readouterr() == ("", "")


def test_nothing_in_the_project_lets_pillow_invent_missing_pixels() -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello, I am a text file", "not a picture in a form"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04....", "archive"),
        (b"  <svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\xff\xd8\xff\xe0", "damaged"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture in a form"),
    ],
)
def test_what_is_not_a_picture_is_refused_with_the_fitting_reason(content: bytes, words: str) -> None:
    assert words in refusal(content)


@pytest.mark.parametrize("form", ["ICO", "PPM", "TGA", "JPEG2000"])
def test_formats_that_are_not_promised_are_refused(form: str) -> None:
    assert "JPEG, PNG, WebP" in refusal(encoded(picture(size=(32, 32)), form))


def test_what_would_be_too_large_is_refused_before_it_is_decoded() -> None:
    words = "opened, it would take 3.0 kB of memory, and at most 3.0 kB are allowed here"
    assert words in refusal(png_header_only(100, 10), max_bytes=2_999)


@pytest.mark.parametrize(
    ("mode", "form", "n_bytes"),
    [
        ("1", "PNG", 1),
        ("L", "PNG", 1),
        ("P", "PNG", 1),
        ("RGB", "JPEG", 3),
        ("RGBA", "PNG", 4),
        ("CMYK", "JPEG", 4),
        ("I;16", "PNG", 2),
        ("I", "TIFF", 4),
        ("F", "TIFF", 4),
        ("RGB", "WEBP", 3),
    ],
)
def test_a_picture_counts_with_all_its_channels_and_the_size_of_their_samples(
    mode: str, form: str, n_bytes: int
) -> None:
    image = Image.new(mode, (24, 16)) if mode == "I;16" else picture(mode=mode)
    with open_photo(io.BytesIO(encoded(image, form))) as photo:
        assert photo.n_bytes == 24 * 16 * n_bytes


def test_a_colour_of_16_bits_counts_twice() -> None:
    content = deep_colour(patches(1), 16, "PNG")
    with open_photo(io.BytesIO(content)) as photo:
        assert photo.n_bytes == photo.image.width * photo.image.height * 6


@pytest.mark.parametrize("side", [9_500, 10_000, 30_000, 2**31 - 1])
def test_a_decompression_bomb_is_refused_without_a_warning(side: int) -> None:
    assert "picture" in refusal(png_header_only(side, side), max_bytes=270_000_000)


def test_a_limit_beyond_pillows_own_still_gives_a_reason() -> None:
    assert "178,956,970 pixels" in refusal(png_header_only(30_000, 30_000), max_bytes=10**10)


def test_odd_exif_neither_refuses_nor_warns(recwarn: pytest.WarningsRecorder) -> None:
    warnings.simplefilter("always")
    content = encoded(picture(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\0 broken")
    assert verified(content).format == "JPEG"
    assert not recwarn.list


def test_the_callers_warning_filters_come_back() -> None:
    before = list(warnings.filters)
    list(in_threads(verified, [encoded(seed) for seed in range(20)]))
    assert warnings.filters == before


def test_noise_in_the_middle_is_accepted_or_refused_but_never_another_error() -> None:
    random = np.random.default_rng(0)
    for form in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"):
        good = np.frombuffer(encoded(picture(size=(60, 40)), form), np.uint8)
        for _ in range(150):
            bad = good.copy()
            bad[random.integers(0, len(bad), 8)] = random.integers(0, 256, 8)
            try:
                verified(bad.tobytes())
            except BadImage as error:
                assert error.message.endswith(".")


def test_a_disk_that_fails_is_not_the_pictures_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        verify_image(tmp_path / "nothing.jpg", MAX_BYTES)


def test_threads_keep_the_order() -> None:
    assert list(in_threads(lambda n: n * n, range(100))) == [n * n for n in range(100)]


def test_a_sound_file_of_an_unusual_kind_is_not_called_damaged() -> None:
    twelve_bits = encoded(picture(), "JPEG").replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c")
    assert refusal(twelve_bits).startswith("This is a JPEG file of an unusual kind")
    assert refusal(tiff(np.zeros((4, 4), np.uint8), {258: 24, 339: 3})).startswith(
        "This is a TIFF file of an unusual kind"
    )


@pytest.mark.parametrize("name", beside_a_png(encoded(1)))
def test_nothing_beside_its_pixels_costs_a_png(name: str) -> None:
    assert verified(beside_a_png(encoded(1))[name]) == VerifiedImage(width=24, height=16, format="PNG")


@pytest.mark.parametrize("name", beside_a_jpeg(encoded(1, "JPEG")))
def test_nothing_beside_its_pixels_costs_a_jpeg(name: str) -> None:
    assert verified(beside_a_jpeg(encoded(1, "JPEG"))[name]) == VerifiedImage(width=24, height=16, format="JPEG")


@pytest.mark.parametrize("is_progressive", [False, True])
def test_a_jpeg_that_lacks_its_last_bytes_is_used_as_browsers_show_it(is_progressive: bool) -> None:
    content = encoded(picture(size=(200, 150)), "JPEG", progressive=is_progressive)
    for n_lost in (1, 2, 3, 10, 40):
        assert verified(content[:-n_lost]).width == 200
    assert "damaged or cut off" in refusal(content[: len(content) // 3])


def test_pixels_with_a_wrong_checksum_are_damaged() -> None:
    content = encoded(picture(size=(60, 40)))
    at = content.index(b"IDAT") + 60
    assert "damaged" in refusal(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])

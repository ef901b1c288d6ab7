"""The one decoder that training, the web page and `predict.py` share."""

import io

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from automl.search.plan import INPUT_SIZES_PX
from automl.serving.predict import ASPECTS, DECODE_PX, PhotoRules, load_image, open_rgb, resize_square

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def stored(image: Image.Image, form: str = "PNG", **options: object) -> io.BytesIO:
    target = io.BytesIO()
    image.save(target, form, **options)
    target.seek(0)
    return target


def decoded(image: Image.Image, form: str = "PNG", **options: object) -> np.ndarray:
    picture = open_rgb(stored(image, form, **options))
    assert picture.mode == "RGB"
    return np.asarray(picture)


def flag() -> Image.Image:
    """Left half red, right half blue; 32 x 16."""
    image = Image.new("RGB", (32, 16), RED)
    image.paste(BLUE, (16, 0, 32, 16))
    return image


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_the_very_pixels(form: str) -> None:
    assert (decoded(flag(), form) == np.asarray(flag())).all()


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_lossy_formats_come_close(form: str) -> None:
    difference = decoded(flag(), form, quality=95).astype(int)[:, 2:12] - np.asarray(flag())[:, 2:12]
    assert abs(difference).max() < 12


def test_a_palette_gives_its_colours() -> None:
    assert (decoded(flag().convert("P", palette=Image.Palette.ADAPTIVE)) == np.asarray(flag())).all()


def test_cmyk_gives_colours_the_right_way_round() -> None:
    pixels = decoded(flag().convert("CMYK"), "JPEG", quality=95)
    assert pixels[8, 4].argmax() == 0 and pixels[8, 28].argmax() == 2


def test_transparent_parts_become_white() -> None:
    image = flag().convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    pixels = decoded(image)
    assert tuple(pixels[0, 0]) == WHITE
    assert tuple(pixels[0, 1]) == (127, 127, 127)
    assert tuple(pixels[0, 2]) == RED


def test_a_transparent_palette_colour_becomes_white() -> None:
    image = flag().convert("P", palette=Image.Palette.ADAPTIVE)
    pixels = decoded(image, transparency=image.getpixel((0, 0)))
    assert tuple(pixels[0, 0]) == WHITE and tuple(pixels[0, 31]) == BLUE


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(1, 256)
    assert (decoded(Image.fromarray(ramp))[0, :, 0] == np.arange(256)).all()


def test_eight_bit_values_in_sixteen_bits_stay_as_they_are() -> None:
    assert (decoded(Image.fromarray(np.full((4, 4), 200, np.uint16))) == 200).all()


def test_floating_point_without_numbers_is_survived() -> None:
    values = np.array([[np.nan, np.inf, -5.0, 100.0]], np.float32)
    assert decoded(Image.fromarray(values), "TIFF")[0, :, 0].tolist() == [0, 255, 0, 100]


@pytest.mark.parametrize(("mode", "white"), [("1", (1,)), ("L", (255,)), ("LA", (255, 255))])
def test_black_and_white_becomes_gray(mode: str, white: tuple[int, ...]) -> None:
    assert (decoded(Image.new(mode, (8, 8), white)) == 255).all()


TURNED = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", TURNED)
def test_exif_orientation_is_applied(orientation: int, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decoded(flag(), form, exif=exif).astype(int)
    height, width = pixels.shape[:2]
    middle = {
        "left": pixels[height // 2, 2],
        "right": pixels[height // 2, -3],
        "top": pixels[2, width // 2],
        "bottom": pixels[-3, width // 2],
    }
    assert (height > width) == (orientation >= 5)
    assert middle[TURNED[orientation]].argmax() == 0, "the red half"


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    pixels = decoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (pixels == RED).all()


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size() -> None:
    picture = open_rgb(stored(flag().resize((4000, 3000)), "JPEG"))
    assert picture.size == (500, 375)


def test_no_model_wants_more_pixels_than_are_decoded() -> None:
    assert max(INPUT_SIZES_PX) <= DECODE_PX


def test_a_thin_jpeg_keeps_its_short_side() -> None:
    assert open_rgb(stored(flag().resize((4000, 300)), "JPEG")).size == (4000, 300)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (640, 480)])
def test_any_picture_becomes_the_square_that_the_model_wants(size: tuple[int, int]) -> None:
    pixels = load_image(stored(flag().resize(size)), 224)
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8


def test_the_whole_picture_is_in_the_square() -> None:
    pixels = resize_square(flag(), 96)
    assert tuple(pixels[48, 2]) == RED and tuple(pixels[48, -3]) == BLUE


def test_a_photo_that_is_kept_whole_has_its_shape_and_the_background_around_it() -> None:
    pixels = resize_square(flag().resize((300, 100)), 96, PhotoRules(aspect="whole", background=128))
    assert (pixels[:32] == 128).all() and (pixels[64:] == 128).all()
    assert tuple(pixels[48, 2]) == RED and tuple(pixels[48, -3]) == BLUE


def test_a_photo_that_is_cropped_shows_its_middle_only() -> None:
    photo = Image.new("RGB", (300, 100), (0, 255, 0))
    photo.paste((255, 255, 255), (100, 0, 200, 100))
    assert (resize_square(photo, 96, PhotoRules(aspect="crop")) == 255).all()


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1), (97, 96)])
def test_the_thinnest_photo_becomes_a_square(size: tuple[int, int], aspect: str) -> None:
    assert resize_square(Image.new("RGB", size), 96, PhotoRules(aspect=aspect)).shape == (96, 96, 3)


@pytest.mark.parametrize("form", ["PPM", "ICO", "TGA"])
def test_formats_that_are_not_promised_are_not_opened(form: str) -> None:
    with pytest.raises(UnidentifiedImageError):
        open_rgb(stored(flag().resize((32, 32)), form))


def test_postscript_is_never_handed_to_another_program() -> None:
    with pytest.raises(UnidentifiedImageError):
        open_rgb(io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"))


def test_a_picture_that_is_cut_off_is_an_error() -> None:
    content = stored(Image.effect_noise((200, 200), 90), "JPEG").getvalue()
    with pytest.raises(OSError, match="truncated"):
        open_rgb(io.BytesIO(content[: len(content) // 2]))

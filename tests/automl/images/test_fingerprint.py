import io

import numpy as np
import pytest
from PIL import Image

from automl.images.fingerprint import FINGERPRINT_PX, Traits, traits_of
from tests.automl.images.faults import as_jpeg, photo
from tests.automl.images.pictures import picture


def of(image: Image.Image) -> Traits:
    return traits_of(image.convert("RGB"), width=image.width, height=image.height, format="PNG")


def test_size_and_format_are_the_files_own_although_the_picture_was_reduced() -> None:
    found = traits_of(picture(size=(60, 40)), width=6000, height=4000, format="JPEG")
    assert (found.width, found.height, found.format) == (6000, 4000, "JPEG")


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (24, 16), (700, 500)])
def test_a_fingerprint_has_one_byte_for_each_value_whatever_the_size(size: tuple[int, int]) -> None:
    assert len(of(picture(size=size)).fingerprint) == FINGERPRINT_PX**2


def test_a_fingerprint_shows_what_is_where() -> None:
    image = Image.new("RGB", (640, 640), "white")
    image.paste("black", (0, 0, 640, 320))
    found = np.frombuffer(of(image).fingerprint, np.uint8).reshape(FINGERPRINT_PX, FINGERPRINT_PX)
    assert found[:14].max() == 0 and found[18:].min() == 255


def test_a_reduced_picture_has_nearly_the_same_fingerprint() -> None:
    image = photo(np.random.default_rng(0), (640, 480))
    found = [np.frombuffer(of(each).fingerprint, np.uint8).astype(int) for each in (image, image.reduce(2))]
    assert np.abs(found[0] - found[1]).max() <= 4


def test_a_blank_picture_has_no_spread() -> None:
    assert of(Image.new("RGB", (300, 200), (90, 20, 200))).spread == 0


def test_fine_texture_is_not_blank() -> None:
    board = Image.fromarray((np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8))
    assert of(board).spread > 100


def test_a_gray_picture_is_gray_also_after_jpeg() -> None:
    gray = photo(np.random.default_rng(1)).convert("L").convert("RGB")
    assert of(gray).is_gray
    assert of(Image.open(io.BytesIO(as_jpeg(gray, 60)))).is_gray


def test_a_spot_of_colour_is_enough_to_be_coloured() -> None:
    image = Image.new("RGB", (400, 300), "gray")
    image.paste((255, 0, 0), (100, 100, 120, 120))
    assert not of(image).is_gray

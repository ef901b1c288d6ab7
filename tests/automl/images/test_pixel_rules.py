"""One rule for all photos of a data set: chosen from their values, and so that every photo is seen."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from automl.images.pixel_facts import facts_of
from automl.images.pixel_rules import BLANK_SPREAD, contract_for, described, rules_of, visible_spread
from automl.records import GrayRange, PixelFacts, ServingContract
from automl.serving.predict import open_photo, open_rgb
from bench.folder_cases.odd_photos import deep, drawing, encoded, floating, patches, signed, without_alpha
from bench.folder_cases.odd_photos import tiff as tiff_of

N = 12


def facts(data: bytes) -> PixelFacts:
    with open_photo(io.BytesIO(data)) as photo:
        found = facts_of(photo.decoded())
    assert found is not None
    return found


def tiff(image: Image.Image) -> bytes:
    return encoded(image, "TIFF")


def contract_of(write: Callable[[int], bytes]) -> ServingContract:
    """The contract for twelve photos."""
    return contract_for([facts(write(seed)) for seed in range(N)])


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_deep_gray_is_as_bright_as_its_twin_of_8_bits(bits: int) -> None:
    contract = contract_of(lambda seed: tiff(deep(patches(seed), bits)))
    assert contract.gray.integers == GrayRange(black=0, white=(1 << bits) - 1)
    for seed in range(N):
        decoded = open_rgb(io.BytesIO(tiff(deep(patches(seed), bits))), rules_of(contract))
        assert np.abs(np.asarray(decoded)[..., 0].astype(int) - np.asarray(patches(seed).convert("L"))).max() <= 1


def test_one_bright_photo_decides_for_all() -> None:
    dark = [facts(tiff(deep(patches(seed), 10))) for seed in range(N)]
    assert contract_for([*dark, facts(tiff(deep(patches(99), 12)))]).gray.integers == GrayRange(black=0, white=4095)


@pytest.mark.parametrize("white", [1.0, 255.0, 4095.0])
def test_floats_are_as_bright_as_their_twins(white: float) -> None:
    contract = contract_of(lambda seed: tiff(floating(patches(seed), white)))
    assert contract.gray.floats == GrayRange(black=0, white=white)
    decoded = open_rgb(io.BytesIO(tiff(floating(patches(3), white))), rules_of(contract))
    assert np.abs(np.asarray(decoded)[..., 0].astype(int) - np.asarray(patches(3).convert("L"))).max() <= 1


def test_floats_that_overshoot_a_little_are_still_those_from_0_to_1() -> None:
    contract = contract_of(lambda seed: tiff(Image.fromarray(np.asarray(floating(patches(seed))) * 1.08 - 0.04)))
    assert contract.gray.floats == GrayRange(black=0, white=1)


def test_signed_values_have_a_window_that_holds_what_is_usual() -> None:
    contract = contract_of(lambda seed: signed(patches(seed)))
    window = contract.gray.integers
    assert window is not None
    assert -1000 <= window.black < -600 and 600 < window.white <= 1200
    decoded = np.asarray(open_rgb(io.BytesIO(signed(patches(3))), rules_of(contract)))
    assert decoded.std() > 40


def test_letters_of_full_white_do_not_darken_twelve_bits() -> None:
    def with_letters(seed: int) -> bytes:
        picture = deep(patches(seed, (200, 200)), 12)
        picture.paste(Image.new("I;16", (60, 4), 65535), (130, 190))
        return tiff(picture)

    assert contract_of(with_letters).gray.integers == GrayRange(black=0, white=4095)


def test_masks_of_a_few_values_are_seen() -> None:
    contract = contract_of(
        lambda seed: tiff(Image.fromarray((np.asarray(patches(seed).convert("L")) // 128).astype(np.uint16)))
    )
    assert contract.gray.integers == GrayRange(black=0, white=1)


def test_integers_and_floats_have_rules_of_their_own() -> None:
    contract = contract_for([facts(tiff(deep(patches(1), 12))), facts(tiff(floating(patches(2))))])
    assert (contract.gray.integers, contract.gray.floats) == (
        GrayRange(black=0, white=4095),
        GrayRange(black=0, white=1),
    )
    assert len(described(contract)) == 2


def test_a_blank_photo_of_12_bits_is_blank_and_others_are_not() -> None:
    blank = facts(tiff(Image.fromarray(np.full((40, 40), 1000, np.uint16))))
    some = [facts(tiff(deep(patches(seed), 12))) for seed in range(N)]
    contract = contract_for([blank, *some])
    assert visible_spread(blank, contract) < BLANK_SPREAD
    assert min(visible_spread(one, contract) for one in some) > BLANK_SPREAD


@pytest.mark.parametrize(
    ("colours", "background"), [((0,), "white"), ((255,), "black"), ((0, 255), "gray"), ((128,), "white")]
)
def test_the_background_is_one_before_which_every_drawing_is_seen(colours: tuple[int, ...], background: str) -> None:
    seen = [facts(encoded(drawing(seed, colours[seed % len(colours)], is_round=True), "PNG")) for seed in range(N)]
    contract = contract_for(seen)
    assert contract.background == background
    assert min(visible_spread(one, contract) for one in seen) > BLANK_SPREAD
    assert len(described(contract)) == (background != "white")


def test_one_white_drawing_among_very_many_changes_nothing() -> None:
    black, white = (facts(encoded(drawing(1, colour, is_round=True), "PNG")) for colour in (0, 255))
    contract = contract_for([black] * 99 + [white])
    assert contract.background == "white"
    assert visible_spread(white, contract) < BLANK_SPREAD


def test_alpha_that_is_0_everywhere_hides_nothing() -> None:
    found = facts(encoded(without_alpha(patches(1)), "PNG"))
    assert contract_for([found]) == ServingContract()
    assert visible_spread(found, ServingContract()) > BLANK_SPREAD


@pytest.mark.parametrize("image", [patches(1), patches(1).convert("L"), patches(1).convert("RGBA")])
def test_of_an_ordinary_photo_nothing_is_kept(image: Image.Image) -> None:
    with open_photo(io.BytesIO(encoded(image, "PNG"))) as photo:
        assert facts_of(photo.decoded()) is None


def test_without_odd_photos_the_contract_is_the_usual_one_and_nothing_is_said() -> None:
    assert contract_for([]) == ServingContract()
    assert described(ServingContract()) == []


def test_floats_without_a_number_are_survived() -> None:
    found = facts(tiff(Image.fromarray(np.full((8, 8), np.nan, np.float32))))
    assert contract_for([found]).gray.floats is not None


def test_a_tiff_whose_lowest_value_is_white_is_no_negative() -> None:
    values = np.asarray(deep(patches(1), 12))
    plain, negative = tiff_of(values), tiff_of(4095 - values, {262: 0})
    rules = rules_of(contract_for([facts(plain), facts(negative)]))
    one, other = (np.asarray(open_rgb(io.BytesIO(data), rules)).astype(int) for data in (plain, negative))
    assert np.abs(one - other).max() <= 1


@pytest.mark.parametrize("corner", range(8))
def test_a_drawing_of_thin_lines_is_seen_wherever_they_are(corner: int) -> None:
    image = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle([100 + corner, 100 + corner, 300 + corner, 300 + corner], outline=(255,) * 4)
    found = facts(encoded(image, "PNG"))
    contract = contract_for([found])
    assert contract.background == "black"
    assert visible_spread(found, contract) >= BLANK_SPREAD

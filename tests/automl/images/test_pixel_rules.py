"""One rule for all photos of a data set: chosen from their values, and so that every photo is seen."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from automl.errors import BadImage
from automl.images.pixel_facts import facts_of
from automl.images.pixel_rules import BLANK_SPREAD, contract_for, described, rules_of, visible_spread
from automl.images.verify import inspect_photo
from automl.records import GrayRange, PixelFacts, ServingContract
from automl.serving.predict import open_photo, open_rgb
from bench.folder_cases.odd_photos import deep, deep_colour, drawing, encoded, floating, patches, signed, without_alpha
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


def is_seen_as(data: bytes, contract: ServingContract, gray: np.ndarray) -> None:
    """Its gray values are those of its twin of 8 bits."""
    decoded = np.asarray(open_rgb(io.BytesIO(data), rules_of(contract)).convert("L")).astype(int)
    assert np.abs(decoded - gray).max() <= 1


@pytest.mark.parametrize(("few", "many"), [(12, 16), (8, 16), (8, 12), (10, 14), (10, 16)])
@pytest.mark.parametrize("n_few", [1, 5, 11])
def test_files_of_fewer_bits_among_others_have_a_range_of_their_own(few: int, many: int, n_few: int) -> None:
    photos = [tiff(deep(patches(seed), few if seed < n_few else many)) for seed in range(N)]
    seen = [facts(data) for data in photos]
    contract = contract_for(seen)
    assert contract.gray.integers == GrayRange(black=0, white=(1 << many) - 1)
    assert contract.gray.darker_integers == (GrayRange(black=0, white=(1 << few) - 1),)
    for seed, data in enumerate(photos):
        is_seen_as(data, contract, np.asarray(patches(seed).convert("L")))
    assert min(visible_spread(one, contract) for one in seen) > BLANK_SPREAD
    assert len(described(contract)) == 2


def test_three_depths_in_one_data_set() -> None:
    contract = contract_of(lambda seed: tiff(deep(patches(seed), (8, 12, 16)[seed % 3])))
    assert [one.white for one in contract.gray.darker_integers] == [255, 4095]


def test_floats_of_two_scales_and_integers_in_one_data_set() -> None:
    def write(seed: int) -> bytes:
        return tiff((floating(patches(seed)), floating(patches(seed), 255.0), deep(patches(seed), 12))[seed % 3])

    contract = contract_of(write)
    assert contract.gray.darker_floats == (GrayRange(black=0, white=1),)
    assert (contract.gray.floats, contract.gray.darker_integers) == (GrayRange(black=0, white=255), ())
    for seed in range(3):
        is_seen_as(write(seed), contract, np.asarray(patches(seed).convert("L")))


def test_files_of_8_bits_do_not_matter_for_those_of_16() -> None:
    assert facts_in_8_bits(patches(1).convert("L")) is None
    assert contract_of(lambda seed: tiff(deep(patches(seed), 16))).gray.darker_integers == ()


def facts_in_8_bits(image: Image.Image) -> PixelFacts | None:
    with open_photo(io.BytesIO(encoded(image, "PNG"))) as photo:
        return facts_of(photo.decoded())


@pytest.mark.parametrize("bits", [13, 14, 15])
def test_a_photo_that_is_dark_beside_the_others_is_not_blank(bits: int) -> None:
    soft = Image.fromarray((np.asarray(patches(0).convert("L")) // 8 + 100).astype(np.uint8))
    dark = facts(tiff(deep(soft, bits)))
    contract = contract_for([dark, *(facts(tiff(deep(patches(seed), 16))) for seed in range(N))])
    assert visible_spread(dark, contract) > BLANK_SPREAD


def test_blank_photos_are_blank_beside_any_others_and_make_no_range() -> None:
    blank = [facts(tiff(Image.fromarray(np.full((40, 40), value, np.uint16)))) for value in (0, 7, 300, 3000)]
    contract = contract_for([*blank, *(facts(tiff(deep(patches(seed), 16))) for seed in range(N))])
    assert contract.gray.darker_integers == ()
    assert max(visible_spread(one, contract) for one in blank) < BLANK_SPREAD


def test_a_constant_with_little_noise_among_signed_values_is_blank() -> None:
    noise = np.random.default_rng(0).integers(-1002, -997, (40, 40)).astype("<i2")
    blank = facts(tiff_of(noise, {339: 2}))
    contract = contract_for([blank, *(facts(signed(patches(seed))) for seed in range(N))])
    assert contract.gray.darker_integers == ()
    assert visible_spread(blank, contract) < BLANK_SPREAD


COLOURS: dict[str, Callable[[Image.Image, int], bytes]] = {
    "PNG": lambda image, bits: deep_colour(image, bits, "PNG"),
    "PNG with alpha": lambda image, bits: deep_colour(image.convert("RGBA"), bits, "PNG"),
    "PNG, gray with alpha": lambda image, bits: deep_colour(image.convert("LA"), bits, "PNG"),
    "TIFF": lambda image, bits: deep_colour(image, bits, "TIFF"),
    "TIFF of the other order": lambda image, bits: deep_colour(image, bits, "TIFF", byteorder=">"),
    "TIFF, packed": lambda image, bits: deep_colour(image, bits, "TIFF", compression="zlib"),
    "TIFF in tiles": lambda image, bits: deep_colour(image, bits, "TIFF", tile=(32, 32)),
    "TIFF with alpha": lambda image, bits: deep_colour(image.convert("RGBA"), bits, "TIFF"),
}


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("kind", COLOURS)
def test_deep_colours_are_as_bright_as_their_twins_of_8_bits(kind: str, bits: int) -> None:
    contract = contract_of(lambda seed: COLOURS[kind](patches(seed), bits))
    assert contract.gray.integers == GrayRange(black=0, white=(1 << bits) - 1)
    twin = patches(3).convert("L" if "gray" in kind else "RGB").convert("RGB")
    decoded = open_rgb(io.BytesIO(COLOURS[kind](patches(3), bits)), rules_of(contract))
    assert np.abs(np.asarray(decoded).astype(int) - np.asarray(twin)).max() <= 1


def test_colour_and_gray_have_one_rule() -> None:
    colour, gray = facts(COLOURS["PNG"](patches(1), 12)), facts(tiff(deep(patches(2), 16)))
    contract = contract_for([colour, gray])
    assert [one.white for one in (*contract.gray.darker_integers, contract.gray.integers) if one] == [4095, 65535]


def test_an_older_contract_decodes_deep_colours_as_it_did() -> None:
    data = COLOURS["PNG"](patches(1), 16)
    for older in (ServingContract(version=1), None):
        decoded = np.asarray(open_rgb(io.BytesIO(data), rules_of(older)))
        assert (decoded == np.asarray(Image.open(io.BytesIO(data)))).all()


def test_deep_colours_in_planes_are_refused_with_a_true_sentence() -> None:
    with pytest.raises(BadImage, match="TIFF file of an unusual kind"):
        inspect_photo(io.BytesIO(deep_colour(patches(1), 12, "TIFF", planarconfig="separate")), 10**8)


def test_transparent_deep_colours_have_a_background() -> None:
    disc = deep_colour(drawing(1, 255, is_round=True), 12, "PNG")
    contract = contract_for([facts(disc)])
    assert (contract.background, contract.gray.integers) == ("black", GrayRange(black=0, white=4095))
    decoded = np.asarray(open_rgb(io.BytesIO(disc), rules_of(contract)))
    assert (decoded.min(), decoded.max()) == (0, 255)

"""The same bytes are the same pixels in training, on the web page and in the delivered program."""

import io
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from automl.checked_files import sha256_of
from automl.formats import ONNX_RUNTIME
from automl.images.pixel_rules import rules_of
from automl.images.pixels import PixelCache
from automl.images.verify import open_verified
from automl.records import Aspect, GrayRange, GrayRules, ImageRecord, ServingContract
from automl.serving.predict import resize_square
from bench.folder_cases.odd_photos import (
    beside_a_jpeg,
    beside_a_png,
    beside_a_tiff,
    deep,
    deep_colour,
    drawing,
    encoded,
    floating,
    patches,
    signed,
    tiff,
    without_alpha,
)

SIZE_PX, MAX_PIXELS = 32, 1_000_000
PNG, JPEG = encoded(patches(0), "PNG"), encoded(patches(0), "JPEG")
GRAY = np.asarray(patches(0).convert("L"))
BESIDE = {f"a PNG with {name}": (data, PNG) for name, data in beside_a_png(PNG).items()} | {
    f"a JPEG with {name}": (data, JPEG) for name, data in beside_a_jpeg(JPEG).items()
}
BESIDE |= {f"a TIFF with {name}": (data, tiff(GRAY)) for name, data in beside_a_tiff(GRAY).items()}
ODD: Mapping[str, bytes] = {
    "gray of 12 bits": encoded(deep(patches(1), 12), "PNG"),
    "gray of 16 bits": encoded(deep(patches(1), 16), "TIFF", compression="tiff_lzw"),
    "colours of 12 bits": deep_colour(patches(1), 12, "PNG"),
    "colours of 16 bits": deep_colour(patches(1), 16, "TIFF", byteorder=">"),
    "gray of 12 bits with alpha": deep_colour(patches(1).convert("LA"), 12, "PNG"),
    "gray of 8 bits in 16": encoded(deep(patches(1), 8), "PNG"),
    "floats": encoded(floating(patches(1)), "TIFF"),
    "signed values": signed(patches(1)),
    "a white drawing": encoded(drawing(1, 255, is_round=True), "PNG"),
    "a half-transparent palette": encoded(patches(1).convert("P"), "PNG", transparency=bytes(range(256))),
    "alpha that is 0 everywhere": encoded(without_alpha(patches(1)), "PNG"),
    "a JPEG that lacks its last bytes": encoded(patches(1), "JPEG", quality=95)[:-12],
    "a second picture inside": encoded(patches(1), "MPO", save_all=True, append_images=[patches(2)]),
    "a turned WebP": encoded(patches(1), "WEBP", exif=b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"),
}
CONTRACT = ServingContract(
    background="black",
    gray=GrayRules(
        integers=GrayRange(black=-1000, white=4095),
        floats=GrayRange(black=0, white=1),
        darker_integers=(GrayRange(black=0, white=255),),
    ),
)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What predict.py has, in a folder with nothing of this project."""
    script = tmp_path_factory.mktemp("delivered") / "predict.py"
    script.write_text(ONNX_RUNTIME.delivered_script(), encoding="utf-8")
    return runpy.run_path(str(script))


def in_training(path: Path, contract: ServingContract | None) -> np.ndarray:
    photo = ImageRecord(path=path, name="x", label="a", sha256=sha256_of(path), width=1, height=1)
    cache = PixelCache(path.parent / "cache", (photo,), rules_of(contract))
    cache.decode([SIZE_PX], lambda _done, _total: None)
    return np.asarray(cache.open(SIZE_PX)[0])


def on_the_web(data: bytes, contract: ServingContract | None) -> np.ndarray:
    rules = rules_of(contract)
    return resize_square(open_verified(io.BytesIO(data), MAX_PIXELS, rules), SIZE_PX, rules)


def by_the_program(program: Mapping[str, Any], path: Path, contract: ServingContract | None) -> np.ndarray:
    rules = program["PhotoRules"].read(contract.json_text() if contract else "")
    return np.asarray(program["load_image"](path, SIZE_PX, rules))


@pytest.mark.parametrize("contract", [CONTRACT, ServingContract(), None], ids=["chosen", "usual", "older"])
@pytest.mark.parametrize("name", ODD)
def test_odd_pixels_are_the_same_everywhere(
    name: str, contract: ServingContract | None, delivered: Mapping[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(ODD[name])
    pixels = in_training(path, contract)
    assert (on_the_web(ODD[name], contract) == pixels).all()
    assert (by_the_program(delivered, path, contract) == pixels).all()


@pytest.mark.parametrize("aspect", ["squeeze", "whole", "crop"])
@pytest.mark.parametrize("size", [(300, 100), (100, 300), (701, 90), (64, 64)])
def test_long_and_tall_photos_are_the_same_everywhere(
    size: tuple[int, int], aspect: Aspect, delivered: Mapping[str, Any], tmp_path: Path
) -> None:
    path, noise = tmp_path / "photo", np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    Image.fromarray(noise).resize(size).save(path, "JPEG")
    contract = ServingContract(aspect=aspect, background="gray")
    pixels = in_training(path, contract)
    assert (on_the_web(path.read_bytes(), contract) == pixels).all()
    assert (by_the_program(delivered, path, contract) == pixels).all()


@pytest.mark.parametrize("name", BESIDE)
def test_nothing_beside_the_pixels_changes_them_anywhere(
    name: str, delivered: Mapping[str, Any], tmp_path: Path
) -> None:
    odd, plain = BESIDE[name]
    path = tmp_path / "photo"
    path.write_bytes(odd)
    expected = resize_square(Image.open(io.BytesIO(plain)).convert("RGB"), SIZE_PX)
    contract = ServingContract()
    assert (in_training(path, contract) == expected).all()
    assert (on_the_web(odd, contract) == expected).all()
    assert (by_the_program(delivered, path, contract) == expected).all()

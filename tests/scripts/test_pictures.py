import inspect
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from scripts import pictures
from scripts.pictures import MAX_BYTES, small_png

DOCS = Path(__file__).parents[2] / "docs"


def test_a_plain_page_keeps_its_size():
    image = Image.new("RGB", (1280, 900), "white")
    assert Image.open(io.BytesIO(small_png(image, 150_000))).size == (1280, 900)


def test_a_picture_that_does_not_compress_is_made_smaller_until_it_fits():
    noise = np.random.default_rng(0).integers(0, 256, (100, 150, 3), dtype=np.uint8)
    packed = small_png(Image.fromarray(noise), 3_000)
    assert len(packed) < 3_000
    assert Image.open(io.BytesIO(packed)).width < 150


def test_the_pictures_of_the_pages_are_small_and_each_of_them_is_shown():
    there = {path.name: path for path in (DOCS / "images").glob("*.png")}
    shown = {
        name for path in DOCS.glob("*.md") for name in re.findall(r"\(images/([\w-]+\.png)\)", path.read_text("utf-8"))
    }
    assert there.keys() == shown
    assert not [name for name, path in there.items() if path.stat().st_size >= MAX_BYTES]


def test_every_picture_that_is_taken_is_one_of_the_docs():
    source = inspect.getsource(pictures)
    taken = set(re.findall(r'(?:take|shoot)\((?:[a-z]+, )?f?"([\w-]+)(?:\{name\})?"', source))
    assert len(taken) > 15
    assert {f"{name}.png" for name in taken} <= {path.name for path in (DOCS / "images").glob("*.png")}

import io

import numpy as np
from PIL import Image

from scripts.pictures import small_png


def test_a_plain_page_keeps_its_size():
    image = Image.new("RGB", (1280, 900), "white")
    assert Image.open(io.BytesIO(small_png(image, 150_000))).size == (1280, 900)


def test_a_picture_that_does_not_compress_is_made_smaller_until_it_fits():
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    packed = small_png(Image.fromarray(noise), 30_000)
    assert len(packed) < 30_000
    assert Image.open(io.BytesIO(packed)).width < 600

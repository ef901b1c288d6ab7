"""Pictures of nothing, drawn by chance: they show a converter which values occur where a photo is far from all others.

Nothing is judged by them, and no rate of any report is about them.
"""

import numpy as np
from PIL import Image, ImageDraw

_SMALLEST_NOISE_PX, _LARGEST_NOISE_PX = 2, 112
_FEWEST_SHAPES, _MOST_SHAPES = 3, 100


def drawn_pictures(n: int, size_px: int) -> np.ndarray:
    """uint8 (n, size_px, size_px, 3), RGB, always the same: soft or fine noise, discs, lines and plain colours."""
    random = np.random.default_rng(0)
    kinds = (_noise, _discs, _lines, _plain)
    pictures = np.empty((n, size_px, size_px, 3), np.uint8)
    for place in range(n):
        pictures[place] = np.asarray(kinds[place % len(kinds)](random, size_px))
    return pictures


def _noise(random: np.random.Generator, size_px: int) -> Image.Image:
    side = int(np.exp(random.uniform(np.log(_SMALLEST_NOISE_PX), np.log(_LARGEST_NOISE_PX))))
    values = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(values).resize((size_px, size_px), Image.Resampling.BICUBIC)


def _discs(random: np.random.Generator, size_px: int) -> Image.Image:
    picture = Image.new("RGB", (size_px, size_px), _colour(random))
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(_FEWEST_SHAPES, _MOST_SHAPES)):
        x, y = random.uniform(0, size_px, 2)
        radius = size_px * random.uniform(0.01, 0.2)
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=_colour(random))
    return picture


def _lines(random: np.random.Generator, size_px: int) -> Image.Image:
    picture = Image.new("RGB", (size_px, size_px), _colour(random))
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(_FEWEST_SHAPES, _MOST_SHAPES)):
        ends = random.uniform(0, size_px, 4).tolist()
        draw.line(ends, fill=_colour(random), width=max(1, round(size_px * random.uniform(0.005, 0.05))))
    return picture


def _plain(random: np.random.Generator, size_px: int) -> Image.Image:
    """Black, white or a pure colour: what fills a picture moves pooled features farthest."""
    red, green, blue = (255 * int(value) for value in random.integers(0, 2, 3))
    return Image.new("RGB", (size_px, size_px), (red, green, blue))


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in random.integers(0, 256, 3))
    return red, green, blue

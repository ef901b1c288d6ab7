"""Photos of three kinds of pattern under noise: quick to make, and not quite easy."""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("checks", "dots", "stripes")
_NOISE = 70.0


def write_patterns(folder: Path, n_train: int, n_test: int, seed: int = 0) -> None:
    """Writes `folder/{train,test}/<class>/<number>.jpg`, about 100 px."""
    generator = np.random.default_rng(seed)
    for split, n_images in (("train", n_train), ("test", n_test)):
        for label in CLASSES:
            target = folder / split / label
            target.mkdir(parents=True)
            for number in range(n_images):
                Image.fromarray(_draw(label, generator)).save(target / f"{number:03d}.jpg", quality=90)


def _draw(label: str, generator: np.random.Generator) -> np.ndarray:
    """uint8 (height, width, 3)."""
    height, width = generator.integers(80, 120, size=2)
    y, x = np.mgrid[:height, :width] / generator.uniform(3, 6)
    angle = generator.uniform(0, np.pi)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    pattern = {
        "checks": np.sign(np.sin(u) * np.sin(v)),
        "dots": np.where(np.sin(u) + np.sin(v) > 1.2, 1.0, -1.0),
        "stripes": np.sign(np.sin(u)),
    }[label]
    tint = generator.uniform(0.3, 1.0, size=3)
    noisy = 128 + 60 * pattern[..., np.newaxis] * tint + generator.normal(0, _NOISE, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)

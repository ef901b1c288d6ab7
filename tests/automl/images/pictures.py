"""Pictures, folders and archives made for the tests."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def picture(seed: int = 0, size: tuple[int, int] = (24, 16), mode: str = "RGB") -> Image.Image:
    """Coloured noise on a gradient: different for every seed, (width, height) pixels."""
    width, height = size
    ramp = np.linspace(0, 200, width * height * 3).reshape(height, width, 3)
    noise = np.random.default_rng(seed).integers(0, 55, (height, width, 3))
    return Image.fromarray((ramp + noise).astype(np.uint8)).convert(mode)


def encoded(image: Image.Image | int = 0, form: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture (or of the one that a seed makes)."""
    image = picture(image) if isinstance(image, int) else image
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def two_classes(n_images: int = 4, prefix: str = "") -> dict[str, bytes]:
    """`cat/0.png`, `dog/0.png`, ...: all different."""
    return {
        f"{prefix}{label}/{i}.png": encoded(100 * number + i)
        for number, label in enumerate(("cat", "dog"))
        for i in range(n_images)
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()

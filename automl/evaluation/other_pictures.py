"""Pictures of all kinds of things, which a model should say it has not learned: those that dependencies ship.

Nothing is chosen by them, so what comes of them is a fair sample of how pictures of other things are recognised.
"""

from typing import Any

import numpy as np
from PIL import Image

N_DIGITS = 20
_SHIPPED = (
    "astronaut",
    "brick",
    "camera",
    "cell",
    "chelsea",
    "clock",
    "coffee",
    "coins",
    "colorwheel",
    "grass",
    "gravel",
    "horse",
    "hubble_deep_field",
    "immunohistochemistry",
    "logo",
    "microaneurysms",
    "moon",
    "page",
    "rocket",
    "shepp_logan_phantom",
    "text",
)

N_PICTURES = len(_SHIPPED) + 3 + N_DIGITS
"""How many they are: the left one of a pair of scikit-image and two photographs of scikit-learn among them."""


def other_pictures() -> list[Image.Image]:
    """RGB: photographs and drawings of scikit-image, two photographs and some handwritten digits of scikit-learn."""
    import skimage.data
    from sklearn.datasets import load_digits, load_sample_images

    shipped: Any = skimage.data  # its functions carry no types
    arrays = [getattr(shipped, name)() for name in _SHIPPED]
    arrays.append(shipped.stereo_motorcycle()[0])
    arrays += load_sample_images().images
    digits = load_digits().images
    arrays += list((digits[:: len(digits) // N_DIGITS][:N_DIGITS] * (255 / 16)).astype(np.uint8))
    return [_rgb(array) for array in arrays]


def _rgb(array: np.ndarray) -> Image.Image:
    values = array.astype(np.float64)
    if array.dtype != np.uint8:  # drawings of 0-1 or of yes and no
        values = 255 * values / max(float(values.max()), 1.0)
    return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")

"""A small set of pictures that a dependency ships, for a first try without photos of one's own."""

from pathlib import Path

from PIL import Image

IMAGES_PER_CLASS = 60
IMAGE_SIZE_PX = 64
_DARKEST = 16


def write_sample_images(folder: Path) -> None:
    """Writes scikit-learn's handwritten digits as `folder/<digit>/<number>.png`: 10 classes of 60 pictures, 64 px."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for label in digits.target_names:
        class_folder = folder / str(label)
        class_folder.mkdir(parents=True, exist_ok=True)
        ink = digits.images[digits.target == label][:IMAGES_PER_CLASS]
        for number, pixels in enumerate((255 * (1 - ink / _DARKEST)).round().astype("uint8")):
            small = Image.fromarray(pixels)
            large = small.resize((IMAGE_SIZE_PX, IMAGE_SIZE_PX), Image.Resampling.BICUBIC)
            large.save(class_folder / f"{number:03d}.png")

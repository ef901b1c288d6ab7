"""A data set with planted faults and the truth about them; photo-like pictures, the same for the same seed."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from automl.images.fingerprint import Traits, traits_of
from automl.serving.predict import open_rgb

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def photo(random: np.random.Generator, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Soft light of a few colours, some shapes and fine texture, (width, height) pixels."""
    width, height = size
    light = random.integers(20, 236, (int(random.integers(3, 7)), int(random.integers(3, 7)), 3)).astype(np.uint8)
    image = Image.fromarray(light).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(3, 9))):
        x, y = random.uniform(-0.1, 0.9, 2)
        w, h = random.uniform(0.08, 0.5, 2)
        box = (x * width, y * height, (x + w) * width, (y + h) * height)
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        (draw.ellipse if random.random() < 0.6 else draw.rectangle)(box, fill=colour)
    grain = random.integers(-12, 13, (height // 4, width // 4, 3)).repeat(4, axis=0).repeat(4, axis=1)
    textured = np.asarray(image, np.int16)
    textured[: grain.shape[0], : grain.shape[1]] += grain[:height, :width].astype(np.int16)
    return Image.fromarray(textured.clip(0, 255).astype(np.uint8))


def resized(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Down to a quarter of its sides."""
    factor = random.uniform(0.25, 0.9)
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)


def saved_again(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """As JPEG of quality 30 or better."""
    return open_rgb(io.BytesIO(as_jpeg(image, int(random.integers(30, 90)))))


def brightened(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Brightness and contrast by up to 30 %, either way."""
    brighter = ImageEnhance.Brightness(image).enhance(random.uniform(0.7, 1.3))
    return ImageEnhance.Contrast(brighter).enhance(random.uniform(0.7, 1.3))


def cropped(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """By up to 2 % on each side."""
    width, height = image.size
    left, top, right, bottom = random.uniform(0, 0.02, 4)
    box = (left * width, top * height, width - right * width, height - bottom * height)
    return image.crop(tuple(round(edge) for edge in box))


def mirrored(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return ImageOps.mirror(image)


def everything(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return saved_again(brightened(cropped(resized(image, random), random), random), random)


CHANGES: dict[str, Change] = {
    change.__name__: change for change in (resized, saved_again, brightened, cropped, mirrored, everything)
}


def as_jpeg(image: Image.Image, quality: int = 85) -> bytes:
    target = io.BytesIO()
    image.save(target, "JPEG", quality=quality)
    return target.getvalue()


@dataclass(frozen=True, slots=True)
class Planted:
    """One file. `picture`: the same number for copies of one picture, altered by `change` ("" for the original)."""

    content: bytes
    picture: int
    change: str
    traits: Traits


def planted(n_pictures: int, n_altered: int, seed: int = 0) -> Iterator[Planted]:
    """`n_pictures` different ones; of each of the first `n_altered`, an exact copy and one by each of CHANGES."""
    for number in range(n_pictures):
        random = np.random.default_rng((seed, number))
        size = ((320, 240), (240, 320), (256, 256))[int(random.integers(3))]
        image = photo(random, size)
        original = _planted(as_jpeg(image), number, "")
        yield original
        if number < n_altered:
            yield Planted(original.content, number, "exact", original.traits)
            for name, change in CHANGES.items():
                yield _planted(as_jpeg(change(image, random)), number, name)


def _planted(content: bytes, picture: int, change: str) -> Planted:
    image = open_rgb(io.BytesIO(content))
    return Planted(content, picture, change, traits_of(image, width=image.width, height=image.height, format="JPEG"))


def fingerprints_of(files: list[Planted]) -> np.ndarray:
    """uint8 (n, FINGERPRINT_PX**2)."""
    return np.stack([np.frombuffer(file.traits.fingerprint, np.uint8) for file in files])


def recall_of(files: list[Planted], groups: np.ndarray, change: str) -> float:
    """The share of copies made by `change` that are in the group of their original."""
    group_of = {file.picture: group for file, group in zip(files, groups, strict=True) if file.change == ""}
    found = [
        group_of[file.picture] == group for file, group in zip(files, groups, strict=True) if file.change == change
    ]
    return float(np.mean(found))


def precision_of(files: list[Planted], groups: np.ndarray) -> float:
    """The share of joined pairs that show one picture; 1 where nothing is joined."""
    pictures = np.array([file.picture for file in files])
    same_group = np.triu(groups[:, None] == groups[None, :], 1)
    same_picture = pictures[:, None] == pictures[None, :]
    return float((same_group & same_picture).sum() / max(1, same_group.sum())) if same_group.any() else 1.0

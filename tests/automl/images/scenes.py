"""Generated photos of classes that differ by little: what a camera that stands still sees, signs, letters.

Light changes from shot to shot, the sensor adds noise, and now and then somebody walks by.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from automl.serving.predict import open_rgb

SIZE = (320, 240)
GLYPH_PX = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Shots:
    """How a scene is photographed.

    Attributes:
        noise: Standard deviation of the noise of the sensor, gray values.
        light: By which share it may be lighter or darker.
        passers_by: The share of the shots in which somebody walks by.
        quality: Of the JPEG; 0 for a PNG.
    """

    noise: float = 4.0
    light: float = 0.2
    passers_by: float = 0.2
    quality: int = 90


Draw = Callable[[ImageDraw.ImageDraw, int, np.random.Generator], None]


@lru_cache(maxsize=32)
def background(seed: int) -> Image.Image:
    """Soft colours with some shapes, in which things can be told apart."""
    random = np.random.default_rng(seed)
    image = Image.fromarray(np.uint8(random.integers(60, 190, (15, 20, 3)))).resize(SIZE, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = random.integers(0, SIZE[0] - 40), random.integers(0, SIZE[1] - 30)
        box = [x, y, x + random.integers(10, 60), y + random.integers(10, 50)]
        draw.rectangle([int(edge) for edge in box], outline=tuple(int(v) for v in random.integers(20, 220, 3)), width=2)
    return image


def gate(draw: ImageDraw.ImageDraw, kind: int, random: np.random.Generator) -> None:
    x = (140, 200)[kind]
    draw.rectangle([x, 90, x + 60, 170], fill=(70, 50, 40))
    for bar in range(x, x + 60, 10):
        draw.line([bar, 90, bar, 170], fill=(140, 120, 90), width=3)


def traffic_light(draw: ImageDraw.ImageDraw, kind: int, random: np.random.Generator) -> None:
    draw.rectangle([150, 60, 174, 132], fill=(25, 25, 25))
    for lamp, colour in enumerate(((230, 40, 30), (240, 190, 40), (40, 210, 70))):
        box = [155, 64 + 23 * lamp, 169, 78 + 23 * lamp]
        draw.ellipse(box, fill=colour if lamp == kind else tuple(value // 5 for value in colour))


def parking_space(draw: ImageDraw.ImageDraw, kind: int, random: np.random.Generator) -> None:
    draw.line([120, 80, 120, 180], fill=(230, 230, 230), width=3)
    draw.line([190, 80, 190, 180], fill=(230, 230, 230), width=3)
    if kind:
        colour = tuple(int(value) for value in random.integers(30, 220, 3))
        left = 128 + int(random.integers(-3, 4))
        draw.rectangle([left, 100, left + 52, 165], fill=colour)
        draw.rectangle([left + 8, 110, left + 44, 128], fill=(30, 40, 50))


def machine(draw: ImageDraw.ImageDraw, kind: int, random: np.random.Generator) -> None:
    """Good, or with a scratch somewhere on the part."""
    draw.ellipse([90, 50, 230, 190], fill=(170, 172, 175), outline=(90, 90, 95), width=4)
    draw.ellipse([140, 100, 180, 140], fill=(60, 60, 65))
    if kind:
        x, y = int(random.integers(105, 130)), int(random.integers(80, 150))
        draw.line([x, y, x + 22, y + 9], fill=(40, 35, 35), width=3)


def conveyor(draw: ImageDraw.ImageDraw, kind: int, random: np.random.Generator) -> None:
    draw.rectangle([0, 90, 320, 170], fill=(60, 62, 66))
    x = int(random.integers(40, 220))
    box = [x, 105, x + 45, 155]
    if kind:
        draw.ellipse(box, fill=(200, 160, 70))
    else:
        draw.rectangle(box, fill=(200, 160, 70))


def status_lamp(draw: ImageDraw.ImageDraw, kind: int, random: np.random.Generator) -> None:
    """A lamp of eight pixels at the same place, of another colour but as bright."""
    draw.rectangle([150, 100, 200, 150], fill=(60, 60, 64))
    draw.ellipse([170, 120, 178, 128], fill=((235, 60, 50), (40, 150, 60))[kind])


SCENES: dict[str, tuple[tuple[str, ...], Draw]] = {
    "gate": (("closed", "open"), gate),
    "traffic light": (("red", "amber", "green"), traffic_light),
    "parking space": (("free", "taken"), parking_space),
    "machine": (("good", "faulty"), machine),
    "conveyor": (("box", "disc"), conveyor),
    "status lamp": (("fault", "ready"), status_lamp),
}


def fixed_camera(scene: str, n: int, shots: Shots, seed: int = 0) -> dict[str, list[bytes]]:
    """`n` photos of each class, taken by a camera that stands still."""
    labels, draw_thing = SCENES[scene]
    photos: dict[str, list[bytes]] = {}
    for kind, label in enumerate(labels):
        photos[label] = []
        for number in range(n):
            random = np.random.default_rng((seed, kind, number))
            image = background(seed).copy()
            draw = ImageDraw.Draw(image)
            draw_thing(draw, kind, random)
            if random.random() < shots.passers_by:
                _walk_by(draw, random)
            photos[label].append(taken(image, shots, random))
    return photos


def _walk_by(draw: ImageDraw.ImageDraw, random: np.random.Generator) -> None:
    x, height = int(random.integers(0, 300)), int(random.integers(40, 90))
    colour = tuple(int(value) for value in random.integers(20, 200, 3))
    draw.rectangle([x, 220 - height, x + height // 3, 220], fill=colour)
    draw.ellipse([x, 200 - height, x + height // 3, 220 - height], fill=(200, 160, 140))


def taken(image: Image.Image, shots: Shots, random: np.random.Generator) -> bytes:
    """One shot of what is there."""
    light = random.uniform(1 - shots.light, 1 + shots.light)
    values = np.asarray(image, float) * light
    noisy = values + random.normal(0, 1, values.shape) * shots.noise
    return saved(Image.fromarray(np.uint8(np.clip(noisy, 0, 255))), shots.quality)


def saved(image: Image.Image, quality: int) -> bytes:
    target = io.BytesIO()
    if quality:
        image.save(target, "JPEG", quality=quality)
    else:
        image.save(target, "PNG")
    return target.getvalue()


def _arrow() -> Image.Image:
    image = Image.new("RGB", (GLYPH_PX, GLYPH_PX), (225, 225, 220))
    draw = ImageDraw.Draw(image)
    draw.polygon([(18, 48), (46, 24), (46, 40), (78, 40), (78, 56), (46, 56), (46, 72)], fill=(30, 60, 150))
    return image


def _letter_b() -> Image.Image:
    image = Image.new("RGB", (GLYPH_PX, GLYPH_PX), (240, 238, 230))
    draw = ImageDraw.Draw(image)
    draw.rectangle([32, 16, 41, 80], fill=(30, 30, 35))
    draw.ellipse([34, 44, 68, 82], outline=(30, 30, 35), width=9)
    return image


def _sign(with_arrow: bool) -> Image.Image:
    image = Image.new("RGB", (GLYPH_PX, GLYPH_PX), (90, 120, 90))
    draw = ImageDraw.Draw(image)
    draw.ellipse([10, 10, 86, 86], fill=(235, 235, 235), outline=(200, 30, 30), width=8)
    draw.rectangle([30, 44, 66, 52], fill=(30, 30, 30))
    if with_arrow:
        draw.polygon([(66, 40), (66, 56), (76, 48)], fill=(30, 30, 30))
    return image


GLYPHS: dict[str, dict[str, Image.Image]] = {
    "arrows": {"left": _arrow(), "right": ImageOps.mirror(_arrow())},
    "letters": {"b": _letter_b(), "d": ImageOps.mirror(_letter_b())},
    "signs": {"bar": _sign(with_arrow=False), "bar with arrow": _sign(with_arrow=True)},
}


def glyphs(name: str, n: int, shots: Shots, jitter_px: int = 3, seed: int = 0) -> dict[str, list[bytes]]:
    """`n` photos of each sign, at slightly other places each time."""
    photos: dict[str, list[bytes]] = {}
    for kind, (label, image) in enumerate(GLYPHS[name].items()):
        photos[label] = []
        for number in range(n):
            random = np.random.default_rng((seed, kind, number))
            x, y = (int(value) for value in random.integers(-jitter_px, jitter_px + 1, 2))
            moved = image.transform(
                image.size, Image.Transform.AFFINE, (1, 0, x, 0, 1, y), fillcolor=image.getpixel((0, 0))
            )
            photos[label].append(taken(moved, replace(shots, passers_by=0), random))
    return photos


def opened(content: bytes) -> Image.Image:
    """The picture that was saved so."""
    return open_rgb(io.BytesIO(content))


def random_of(number: int) -> np.random.Generator:
    """The same for the same number."""
    return np.random.default_rng(number)

"""Photos that look alike: those of a fixed camera, and the frames of clips."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

_NOISE = 4.0


def write_gate(folder: Path) -> None:
    """Writes `folder/{closed,open}/<number>.jpg`: one scene, a gate that stands here or there, light and noise."""
    random = np.random.default_rng(7)
    patches = Image.fromarray(random.integers(60, 190, (15, 20, 3), dtype=np.uint8))
    scene = patches.resize((320, 240), Image.Resampling.BICUBIC)
    for label, x in (("closed", 140), ("open", 200)):
        for number in range(30):
            image = scene.copy()
            draw = ImageDraw.Draw(image)
            draw.rectangle((x, 90, x + 60, 170), fill=(70, 50, 40))
            for bar in range(x, x + 60, 10):
                draw.line((bar, 90, bar, 170), fill=(140, 120, 90), width=3)
            lit = np.asarray(image, float) * random.uniform(0.8, 1.2)
            _save(lit + random.normal(0, _NOISE, lit.shape), folder / label / f"img_{number:03d}.jpg")


def write_clips(folder: Path, n_clips: int = 12, n_frames: int = 8) -> None:
    """Writes `folder/{dots,stripes}/VID_<clip>_<frame>.jpg`: each clip moves over a scene of one of two patterns."""
    for clip in range(n_clips):
        label = ("dots", "stripes")[clip % 2]
        scene = _scene(label, np.random.default_rng(clip))
        for frame in range(n_frames):
            x, y = 3 * frame, 2 * frame
            cut = scene.crop((x, y, x + 160, y + 120)).rotate(frame / 2, fillcolor=(90, 90, 90))
            _save(np.asarray(cut, float), folder / label / f"VID_{clip:02d}_{frame:04d}.jpg")


def _scene(label: str, random: np.random.Generator) -> Image.Image:
    patches = Image.fromarray(random.integers(40, 215, (6, 8, 3), dtype=np.uint8))
    scene = patches.resize((200, 150), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(scene)
    colour = tuple(int(value) for value in random.integers(0, 255, 3))
    for x in range(0, 200, int(random.integers(18, 26))):
        if label == "stripes":
            draw.line((x, 0, x + 20, 150), fill=colour, width=5)
        else:
            for y in range(0, 150, 22):
                draw.ellipse((x, y, x + 9, y + 9), fill=colour)
    return scene


def _save(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=90)

"""How many crops of a photo are found by the features of a backbone, and how many other photos are taken for crops.

    python -m bench.look_alikes [--photos 240] [--backbone mobilenet_v2]

Each photo of the training folders stands beside a crop of itself that loses up to a share at each side, at random.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from automl.evaluation import look_alikes as lookalikes
from automl.models.features import OnnxExtractor
from automl.models.weights.cache import installed
from automl.serving.predict import open_rgb, resize_square
from automl.settings import load_settings
from bench.harness import DATA, report

SIZE_PX = 224
SHARES = (0.05, 0.1, 0.15, 0.2, 0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=240, help="of each data set, at most")
    parser.add_argument("--backbone", default="mobilenet_v2")
    options = parser.parse_args()
    weights = installed(load_settings().weights_dir)[options.backbone]
    extractor = OnnxExtractor(weights)
    for name in ("beans", "hymenoptera"):
        files = sorted((DATA / name / "train").glob("*/*"))
        if not files:
            raise FileNotFoundError(f"{DATA / name} is not there; DARKROOM_TEST_DATA names the folder of photographs.")
        some = files[:: max(1, len(files) // options.photos)]
        report(
            "look_alikes",
            data=name,
            backbone=options.backbone,
            n_photos=len(some),
            min_likeness=lookalikes.MIN_LIKENESS,
            crops={f"{share:.0%}": _found(some, share, extractor, weights.tap_widths[-1]) for share in SHARES},
        )


def _found(files: list[Path], share: float, extractor: OnnxExtractor, width: int) -> dict[str, float | int]:
    random = np.random.default_rng(0)
    photos = [open_rgb(file) for file in files]
    shown = [*photos, *(_crop(photo, share, random) for photo in photos)]
    squares = [resize_square(photo, SIZE_PX) for photo in shown]
    parts = [np.stack(squares[start : start + 16]) for start in range(0, len(squares), 16)]
    features = np.concatenate([np.asarray(extractor(part)) for part in parts])[:, -width:]
    # So that every pair counts, not only the first of them.
    lookalikes.MAX_PAIRS = len(shown)
    pairs = lookalikes.look_alikes(features, [str(row) for row in range(len(shown))])
    n_right = sum(other - one == len(photos) for one, other, _ in pairs)
    return {"recall": round(n_right / len(photos), 3), "n_wrong": len(pairs) - n_right}


def _crop(photo: Image.Image, share: float, random: np.random.Generator) -> Image.Image:
    left, top, right, bottom = random.uniform(0, share, 4)
    width, height = photo.size
    return photo.crop((int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - bottom))))


if __name__ == "__main__":
    main()

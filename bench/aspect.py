"""What each way of making photos square is worth, on real photographs and on long and tall parts of them.

    python -m bench.aspect [--data beans hymenoptera] [--sizes 160 224] [--backbone mobilenet_v1] [--photos 400]

Training photographs only. The long and tall photos are parts of them, whose sides are 2:1 to 4:1 and whose place is
drawn at random. Each way is scored as a run scores it (`automl.search.aspect`): logistic regression on the
unit-normalised last layer, five folds. Whole photos are put on each of the three backgrounds that a data set may have.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from automl.models.features import OnnxExtractor, features_of
from automl.models.weights.cache import installed
from automl.search.aspect import AspectScore, score_of
from automl.serving.predict import BACKGROUNDS, PhotoRules, open_rgb, resize_square
from automl.settings import load_settings
from bench.harness import DATA, report

LONGEST, SHORTEST = 4.0, 2.0
_N_FOLDS = 5
WAYS = {
    "squeezed": PhotoRules(),
    **{f"whole on {name}": PhotoRules(aspect="whole", background=gray) for name, gray in BACKGROUNDS.items()},
    "middle": PhotoRules(aspect="crop"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=["beans", "hymenoptera"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[160, 224])
    parser.add_argument("--backbone", default="mobilenet_v1")
    parser.add_argument("--photos", type=int, default=400, help="of each data set, at most")
    options = parser.parse_args()
    weights = installed(load_settings().weights_dir)[options.backbone]
    extractor = OnnxExtractor(weights)
    for name in options.data:
        random = np.random.default_rng(0)
        paths = _some(sorted((DATA / name / "train").rglob("*.jpg")), options.photos, random)
        labels = np.unique([path.parent.name for path in paths], return_inverse=True)[1]
        whole = [open_rgb(path) for path in paths]
        for kind, photos in (("as they are", whole), ("2:1 to 4:1", [part_of(photo, random) for photo in whole])):
            for size in options.sizes:
                found = {
                    way: _score(photos, labels, extractor, rules=rules, size_px=size) for way, rules in WAYS.items()
                }
                report(
                    "aspect",
                    data=name,
                    photos=kind,
                    n_photos=len(photos),
                    image_size_px=size,
                    backbone=options.backbone,
                    ways={way: _figures(score, found["squeezed"]) for way, score in found.items()},
                )


def part_of(photo: Image.Image, random: np.random.Generator) -> Image.Image:
    """A long or a tall part, as large as fits, at a place that is drawn."""
    ratio, is_tall = random.uniform(SHORTEST, LONGEST), random.random() < 0.5
    long_side = photo.height if is_tall else photo.width
    short_side = photo.width if is_tall else photo.height
    long_side = min(long_side, int(short_side * ratio))
    shape = (round(long_side / ratio), long_side) if is_tall else (long_side, round(long_side / ratio))
    left = int(random.integers(0, photo.width - shape[0] + 1))
    upper = int(random.integers(0, photo.height - shape[1] + 1))
    return photo.crop((left, upper, left + shape[0], upper + shape[1]))


def _some(paths: list[Path], n: int, random: np.random.Generator) -> list[Path]:
    return [paths[row] for row in sorted(random.permutation(len(paths))[:n])]


def _score(
    photos: list[Image.Image], labels: np.ndarray, extractor: OnnxExtractor, *, rules: PhotoRules, size_px: int
) -> AspectScore:
    pixels = np.stack([resize_square(photo, size_px, rules) for photo in photos])
    last = features_of(pixels, extractor)[:, -extractor.tap_widths[-1] :]
    folds = np.empty(len(labels), dtype=int)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        folds[rows] = np.arange(len(rows)) % _N_FOLDS
    return score_of(last, labels, folds)


def _figures(score: AspectScore, squeezed: AspectScore) -> dict[str, float]:
    """Accuracy in percent, and by how much each photo's loss is larger than squeezed, with its standard error."""
    more = score.losses - squeezed.losses
    return {
        "accuracy_percent": round(100 * score.accuracy, 1),
        "loss": round(float(score.losses.mean()), 3),
        "loss_beyond_squeezed": round(float(more.mean()), 3),
        "standard_error": round(float(more.std()) / len(more) ** 0.5, 3),
    }


if __name__ == "__main__":
    main()

"""Which features a run plans on this machine: the networks, their order and the picture size, for several budgets.

    python -m bench.feature_plan [--data beans] [--photos 1000] [--minutes 1 2 5 10 60]

The networks are timed as a run times them, once as on a new machine and once as all later runs do. Only the sizes of
training photographs are read and a few of them decoded; nothing is learned.
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

from PIL import Image

from automl.images.pixel_rules import rules_of
from automl.models.weights.cache import InstalledWeights, installed
from automl.records import ImageRecord, ServingContract
from automl.search.expectations import PRIORS, Expectations
from automl.search.frozen import FrozenFeatures
from automl.search.plan import FeaturePlan, block_seconds, largest_size_px, make_plan
from automl.serving.predict import PhotoRules
from automl.settings import load_settings
from bench.harness import DATA, report

_SHARE_OF_BUDGET = 0.85
"""What is left for the search of a run of a few minutes once it has started, and without what its end takes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="beans")
    parser.add_argument("--photos", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 2, 5, 10, 60])
    options = parser.parse_args()
    paths = sorted(path for path in (DATA / options.data / "train").glob("*/*") if path.is_file())
    images = [_record(path) for path in itertools.islice(itertools.cycle(paths), options.photos)]
    weights, rules = installed(load_settings().weights_dir), rules_of(ServingContract())
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        first, later = (_timed(images, weights, rules=rules, folder=Path(folder)) for _ in range(2))
    features, _ = later
    report(
        "feature_plan",
        data=options.data,
        photos=len(images),
        detail_px=features.detail_px,
        timing_s={"first run on a machine": round(first[1], 1), "later runs": round(later[1], 1)},
        milliseconds_per_photo={
            name: [round(1000 * of.seconds_per_image(name), 1) for of, _ in (first, later)] for name in weights
        },
        plans={f"{minutes:g} min": _described(features, 60 * minutes, len(images)) for minutes in options.minutes},
    )


def _record(path: Path) -> ImageRecord:
    with Image.open(path) as image:
        width, height = image.size
    return ImageRecord(path=path, name=path.name, label=path.parent.name, sha256=path.name, width=width, height=height)


def _timed(
    images: list[ImageRecord], weights: dict[str, InstalledWeights], *, rules: PhotoRules, folder: Path
) -> tuple[FrozenFeatures, float]:
    """The features of a new run, and how long it takes it to know what its networks cost."""
    features = FrozenFeatures(images, weights, folder, rules=rules)
    started_s = time.perf_counter()
    for name in weights:
        features.seconds_per_image(name)
        features.latency_s(name, 224)
    return features, time.perf_counter() - started_s


def _described(features: FrozenFeatures, budget_s: float, n_photos: int) -> dict[str, object]:
    speeds = {name: features.seconds_per_image(name) for name in features.backbones}
    largest_px = largest_size_px(None, detail_px=features.detail_px, backbones=features.backbones, has_clock=True)
    plan = make_plan(
        speeds,
        expectations=Expectations(priors=PRIORS),
        n_images=n_photos,
        search_s=_SHARE_OF_BUDGET * budget_s - features.decode_seconds(),
        max_image_size_px=largest_px,
    )
    return {"sizes_px": plan.sizes_px, "blocks": _blocks(plan, speeds, n_photos)}


def _blocks(plan: FeaturePlan, speeds: dict[str, float], n_photos: int) -> list[str]:
    return [
        f"{one.backbone} at {one.image_size_px}{' mirrored' if one.mirrored else ''}: "
        f"{block_seconds(speeds[one.backbone], one.image_size_px, n_photos):.0f} s"
        for one in plan.blocks
    ]


if __name__ == "__main__":
    main()

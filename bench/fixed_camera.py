"""Photos of classes that differ by little, generated: is there an honest test, and is every photo used?

    python -m bench.fixed_camera [--n-photos 30] [--n-copies 60] [--seeds 3]

Scenes that a camera sees which stands still (with light, noise and passers-by), signs and letters are written to
folders and checked as the command line does it. Beside that, recall on real copies of generated photos: each is
resized, saved again, brightened, cropped, mirrored, all of that, and is found if it is in the group of its original.
"""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from automl.datasets.split import make_split
from automl.errors import BadDataset
from automl.images.near_copies import near_copies
from automl.ingest.local import ingest_folder
from automl.records import Scoring
from automl.settings import load_settings
from bench.harness import report
from tests.automl.images.faults import CHANGES, fingerprints_of, planted, recall_of
from tests.automl.images.scenes import GLYPHS, SCENES, Shots, fixed_camera, glyphs

SHOTS = {
    "noise 4, JPEG 90": Shots(),
    "noise 4, JPEG 75": Shots(quality=75),
    "noise 2, JPEG 75": Shots(noise=2, quality=75),
    "noise 8, JPEG 50, many passers-by": Shots(noise=8, quality=50, passers_by=0.4),
    "noise 2, PNG": Shots(noise=2, quality=0),
    "no noise, JPEG 75": Shots(noise=0, quality=75),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-photos", type=int, default=30)
    parser.add_argument("--n-copies", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    sets = [
        {"scene": scene, "shots": words, "seed": seed, **_checked(photos)}
        for words, shots in SHOTS.items()
        for seed in range(options.seeds)
        for scene, photos in _all(options.n_photos, shots, seed).items()
    ]
    files = list(planted(10 * options.n_copies, options.n_copies))
    near = near_copies(fingerprints_of(files))
    report(
        "fixed_camera",
        n_sets=len(sets),
        n_tested=sum(bool(one["n_test"]) for one in sets),
        smallest_test=min(one["n_test"] for one in sets),
        n_left_out=sum(one["n_left_out"] for one in sets),
        n_untested_classes=sum(one["n_untested_classes"] for one in sets),
        recall={change: round(recall_of(files, near, change), 4) for change in ("exact", *CHANGES)},
        sets=sets,
        aims={"n_left_out": 0, "n_untested_classes": 0, "recall": 0.98},
    )


def _all(n: int, shots: Shots, seed: int) -> dict[str, dict[str, list[bytes]]]:
    scenes = {scene: fixed_camera(scene, n, shots, seed) for scene in SCENES}
    return scenes | {name: glyphs(name, n, shots, seed=seed) for name in GLYPHS}


def _checked(photos: Mapping[str, list[bytes]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        for label, contents in photos.items():
            (Path(folder) / label).mkdir()
            for number, content in enumerate(contents):
                (Path(folder) / label / f"{number:03d}.img").write_bytes(content)
        try:
            manifest = ingest_folder(Path(folder), load_settings())
        except BadDataset as error:
            return {"n_test": 0, "n_left_out": 0, "n_untested_classes": len(photos), "problem": error.message}
    plan = make_split(manifest, 0, scoring=Scoring.HELD_OUT)
    tested = {manifest.images[row].label for row in plan.test}
    groups = [image.group or image.sha256 for image in manifest.images]
    assert {groups[row] for row in plan.test}.isdisjoint({groups[row] for row in plan.pool})
    n_photos = sum(map(len, photos.values()))
    return {
        "n_photos": n_photos,
        "n_test": len(plan.test),
        "n_left_out": n_photos - len(plan.test) - len(plan.pool),
        "n_untested_classes": len(photos) - len(tested),
        "n_groups": len(np.unique(groups)),
    }


if __name__ == "__main__":
    main()

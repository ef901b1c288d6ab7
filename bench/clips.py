"""What a score promises where photos come in clips: whole clips held out, and the photo-wise split beside it.

    python -m bench.clips [--seeds 100] [--clips 8] [--frames 10] [--scenes 50]

Each photograph of the training folders becomes a clip: small crops, turns and shifts of it are its frames. A seed draws
some clips of each class for a data set; all others are the new clips. A linear classifier on the frozen features of one
backbone learns from the pool of the split, and the 95 % interval of its accuracy on the test photos is compared with
its accuracy on the new clips.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression

from automl.datasets.clips import place_in_clips
from automl.datasets.copy_groups import copy_groups
from automl.datasets.data_file import DataFile
from automl.datasets.manifest import image_records, manifest_of
from automl.datasets.split import make_split
from automl.datasets.split_groups import together
from automl.evaluation.intervals import Interval, clustered_interval, wilson_interval
from automl.images.fingerprint import FINGERPRINT_PX, traits_of
from automl.images.near_copies import likeness_of
from automl.models.features import OnnxExtractor
from automl.models.weights.cache import installed
from automl.records import ImageRecord, Scoring
from automl.serving.predict import open_rgb, resize_square
from automl.settings import load_settings
from bench.harness import DATA, report

FRAME_PX = 160
MOST_TURN_DEGREES, MOST_SHIFT, MOST_CROP = 8, 0.04, 0.08
N_TIMED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """The frames of all clips.

    Attributes:
        labels: The class of each frame.
        clips: int (n,), the clip of each frame.
        fingerprints: The fingerprint of each frame.
        details: The detail of each frame, see `automl.images.detail`.
        features: float32 (n, n_features), standardised.
    """

    labels: np.ndarray
    clips: np.ndarray
    fingerprints: Sequence[bytes]
    details: Sequence[bytes]
    features: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--clips", type=int, nargs="*", default=[8, 16], help="of each class in a data set")
    parser.add_argument("--frames", type=int, default=10, help="of a clip")
    parser.add_argument("--scenes", type=int, default=50, help="photographs of each class")
    parser.add_argument("--backbone", default="mobilenet_v2")
    options = parser.parse_args()
    for name in ("beans", "hymenoptera"):
        frames = _frames_of(name, options)
        for n_clips in options.clips:
            report(
                "clips",
                data=name,
                n_classes=len(set(frames.labels)),
                clips_of_a_class=n_clips,
                frames_of_a_clip=options.frames,
                n_seeds=options.seeds,
                whole_clips=_coverage(frames, n_clips, options.seeds, by_clip=True),
                photo_wise=_coverage(frames, n_clips, options.seeds, by_clip=False),
            )
    report("clips_cost", n_photos=N_TIMED, seconds=_seconds_to_find())


def _frames_of(name: str, options: argparse.Namespace) -> Frames:
    extractor = OnnxExtractor(installed(load_settings().weights_dir)[options.backbone])
    random = np.random.default_rng(0)
    labels, clips, traits, features = [], [], [], []
    for folder in sorted((DATA / name / "train").iterdir()):
        for scene in sorted(folder.iterdir())[: options.scenes]:
            pictures = [_frame(open_rgb(scene), random) for _ in range(options.frames)]
            clips += [f"{folder.name}/{scene.name}"] * len(pictures)
            labels += [folder.name] * len(pictures)
            traits += [traits_of(one, width=FRAME_PX, height=FRAME_PX, format="JPEG") for one in pictures]
            found = extractor(np.stack([resize_square(one, FRAME_PX) for one in pictures]))
            features.append(np.asarray(found)[:, -extractor.tap_widths[-1] :])
    values = np.concatenate(features)
    return Frames(
        labels=np.array(labels),
        clips=np.unique(clips, return_inverse=True)[1],
        fingerprints=[one.fingerprint for one in traits],
        details=[one.detail for one in traits],
        features=(values - values.mean(axis=0)) / values.std(axis=0).clip(1e-6) / np.sqrt(values.shape[1]),
    )


def _frame(scene: Image.Image, random: np.random.Generator) -> Image.Image:
    """The scene, turned, shifted and cropped a little."""
    turned = scene.rotate(random.uniform(-1, 1) * MOST_TURN_DEGREES, Image.Resampling.BILINEAR)
    side = 0.8 - random.uniform(0, MOST_CROP)
    x, y = 0.5 - side / 2 + random.uniform(-1, 1, 2) * MOST_SHIFT
    width, height = turned.size
    box = (int(x * width), int(y * height), int((x + side) * width), int((y + side) * height))
    return turned.crop(box).resize((FRAME_PX, FRAME_PX), Image.Resampling.BILINEAR)


def _coverage(frames: Frames, n_clips: int, n_seeds: int, *, by_clip: bool) -> dict[str, Any]:
    splits = [_promise(frames, n_clips, seed, by_clip=by_clip) for seed in range(n_seeds)]
    holds = [bool(low <= new <= high) for new, _, (low, high) in splits]
    return {
        "interval_holds": int(sum(holds)),
        "promised_too_much": sum(bool(new < low) for new, _, (low, _) in splits),
        "median_accuracy_new_clips": round(median(new for new, _, _ in splits), 3),
        "median_accuracy_test": round(median(test for _, test, _ in splits), 3),
        "median_width": round(median(high - low for _, _, (low, high) in splits), 3),
    }


def _promise(frames: Frames, n_clips: int, seed: int, *, by_clip: bool) -> tuple[float, float, Interval]:
    """Accuracy on the new clips, accuracy on the test photos, and its interval."""
    rows = _drawn(frames, n_clips, seed)
    images = _records(frames, rows)
    if not by_clip:
        images = [replace(image, clip="", frame=0) for image in images]
    plan = make_split(manifest_of("clips", images), seed, scoring=Scoring.HELD_OUT)
    pool, test = ([int(images[i].sha256) for i in part] for part in (plan.pool, plan.test))
    model = LogisticRegression(C=100, max_iter=300).fit(frames.features[pool], frames.labels[pool])
    is_new = ~np.isin(frames.clips, frames.clips[rows])
    new = model.score(frames.features[is_new], frames.labels[is_new])
    is_right = model.predict(frames.features[test]) == frames.labels[test]
    clusters = together([images[i] for i in plan.test])
    interval = clustered_interval(is_right, clusters) if by_clip else wilson_interval(is_right.sum(), len(is_right))
    return float(new), float(is_right.mean()), interval


def _drawn(frames: Frames, n_clips: int, seed: int) -> np.ndarray:
    """The frames of some clips of each class, int (n,)."""
    random = np.random.default_rng(seed)
    chosen = [
        random.choice(np.unique(frames.clips[frames.labels == label]), n_clips, replace=False)
        for label in np.unique(frames.labels)
    ]
    return np.flatnonzero(np.isin(frames.clips, chosen))


def _records(frames: Frames, rows: np.ndarray) -> list[ImageRecord]:
    """As the check of a data set makes them: clips are found, not given. The SHA-256 is the number of the frame."""
    prints = {int(row): frames.fingerprints[row] for row in rows}
    likeness = likeness_of(prints, {int(row): frames.details[row] for row in rows})
    files = [
        DataFile(id=row, name=f"IMG_{row}.jpg", key="x", sha256=f"{row:06d}", label=frames.labels[row]).compared(
            likeness.get(row)
        )
        for row in prints
    ]
    copies = copy_groups(files)
    places = place_in_clips(files, prints, {}, copies=copies.group_of, one_view=copies.one_view)
    return image_records(files, copies, places)


def _seconds_to_find() -> float:
    """For photos of five classes that are no clips, which is the dearest kind."""
    random = np.random.default_rng(0)
    prints = {i: random.integers(0, 256, FINGERPRINT_PX**2, dtype=np.uint8).tobytes() for i in range(N_TIMED)}
    files = [DataFile(id=i, name=f"{i}.jpg", key="x", sha256=f"{i}", label=f"{i % 5}") for i in prints]
    start = time.monotonic()
    place_in_clips(files, prints, {})
    return round(time.monotonic() - start, 2)


if __name__ == "__main__":
    main()

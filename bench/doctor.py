"""The doctor, on generated photos: seconds and memory, what it finds, and what inspecting each photo costs.

    python -m bench.doctor [--sizes 1000 5000 20000] [--n-altered 100] [--n-decoded 400]

Each size is measured in a process of its own, whose memory is read before and after. Inspecting a photo (decoding,
hash, traits and thumbnail) is timed against Pillow decoding the same files in full, both in two processes, taking
turns; the quickest of three rounds counts. Ours may be the quicker one: a large JPEG is decoded at half its size, as
training does. Each size is also measured on what a fixed camera sees, where all photos resemble each other.
"""

import argparse
import hashlib
import io
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from automl.datasets.findings.doctor import examine
from automl.datasets.findings.examined_dataset import ExaminedDataset, Photo
from automl.images.detail import DETAIL
from automl.images.fingerprint import FINGERPRINT_PX, traits_of
from automl.images.near_copies import copy_groups, near_copies
from automl.images.verify import inspect_photo
from bench.harness import report
from tests.automl.images.faults import (
    CHANGES,
    Planted,
    as_jpeg,
    fingerprints_of,
    photo,
    planted,
    precision_of,
    recall_of,
)
from tests.automl.images.scenes import Shots, background, opened, taken

DECODED_SIZE = (1600, 1200)
N_DECODED_DIFFERENT = 20
N_PROCESSES = 2
N_ROUNDS = 3
MAX_PIXELS = 50_000_000
LABELS = ("rose", "tulip", "daisy", "dandelion", "sunflower")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 5000, 20_000])
    parser.add_argument("--n-altered", type=int, default=100)
    parser.add_argument("--n-decoded", type=int, default=400)
    options = parser.parse_args()
    with ProcessPoolExecutor(N_PROCESSES, get_context("spawn")) as pool:
        by_size = [_measured_with(size, pool) for size in options.sizes]
        of_camera = [_measured_with(size, pool, _some_shots) for size in options.sizes]
        inspecting = _inspecting(options.n_decoded, pool)
    report(
        "doctor",
        sizes=by_size,
        fixed_camera=of_camera,
        findings=_recall_and_precision(options.n_altered),
        looking=inspecting,
        aims={"seconds_at_20000": 10, "exact": [1.0, 1.0], "near": [0.95, 0.99]},
    )


def seconds_and_memory(n: int) -> dict[str, Any]:
    """What the doctor takes for `n` photos that are decoded, a tenth of them near copies of the one before."""
    with ProcessPoolExecutor(N_PROCESSES, get_context("spawn")) as pool:
        return _measured_with(n, pool)


def _measured_with(
    n: int, pool: ProcessPoolExecutor, some: Callable[[np.ndarray], np.ndarray] | None = None
) -> dict[str, Any]:
    prints = np.concatenate(list(pool.map(some or _some_prints, np.array_split(np.arange(n), max(1, n // 250)))))
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        return fresh.submit(_measured, prints).result()


def _some_prints(numbers: np.ndarray) -> np.ndarray:
    """Fingerprints and details side by side, uint8 (n, FINGERPRINT_PX**2 + DETAIL.itemsize)."""
    found = []
    for number in numbers:
        is_copy = number % 10 == 9
        random = np.random.default_rng(int(number) - is_copy)
        image = photo(random, (160, 120))
        if is_copy:
            noise = random.integers(-2, 3, (image.height, image.width, 3))
            image = Image.fromarray((np.asarray(image, np.int16) + noise).clip(0, 255).astype(np.uint8))
        traits = traits_of(image, width=image.width, height=image.height, format="PNG")
        found.append(np.frombuffer(traits.fingerprint + traits.detail, np.uint8))
    return np.stack(found)


def _some_shots(numbers: np.ndarray) -> np.ndarray:
    """The same of what a camera sees that stands still, with light, noise and passers-by."""
    found = []
    for number in numbers:
        random = np.random.default_rng(int(number))
        image = background(0).copy()
        if random.random() < 0.2:
            left = int(random.integers(0, 300))
            ImageDraw.Draw(image).rectangle(
                [left, 140, left + 20, 220], fill=tuple(random.integers(0, 255, 3).tolist())
            )
        shot = opened(taken(image.resize((160, 120)), Shots(quality=90), random))
        traits = traits_of(shot, width=shot.width, height=shot.height, format="JPEG", error=1.0)
        found.append(np.frombuffer(traits.fingerprint + traits.detail, np.uint8))
    return np.stack(found)


def _measured(prints: np.ndarray) -> dict[str, Any]:
    fingerprints = np.ascontiguousarray(prints[:, : FINGERPRINT_PX**2])
    details = np.ascontiguousarray(prints[:, FINGERPRINT_PX**2 :]).view(DETAIL)[:, 0]
    before_mb = _peak_mb()
    start = time.perf_counter()
    near = copy_groups(fingerprints, details).near
    compared = time.perf_counter()
    findings = examine(ExaminedDataset([_photo(i, int(group)) for i, group in enumerate(near)]))
    examined = time.perf_counter()
    return {
        "n_photos": len(fingerprints),
        "near_copies_s": round(compared - start, 2),
        "examine_s": round(examined - compared, 2),
        "memory_mb": round(_peak_mb() - before_mb),
        "n_near_copies": len(fingerprints) - len(np.unique(near)),
        "findings": [finding.kind for finding in findings],
    }


def _photo(i: int, near: int) -> Photo:
    label = LABELS[near % len(LABELS)]
    return Photo(
        file_id=i,
        name=f"{label}/{i}.jpg",
        label=label,
        split=None,
        sha256=f"{i:064x}",
        near=near,
        width=640,
        height=480,
        format="JPEG",
        spread=50.0,
        is_gray=i % 7 == 0,
    )


def _peak_mb() -> float:
    """Of this process, in MB of 10^6 bytes; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def _recall_and_precision(n_altered: int) -> dict[str, Any]:
    files: list[Planted] = list(planted(10 * n_altered, n_altered))
    near = near_copies(fingerprints_of(files))
    return {
        "n_files": len(files),
        "recall": {change: round(recall_of(files, near, change), 4) for change in ("exact", *CHANGES)},
        "precision": round(precision_of(files, near), 4),
    }


def _inspecting(n: int, pool: ProcessPoolExecutor) -> dict[str, Any]:
    width, height = DECODED_SIZE
    files = [as_jpeg(photo(np.random.default_rng(i), DECODED_SIZE)) for i in range(N_DECODED_DIFFERENT)]
    parts = [[files[i % len(files)] for i in part] for part in np.array_split(np.arange(n), 4 * N_PROCESSES)]
    rounds = [(_seconds(pool, _inspect, parts), _seconds(pool, _decode, parts)) for _ in range(N_ROUNDS)]
    ours_s, pillow_s = (min(column) for column in zip(*rounds, strict=True))
    return {
        "size_px": [width, height],
        "photos_per_second": round(n / ours_s, 1),
        "pillow_photos_per_second": round(n / pillow_s, 1),
        "ratio": round(pillow_s / ours_s, 2),
    }


def _seconds(pool: ProcessPoolExecutor, work: Callable[[Sequence[bytes]], None], parts: list[list[bytes]]) -> float:
    start = time.perf_counter()
    list(pool.map(work, parts))
    return time.perf_counter() - start


def _inspect(files: Sequence[bytes]) -> None:
    for content in files:
        hashlib.sha256(content).hexdigest()
        inspect_photo(io.BytesIO(content), MAX_PIXELS)


def _decode(files: Sequence[bytes]) -> None:
    for content in files:
        with Image.open(io.BytesIO(content)) as image:
            image.load()


if __name__ == "__main__":
    main()

"""Copies among many photos of a camera that stands still: are they found, and do different photos stay apart?

python -m bench.still_camera [--n-photos 600] [--n-copies 20] [--scenes machine conveyor]
"""

import argparse
import io
import time
from typing import Any

import numpy as np

from automl.images.detail import details_from
from automl.images.near_copies import copy_groups
from automl.images.verify import inspect_photo
from bench.harness import report
from tests.automl.images.faults import CHANGES, as_jpeg
from tests.automl.images.scenes import SCENES, Shots, fixed_camera, opened, random_of

_MAX_PIXELS = 10**8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-photos", type=int, default=600)
    parser.add_argument("--n-copies", type=int, default=20)
    parser.add_argument("--scenes", nargs="+", default=["machine", "conveyor"], choices=list(SCENES))
    options = parser.parse_args()
    found = {scene: _of_scene(scene, options.n_photos, options.n_copies) for scene in options.scenes}
    report("still_camera", n_photos=options.n_photos, scenes=found, aims={"recall": 0.98})


def _of_scene(scene: str, n_photos: int, n_copies: int) -> dict[str, Any]:
    classes = fixed_camera(scene, n_photos // len(SCENES[scene][0]), Shots()).values()
    photos = [content for contents in classes for content in contents]
    sources = np.linspace(0, len(photos) - 1, n_copies).astype(int)
    looked_at = [_looked_at(content) for content in photos]
    return {
        change: _found(
            looked_at,
            [_looked_at(as_jpeg(CHANGES[change](opened(photos[i]), random_of(i)))) for i in sources],
            sources,
        )
        for change in CHANGES
    }


def _looked_at(content: bytes) -> tuple[bytes, bytes]:
    traits = inspect_photo(io.BytesIO(content), _MAX_PIXELS)[0]
    return traits.fingerprint, traits.detail


def _found(
    photos: list[tuple[bytes, bytes]], copies: list[tuple[bytes, bytes]], sources: np.ndarray
) -> dict[str, float]:
    prints, details = zip(*photos, *copies, strict=True)
    start = time.process_time()
    groups = copy_groups(
        np.frombuffer(b"".join(prints), np.uint8).reshape(len(prints), -1), details_from(list(details))
    )
    return {
        "recall": round(float((groups.original[len(photos) :] == groups.original[sources]).mean()), 3),
        "n_apart": len(np.unique(groups.original[: len(photos)])),
        "cpu_s": round(time.process_time() - start, 2),
    }


if __name__ == "__main__":
    main()

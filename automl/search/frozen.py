"""Frozen features of the pool's pictures: computed once for each backbone and input size, joined for each trial."""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from automl.data.pixels import OnProgress, PixelCache, content_key
from automl.models.features import FeatureExtractor, extract_features
from automl.models.weights import InstalledWeights
from automl.records import ImageRecord
from automl.search.plan import INPUT_SIZES_PX
from automl.search.space import LAST_TAP, Params, backbone_names
from automl.serving.predict import load_image

_PROBE_IMAGES, _PROBES = 16, 3
_REFERENCE_REACH = 1280**0.5  # of the last layer of MobileNetV2 alone
_JOINED_BYTES = 1_500_000_000


@dataclass(frozen=True, slots=True)
class Joined:
    """The features of one trial.

    `values`: TensorFlow float32 (n_images, n_features): each tap standardised and divided by the root of its width, so
    that wide taps do not drown narrow ones, and all of them by a common number. `mean`, `scale`: float32
    (n_features,), values = (raw - mean) * scale.
    """

    values: Any
    mean: np.ndarray
    scale: np.ndarray

    @property
    def n_bytes(self) -> int:
        return 4 * int(np.prod(self.values.shape))


class FrozenFeatures:
    """float16 features on disk, keyed by the pictures' contents, the backbone's weights and the input size."""

    def __init__(self, images: Sequence[ImageRecord], weights: Mapping[str, InstalledWeights], folder: Path) -> None:
        self._images = tuple(images)
        self._weights = dict(weights)
        self._folder = folder
        self._pixels = PixelCache(folder, self._images)
        self._extractors: dict[str, FeatureExtractor] = {}
        self._seconds_per_image: dict[str, float] = {}
        self._blocks: dict[tuple[str, int], np.ndarray] = {}
        self._joined: OrderedDict[tuple[tuple[str, ...], str, int], Joined] = OrderedDict()

    @property
    def backbones(self) -> tuple[str, ...]:
        return tuple(self._weights)

    def decode(self, blocks: Sequence[tuple[str, int]], on_progress: OnProgress) -> None:
        """Decodes the pictures once, for those input sizes at which any of `blocks` is not computed yet."""
        needed = {size for backbone, size in blocks if not self.is_computed(backbone, size)}
        self._pixels.decode(sorted(needed), on_progress)

    def decode_seconds(self) -> float:
        """How long `decode` may take for all pictures, measured on a few of them."""
        some = self._images[:: max(1, len(self._images) // _PROBE_IMAGES)]
        start = time.perf_counter()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda image: load_image(image.path, 224), some))
        return (time.perf_counter() - start) / len(some) * len(self._images)

    def computed(self) -> set[tuple[str, int]]:
        """The blocks that an earlier run on the same pictures has left."""
        return {block for block in product(self._weights, INPUT_SIZES_PX) if self.is_computed(*block)}

    def seconds_per_image(self, backbone: str) -> float:
        """Measured once, on a few pictures of noise at 224 px; other sizes cost in proportion to their area."""
        if backbone not in self._seconds_per_image:
            self._seconds_per_image[backbone] = self._measure(backbone)
        return self._seconds_per_image[backbone]

    def _measure(self, backbone: str) -> float:
        images = np.random.default_rng(0).integers(0, 256, (_PROBE_IMAGES, 224, 224, 3), dtype=np.uint8)
        extractor = self._extractor(backbone)
        extractor(images)  # the first call pays for memory
        timings = []
        for _ in range(_PROBES):
            start = time.perf_counter()
            extractor(images)
            timings.append(time.perf_counter() - start)
        return min(timings) / _PROBE_IMAGES

    def is_computed(self, backbone: str, image_size_px: int) -> bool:
        return self._path(backbone, image_size_px).exists()

    def compute(self, backbone: str, image_size_px: int, on_progress: OnProgress) -> None:
        """Computes one block, or opens the one that an earlier run left. `on_progress` may raise to end the work."""
        path = self._path(backbone, image_size_px)
        if not path.exists():
            self._pixels.decode([image_size_px], on_progress)
            extract_features(self._pixels.open(image_size_px), self._extractor(backbone), path, on_progress)
        self._blocks[backbone, image_size_px] = np.load(path, mmap_mode="r")

    def available(self) -> set[tuple[str, int]]:
        """The blocks (backbone, input size) that trials may use now."""
        return set(self._blocks)

    def tap_widths(self, backbone: str) -> tuple[int, ...]:
        return self._weights[backbone].tap_widths

    def model_bytes(self, backbone: str) -> int:
        """Size of the backbone in a delivered model."""
        return self._weights[backbone].onnx_path.stat().st_size

    def joined(self, params: Params) -> Joined:
        """The features that a trial's parameters name, kept in memory for the next trials."""
        names, taps, size = backbone_names(params), str(params["taps"]), int(params["image_size_px"])
        key = (names, taps, size)
        if key not in self._joined:
            self._joined[key] = self._join(names, taps, size)
        self._joined.move_to_end(key)
        while len(self._joined) > 1 and sum(joined.n_bytes for joined in self._joined.values()) > _JOINED_BYTES:
            self._joined.popitem(last=False)
        return self._joined[key]

    def release_pixels(self, sizes_px: Sequence[int]) -> None:
        """Gives the disk of the decoded pictures back; the features stay for the next run on the same pictures."""
        self._pixels.delete(sizes_px)

    def _join(self, names: tuple[str, ...], taps: str, image_size_px: int) -> Joined:
        import tensorflow as tf

        columns, means, scales, reach = [], [], [], 0.0
        for name in names:
            block, widths = self._blocks[name, image_size_px], self.tap_widths(name)
            ends = np.cumsum(widths)
            chosen = range(len(widths) - 1, len(widths)) if taps == LAST_TAP else range(len(widths))
            for tap in chosen:
                raw = np.asarray(block[:, ends[tap] - widths[tap] : ends[tap]], dtype=np.float32)
                mean, deviation = raw.mean(axis=0), raw.std(axis=0)
                scale = np.where(deviation > 1e-6, 1 / np.maximum(deviation, 1e-6), 0.0) / np.sqrt(widths[tap])
                columns.append((raw - mean) * scale)
                means.append(mean)
                scales.append(scale)
                reach += float(np.sqrt(widths[tap]))
        # A step of Adam moves a logit by the learning rate times the sum of the inputs' sizes. Dividing by that sum
        # gives a learning rate the same meaning for one tap as for fifteen.
        common = np.float32(_REFERENCE_REACH / reach)
        values = tf.constant(common * np.concatenate(columns, axis=1), tf.float32)
        return Joined(values, np.concatenate(means), (common * np.concatenate(scales)).astype(np.float32))

    def _extractor(self, backbone: str) -> FeatureExtractor:
        if backbone not in self._extractors:
            self._extractors[backbone] = FeatureExtractor(self._weights[backbone])
        return self._extractors[backbone]

    def _path(self, backbone: str, image_size_px: int) -> Path:
        weights = self._weights[backbone]
        key = f"{content_key(self._images, image_size_px)} {backbone} {weights.sha256}"
        return self._folder / f"features-{hashlib.sha256(key.encode()).hexdigest()[:32]}.npy"

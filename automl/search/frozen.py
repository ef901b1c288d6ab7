"""Frozen features of the pool's photos: computed once for each backbone and input size, joined for each trial."""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np

from automl.images.pixels import OnProgress, PixelCache, content_key, mark_used
from automl.models.features import Extractor, OnnxExtractor, extract_features, make_extractor
from automl.models.weights.cache import InstalledWeights
from automl.records import ImageRecord
from automl.search.block import Block
from automl.search.joined import Joined, Moments, View, moments_of, standardisation
from automl.search.plan import INPUT_SIZES_PX
from automl.search.space import LAST_TAP, Params, backbone_names
from automl.serving.predict import load_image

_DECODED_FOR_TIMING = 16
_WARM_UP_IMAGES, _PROBE_IMAGES, _PROBES = 4, 8, 2
_LATENCY_PROBES = 5
_FEWEST_TIMED = 64
_PROBE_PX = 224
_MIRRORED = "mirrored"

_ViewKey = tuple[tuple[str, ...], str, int, bool]
"""Backbones, taps, input size, mirrored."""


class FrozenFeatures:
    """float16 features on disk, keyed by the photos' contents, the backbone's weights and the input size.

    max_bytes: memory that joined features may take; what does not fit is read from disk by each trial.
    """

    def __init__(
        self,
        images: Sequence[ImageRecord],
        weights: Mapping[str, InstalledWeights],
        folder: Path,
        max_bytes: int = 600_000_000,
    ) -> None:
        self._images = tuple(images)
        self._weights = dict(weights)
        self._folder = folder
        self._max_bytes = max_bytes
        self._pixels = PixelCache(folder, self._images)
        self._extractors: dict[str, Extractor] = {}
        self._decode_s: float | None = None
        self._content_keys: dict[int, str] = {}
        self._seconds_per_image: dict[str, float] = {}
        self._latency_s: dict[str, float] = {}
        self._blocks: dict[Block, np.ndarray] = {}
        self._moments: dict[Block, Moments] = {}
        self._views: OrderedDict[_ViewKey, View] = OrderedDict()

    @property
    def backbones(self) -> tuple[str, ...]:
        return tuple(self._weights)

    def decode(self, blocks: Sequence[Block], on_progress: OnProgress) -> None:
        """Decodes the photos once, for those input sizes at which any of `blocks` is not computed yet.

        Raises:
            BadImage, DiskFull: see `PixelCache.decode`; and what `on_progress` raises to end the work.
        """
        needed = {block.image_size_px for block in blocks if not self.is_computed(block)}
        self._pixels.decode(sorted(needed), on_progress)

    def decode_seconds(self) -> float:
        """How long `decode` may take for all photos, measured once on a few of them."""
        if self._decode_s is not None:
            return self._decode_s
        some = self._images[:: max(1, len(self._images) // _DECODED_FOR_TIMING)]
        start = time.perf_counter()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda image: load_image(image.path, _PROBE_PX), some))
        self._decode_s = (time.perf_counter() - start) / len(some) * len(self._images)
        return self._decode_s

    def pixels(self, image_size_px: int, on_progress: OnProgress = lambda _done, _total: None) -> np.ndarray:
        """uint8 (n_images, image_size_px, image_size_px, 3), memory-mapped; decoded now if they are not there.

        Raises:
            BadImage, DiskFull: see `PixelCache.decode`.
        """
        self._pixels.decode([image_size_px], on_progress)
        return self._pixels.open(image_size_px)

    def release_pixels(self, sizes_px: Sequence[int]) -> None:
        """Gives the disk of the decoded photos back; the features stay for the next run on the same photos."""
        self._pixels.delete(sizes_px)

    def computed(self) -> set[Block]:
        """The blocks that an earlier run on the same photos has left."""
        possible = (Block(*values) for values in product(self._weights, INPUT_SIZES_PX, (False, True)))
        return {block for block in possible if self.is_computed(block)}

    def is_computed(self, block: Block) -> bool:
        return self._path(block).exists()

    def compute(self, block: Block, on_progress: OnProgress) -> None:
        """Computes one block, goes on with one that was broken off, or opens the one that an earlier run left.

        `on_progress` may raise to end the work; what is done by then is kept for the next attempt.

        Raises:
            BadImage, DiskFull: see `PixelCache.decode`.
            MemoryError: there is not enough memory for a single photo.
        """
        path = self._path(block)
        if not mark_used(path):
            pixels = self.pixels(block.image_size_px, on_progress)
            seen = pixels[:, :, ::-1] if block.mirrored else pixels
            watch = _Stopwatch(on_progress)
            extract_features(seen, self._extractor(block.backbone), path, on_batch=watch)
            if watch.seconds_per_row is not None:  # whole batches are quicker than what was timed at the start
                self._seconds_per_image[block.backbone] = watch.seconds_per_row * (_PROBE_PX / block.image_size_px) ** 2
        self._blocks[block] = np.asarray(np.load(path, mmap_mode="r"))

    def last_layer(self) -> np.ndarray | None:
        """float16 (n_images, n_features) of the last layer of the first backbone that was used; None before one was."""
        block = self._first_block
        return None if block is None else self._blocks[block][:, self._last_columns(block)]

    def last_layer_of(self, images: Sequence[ImageRecord]) -> np.ndarray:
        """float32 (len(images), n_features): the same of other photos, such as some of the test.

        Raises:
            ValueError: no backbone was used yet.
        """
        block = self._first_block
        if block is None:
            raise ValueError("No features were computed yet.")
        pixels = np.stack([load_image(image.path, block.image_size_px) for image in images])
        return np.asarray(self._extractor(block.backbone)(pixels)[:, self._last_columns(block)], np.float32)

    @property
    def _first_block(self) -> Block | None:
        return next((block for block in self._blocks if not block.mirrored), None)

    def _last_columns(self, block: Block) -> slice:
        ((start, end),) = self._columns(block.backbone, LAST_TAP)
        return slice(start, end)

    def available(self) -> set[Block]:
        """The blocks that trials may use now."""
        return set(self._blocks)

    def seconds_per_image(self, backbone: str) -> float:
        """At 224 px, others in proportion to their area. Timed on a few pictures of noise, then on the photos."""
        if backbone not in self._seconds_per_image:
            extractor = self._extractor(backbone)
            extractor(_noise(_WARM_UP_IMAGES))  # the first call pays for memory
            seconds = _fastest_s(extractor, _noise(_PROBE_IMAGES), _PROBES)
            self._seconds_per_image[backbone] = seconds / _PROBE_IMAGES
        return self._seconds_per_image[backbone]

    def latency_s(self, backbone: str, image_size_px: int) -> float:
        """Seconds for one photo on the CPU, where the delivered model runs; measured once at 224 px, see above."""
        if backbone not in self._latency_s:
            extractor = self._extractor(backbone)
            on_cpu = extractor if isinstance(extractor, OnnxExtractor) else OnnxExtractor(self._weights[backbone])
            one = _noise(1)
            on_cpu(one)
            self._latency_s[backbone] = _fastest_s(on_cpu, one, _LATENCY_PROBES)
        return self._latency_s[backbone] * (image_size_px / _PROBE_PX) ** 2

    def release_extractors(self) -> None:
        """Gives the memory of the networks back, some hundred megabytes each; what needs one again loads it again."""
        self._extractors.clear()

    def tap_widths(self, backbone: str) -> tuple[int, ...]:
        return self._weights[backbone].tap_widths

    def model_bytes(self, backbone: str) -> int:
        """Size of the backbone in a delivered model."""
        return self._weights[backbone].onnx_path.stat().st_size

    def joined(self, params: Params) -> Joined:
        """The features that a trial's parameters name, kept in memory for the next trials where they fit.

        Raises:
            KeyError: one of the blocks is not available.
        """
        names, taps, size = backbone_names(params), str(params["taps"]), int(params["image_size_px"])
        views = (False, True) if params.get("views") == _MIRRORED else (False,)
        keys = [(names, taps, size, mirrored) for mirrored in views]
        return Joined(*[self._view(key, keys) for key in keys])

    def _view(self, key: _ViewKey, wanted: Sequence[_ViewKey]) -> View:
        """The view `key`; those that are `wanted` beside it stay in memory."""
        if key not in self._views:
            self._views[key] = self._make_view(key, wanted)
        self._views.move_to_end(key)
        return self._views[key]

    def _make_view(self, key: _ViewKey, wanted: Sequence[_ViewKey]) -> View:
        names, taps, size, mirrored = key
        parts, moments = [], []
        for name in names:
            block, plain = self._blocks[Block(name, size, mirrored)], self._moments_of(Block(name, size))
            for start, end in self._columns(name, taps):
                parts.append(block[:, start:end])
                moments.append(Moments(plain.mean[start:end], plain.deviation[start:end]))
        mean, scale = standardisation(moments)
        fits = self._make_room(4 * len(parts[0]) * len(mean), wanted)
        return View(parts, mean, scale, in_memory=fits)

    def _make_room(self, n_bytes: int, wanted: Sequence[_ViewKey]) -> bool:
        """Whether so much fits into memory; views that no trial has used for long make way."""

        def held(keys: Sequence[_ViewKey]) -> int:
            return sum(self._views[key].n_bytes for key in keys if key in self._views)

        if n_bytes + held(wanted) > self._max_bytes:
            return False
        for key in [key for key in self._views if key not in wanted]:
            if n_bytes + held(tuple(self._views)) <= self._max_bytes:
                break
            del self._views[key]
        return True

    def _columns(self, backbone: str, taps: str) -> list[tuple[int, int]]:
        """Where each tap that is used starts and ends in a block."""
        widths = self.tap_widths(backbone)
        ends = np.cumsum(widths).tolist()
        columns = [(end - width, end) for end, width in zip(ends, widths, strict=True)]
        return columns[-1:] if taps == LAST_TAP else columns

    def _moments_of(self, block: Block) -> Moments:
        if block not in self._moments:
            self._moments[block] = moments_of(self._blocks[block])
        return self._moments[block]

    def _extractor(self, backbone: str) -> Extractor:
        if backbone not in self._extractors:
            self._extractors[backbone] = make_extractor(self._weights[backbone])
        return self._extractors[backbone]

    def _path(self, block: Block) -> Path:
        weights, size = self._weights[block.backbone], block.image_size_px
        if size not in self._content_keys:  # a digest over every photo
            self._content_keys[size] = content_key(self._images, size)
        key = f"{self._content_keys[size]} {block.backbone} {weights.sha256}"
        if block.mirrored:
            key += f" {_MIRRORED}"
        return self._folder / f"features-{hashlib.sha256(key.encode()).hexdigest()[:32]}.npy"


class _Stopwatch:
    """Passes progress on; `seconds_per_row` is what the rows after the first batch took, None for too few of them."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._first: tuple[float, int] | None = None
        self.seconds_per_row: float | None = None

    def __call__(self, done: int, total: int) -> None:
        now = time.perf_counter()
        if self._first is None:
            self._first = now, done
        elif done - self._first[1] >= _FEWEST_TIMED:
            self.seconds_per_row = (now - self._first[0]) / (done - self._first[1])
        self._on_progress(done, total)


def _noise(n_images: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n_images, _PROBE_PX, _PROBE_PX, 3), dtype=np.uint8)


def _fastest_s(extractor: Extractor, images: np.ndarray, n_times: int) -> float:
    timings = []
    for _ in range(n_times):
        start = time.perf_counter()
        extractor(images)
        timings.append(time.perf_counter() - start)
    return min(timings)

"""How fast this machine is: a probe of a few pictures and what is kept, replaced by what the real work takes."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from automl.backbone_table import BACKBONES
from automl.images.pixels import OnProgress
from automl.models.device import has_gpu
from automl.models.features import Extractor, OnnxExtractor
from automl.models.memory import is_out_of_memory
from automl.models.weights.cache import InstalledWeights
from automl.processors import n_processors
from automl.records import ImageRecord
from automl.search.block import Block
from automl.search.relative_times import RelativeTimes, device_of_features, processors
from automl.serving.predict import PhotoRules, load_image

_DECODED_FOR_TIMING = 16
_PROBES = 2
_LATENCY_PROBES = 5
_FEWEST_TIMED = 64
_PROBE_PX = 224
_LARGE_PX = 160  # the time for smaller pictures is out of proportion to their area


class BackboneSpeeds:
    """Seconds of each backbone, measured once at 224 px and taken to grow with the area of the picture.

    Args:
        extractor: loads the network of a backbone, where features are computed.
        weights: the pretrained ones, by backbone; not empty.
        kept: the file of what was measured about this machine.
    """

    def __init__(
        self, extractor: Callable[[str], Extractor], weights: Mapping[str, InstalledWeights], *, kept: Path
    ) -> None:
        self._extractor = extractor
        self._weights = weights
        self._batches = RelativeTimes(
            "features",
            self._batch_s,
            expected=_expected_ratio,
            weights=weights,
            device=device_of_features,
            kept=kept,
        )
        self._singles = RelativeTimes("one photo", self._single_s, weights=weights, device=processors, kept=kept)
        self._seconds_per_image: dict[str, float] = {}

    def seconds_per_image(self, backbone: str) -> float:
        """For one photo of many, at 224 px: foreseen from the first network, later timed on the photos themselves."""
        known = self._seconds_per_image.get(backbone)
        return self._batches.seconds(backbone) if known is None else known

    def latency_s(self, backbone: str, image_size_px: int) -> float:
        """For a single photo on the CPU, where the delivered model runs."""
        return self._singles.seconds(backbone) * (image_size_px / _PROBE_PX) ** 2

    def learn(self, block: Block, watch: "Stopwatch") -> None:
        """Takes what computing a block took: whole batches are quicker than the probe at the start.

        The network is loaded then, so it is also the moment to see once more what a single photo takes.
        """
        if isinstance(self._extractor(block.backbone), OnnxExtractor):
            self._singles.learn(block.backbone, self._single_s(block.backbone))
        if watch.seconds_per_row is None:
            return
        seconds = watch.seconds_per_row * (_PROBE_PX / block.image_size_px) ** 2
        self._seconds_per_image[block.backbone] = seconds
        if block.image_size_px >= _LARGE_PX:
            self._batches.learn(block.backbone, seconds)

    def _batch_s(self, backbone: str) -> float:
        extractor = self._extractor(backbone)
        return timed_per_image(extractor, _noise(extractor.timed_batch))

    def _single_s(self, backbone: str) -> float:
        extractor = self._extractor(backbone)
        on_cpu = extractor if isinstance(extractor, OnnxExtractor) else OnnxExtractor(self._weights[backbone])
        one = _noise(1)
        on_cpu(one)
        return _fastest_s(on_cpu, one, _LATENCY_PROBES)


def _expected_ratio(name: str, first: str) -> float | None:
    """What the table says of two networks on a processor; None on a GPU, or where it does not know them."""
    if has_gpu() or not {name, first} <= BACKBONES.keys():
        return None
    return BACKBONES[name].figures.relative_time / BACKBONES[first].figures.relative_time


def timed_per_image(extractor: Extractor, images: np.ndarray) -> float:
    """Seconds for one image of a batch such as `images`; of half of them where memory does not suffice for all."""
    try:
        extractor(images)  # the first call pays for memory and, on a GPU, for choosing how to compute
        return _fastest_s(extractor, images, _PROBES) / len(images)
    except Exception as error:
        if len(images) == 1 or not is_out_of_memory(error):
            raise
        return timed_per_image(extractor, images[: len(images) // 2])


class Stopwatch:
    """Passes progress on, and times it.

    Attributes:
        seconds_per_row: what the rows after the first batch took; None for too few of them.
    """

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


def decode_seconds(images: Sequence[ImageRecord], rules: PhotoRules) -> float:
    """How long decoding all photos may take, measured on a few of them."""
    some = images[:: max(1, len(images) // _DECODED_FOR_TIMING)]
    start = time.perf_counter()
    with ThreadPoolExecutor(n_processors()) as pool:
        list(pool.map(lambda image: load_image(image.path, _PROBE_PX, rules), some))
    return (time.perf_counter() - start) / len(some) * len(images)


def _noise(n_images: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n_images, _PROBE_PX, _PROBE_PX, 3), dtype=np.uint8)


def _fastest_s(extractor: Extractor, images: np.ndarray, n_times: int) -> float:
    timings = []
    for _ in range(n_times):
        start = time.perf_counter()
        extractor(images)
        timings.append(time.perf_counter() - start)
    return min(timings)

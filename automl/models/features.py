"""Frozen features: the pooled activations of a backbone's taps, with ONNX Runtime on a CPU, TensorFlow on a GPU."""

from __future__ import annotations

import fcntl
import math
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from io import BufferedRandom, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import structlog

from automl.atomic_files import full_disk_explained, no_half_files, sync
from automl.checked_files import add_checksum
from automl.errors import DiskFull
from automl.models.ahead import made_ahead
from automl.models.compiling import CompiledGain, gain_of
from automl.models.device import gpu_name, has_gpu, tensorflow_version
from automl.models.measured import measured
from automl.models.memory import is_out_of_memory
from automl.models.precision import FULL, HALF, WORTH_IT, computing_in
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.timing import quickest_s
from automl.models.weights.cache import InstalledWeights, load_backbone
from automl.processors import onnx_threads
from automl.text.messages import search as search_messages

if TYPE_CHECKING:
    import tensorflow as tf

CPU_BATCH, GPU_BATCH = 32, 256

_CPU_TIMED = 8  # a processor is about as quick on a few pictures, which the first model need not wait for
_N_SENT_AHEAD = 2

MOST_OFF = 0.03
"""How far features in float16 may be from those in float32, as a share of their length. See docs/benchmarks.md."""

_CHECKED_PX = 160
_SMALLEST_LENGTH = 1e-3

_log = structlog.stdlib.get_logger(__name__)


class Pixels(Protocol):
    """Pictures by their rows, as an array has them."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


OnBatch = Callable[[int, int], None]
"""Takes the number of images that are done and the number of all images; it may raise to abort."""


class Extractor(Protocol):
    """A backbone that turns images into vectors.

    Attributes:
        tap_widths: the number of features of each tap, from shallow to last.
        batch: the number of images that are given at once.
        timed_batch: the number of images that its speed is measured with. On a GPU it is the whole batch: with a few
            images most of the time would be that of starting the work.
    """

    tap_widths: tuple[int, ...]
    batch: int
    timed_batch: int

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """float32 (batch, sum(tap_widths)), taps in order, for `images`: uint8 (batch, height, width, 3), RGB."""
        ...


class OnnxExtractor:
    """Extracts features with ONNX Runtime on the CPU.

    Args:
        installed: the backbone.
        n_threads: the number of threads; None for as many as this process has processors.
    """

    batch, timed_batch = CPU_BATCH, _CPU_TIMED

    def __init__(self, installed: InstalledWeights, n_threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = onnx_threads() if n_threads is None else n_threads
        options.log_severity_level = 3  # errors only: it warns where a shape is dynamic
        self.tap_widths = installed.tap_widths
        self._session = onnxruntime.InferenceSession(
            str(installed.onnx_path), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, images: np.ndarray) -> np.ndarray:
        pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
        return np.concatenate(self._session.run(None, {"images": pixels}), axis=1)


class TensorFlowExtractor:
    """Extracts features with TensorFlow, on a GPU where there is one.

    Args:
        installed: the backbone.
        half: whether activations are float16 instead of float32; they are averaged in float32 all the same.
        compiled: whether XLA compiles it, which happens at the first batch of each size.

    Raises:
        BadWeights: the file in the cache is damaged.
    """

    batch = timed_batch = GPU_BATCH

    def __init__(self, installed: InstalledWeights, *, half: bool = False, compiled: bool = False) -> None:
        import_tensorflow()
        import tensorflow as tf

        with computing_in(HALF if half else FULL):
            backbone = load_backbone(installed)

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8), tf.TensorSpec((), tf.bool)],
            jit_compile=compiled or None,
        )
        def pooled(images: tf.Tensor, mirrored: tf.Tensor) -> tf.Tensor:
            seen = tf.cond(mirrored, lambda: tf.reverse(images, [2]), lambda: images)
            taps = backbone(tf.cast(seen, tf.float32), training=False)
            return tf.concat([tf.reduce_mean(tf.cast(tap, tf.float32), axis=(1, 2)) for tap in taps], axis=1)

        self.tap_widths = installed.tap_widths
        self._pooled, self._is_compiled = pooled, compiled

    def __call__(self, images: np.ndarray) -> np.ndarray:
        return next(self.stream(iter([images])))

    def stream(self, batches: Iterator[np.ndarray], *, mirrored: bool = False) -> Generator[np.ndarray, None, None]:
        """The features of each batch, in order.

        A thread reads batches and sends them to the device meanwhile, and the next batch is begun before the features
        of the last one are fetched, so that the device does not wait for either.

        Args:
            batches: images as `Extractor` takes them.
            mirrored: whether left and right are exchanged, which the device does.
        """
        import tensorflow as tf

        begun: deque[tuple[tf.Tensor, int]] = deque()
        with closing(made_ahead(self._sent(batches), _N_SENT_AHEAD)) as sent:
            for images, n in sent:
                begun.append((self._pooled(images, tf.constant(mirrored)), n))
                if len(begun) > 1:
                    features, n = begun.popleft()
                    yield features.numpy()[:n]
        for features, n in begun:
            yield features.numpy()[:n]

    def _sent(self, batches: Iterator[np.ndarray]) -> Iterator[tuple[tf.Tensor, int]]:
        """Each batch on the device, and its size. For XLA a smaller last one is filled up, or it would compile anew."""
        import tensorflow as tf

        largest = 0
        for images in batches:
            n = len(images)
            largest = max(largest, n)
            if self._is_compiled and n < largest:
                images = np.concatenate([images, np.zeros((largest - n, *images.shape[1:]), np.uint8)])
            yield tf.constant(np.ascontiguousarray(images)), n


def make_extractor(installed: InstalledWeights, n_images: int) -> Extractor:
    """The fastest extractor that this machine has for so many images of one size."""
    if not has_gpu():
        return OnnxExtractor(installed)
    question = f"features of {installed.name} {installed.sha256} on {gpu_name()} with {tensorflow_version()}"
    is_half = measured(question, lambda: HALF if _half_is_as_good(installed) else FULL) == HALF
    gain = measured(f"compiled {question}", lambda: _gain_of_compiling(installed, half=is_half).in_words())
    pays = CompiledGain.of_words(gain).pays(math.ceil(n_images / GPU_BATCH))
    return TensorFlowExtractor(installed, half=is_half, compiled=pays)


def _gain_of_compiling(installed: InstalledWeights, *, half: bool) -> CompiledGain:
    images = _soft_images(GPU_BATCH)
    plain, compiled = (TensorFlowExtractor(installed, half=half, compiled=compiled) for compiled in (False, True))
    return gain_of(
        partial(plain, images),
        partial(compiled, images),
        agree=lambda found, expected: _nearly_equal(found, expected, installed.tap_widths),
    )


def _half_is_as_good(installed: InstalledWeights) -> bool:
    """Whether float16 gives nearly the features of float32 on this device, in clearly less time."""
    images = _soft_images(GPU_BATCH)
    try:
        full, half = (TensorFlowExtractor(installed, half=half) for half in (False, True))
        expected, found = full(images), half(images)  # the first call includes tracing
        if not _nearly_equal(found, expected, installed.tap_widths):
            return False
        full_s, half_s = (quickest_s(partial(one, images), 2) for one in (full, half))
    except Exception as error:  # noqa: BLE001 - whatever a device cannot do, float32 can, or says so itself
        _log.info("features cannot be computed in float16 here", backbone=installed.name, exc_info=error)
        return False
    return half_s < WORTH_IT * full_s


def _nearly_equal(found: np.ndarray, expected: np.ndarray, tap_widths: Sequence[int]) -> bool:
    """Whether the features of each image and tap differ by less than MOST_OFF of their length."""
    ends = np.cumsum(tap_widths)[:-1]
    pairs = zip(np.split(found, ends, axis=1), np.split(expected, ends, axis=1), strict=True)
    lengths = [
        np.linalg.norm(one - other, axis=1) / (np.linalg.norm(other, axis=1) + _SMALLEST_LENGTH) for one, other in pairs
    ]
    return bool(np.max(lengths) < MOST_OFF)  # False also for NaN


def _soft_images(n: int) -> np.ndarray:
    """uint8 (n, side, side, 3): random colours that change as slowly as in photos."""
    import tensorflow as tf

    few = np.random.default_rng(0).uniform(0, 255, (n, 7, 7, 3)).astype(np.float32)
    return np.asarray(tf.image.resize(few, (_CHECKED_PX, _CHECKED_PX), "bicubic").numpy().clip(0, 255), np.uint8)


def extract_features(
    pixels: Pixels, extractor: Extractor, target: Path, *, on_batch: OnBatch, mirrored: bool = False
) -> np.ndarray:
    """Writes the features of `pixels` to `target`, an .npy file that appears only when it is complete.

    Until then they are in `<stem>.part`, which stays where the work is broken off: the next call goes on after its last
    whole row. Where memory does not suffice, the batch is halved.

    Args:
        pixels: uint8 (n, size, size, 3), may be memory-mapped, or wait for rows that are still being decoded.
        extractor: the backbone.
        target: the file to be written.
        on_batch: is called after each batch.
        mirrored: whether left and right of the pictures are exchanged.

    Returns:
        float16 (n, sum(extractor.tap_widths)), memory-mapped, read-only.

    Raises:
        DiskFull: there is no room for the file; nothing is left behind.
        MemoryError: there is not enough memory for a single image.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    n, width = len(pixels), sum(extractor.tap_widths)
    with _partial_file(target) as file:
        done = _whole_rows(file, (n, width))
        batch = extractor.batch
        while done < n:
            # Errors of `on_batch` are not ours: they may mean memory that is missing elsewhere.
            with closing(_features_from(pixels, extractor, done, batch=batch, mirrored=mirrored)) as batches:
                while done < n:
                    try:
                        features = next(batches)
                    except Exception as error:  # noqa: BLE001 - raised again unless a smaller batch may help
                        batch = _halved(batch, error)
                        break
                    file.write(features.astype(np.float16).tobytes())
                    done += len(features)
                    on_batch(done, n)
    add_checksum(target)
    written: np.ndarray = np.load(target, mmap_mode="r")
    return written


def features_of(images: np.ndarray, extractor: Extractor) -> np.ndarray:
    """float32 (n, sum(extractor.tap_widths)) of images that are in memory, in batches; halved as by `extract_features`.

    Raises:
        MemoryError: there is not enough memory for a single image.
    """
    batch = extractor.batch
    while True:
        try:
            return np.concatenate(list(_features_from(images, extractor, 0, batch=batch, mirrored=False)))
        except Exception as error:  # noqa: BLE001 - raised again unless a smaller batch may help
            batch = _halved(batch, error)


def _features_from(
    pixels: Pixels, extractor: Extractor, start: int, *, batch: int, mirrored: bool
) -> Generator[np.ndarray, None, None]:
    """The features of the rows from `start` on, batch after batch."""
    batches = (np.asarray(pixels[begin : begin + batch]) for begin in range(start, len(pixels), batch))
    if isinstance(extractor, TensorFlowExtractor):
        yield from extractor.stream(batches, mirrored=mirrored)
    else:
        yield from (extractor(images[:, :, ::-1] if mirrored else images) for images in batches)


def _halved(batch: int, error: Exception) -> int:
    """The batch to go on with; raises `error` where a smaller one would not help."""
    if not is_out_of_memory(error):
        raise error
    if batch == 1:
        raise MemoryError(search_messages.NO_MEMORY_FOR_AN_IMAGE) from error
    return batch // 2


@contextmanager
def _partial_file(target: Path) -> Iterator[BufferedRandom]:
    """The file that becomes `target` at the end; it stays where the block raises, unless the disk is full."""
    part = target.with_suffix(".part")
    try:
        # A memory map on a full disk would end the process with SIGBUS; writing raises an error.
        with full_disk_explained(str(target.parent)), part.open("a+b") as file:
            if _is_ours(file, part):
                yield file
                file.flush()
                os.fsync(file.fileno())
                part.rename(target)
                sync(target.parent)
                return
    except DiskFull:
        part.unlink(missing_ok=True)
        raise
    with no_half_files([target]) as (private,), private.open("w+b") as file:
        yield file


def _is_ours(file: BufferedRandom, part: Path) -> bool:
    """Whether no other process writes this file, nor has just finished it. The lock ends with the process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return part.exists() and os.path.samestat(os.fstat(file.fileno()), part.stat())


def _whole_rows(file: BufferedRandom, shape: tuple[int, int]) -> int:
    """Brings `file` to the end of its last whole row, or starts it anew; returns the number of rows in it."""
    header, row_bytes = _npy_header(shape), 2 * shape[1]
    file.seek(0)
    if file.read(len(header)) != header:
        file.truncate(0)
        file.seek(0)
        file.write(header)
        return 0
    n_rows = min(shape[0], (file.seek(0, os.SEEK_END) - len(header)) // row_bytes)
    file.truncate(len(header) + n_rows * row_bytes)
    file.seek(0, os.SEEK_END)
    return n_rows


def _npy_header(shape: tuple[int, int]) -> bytes:
    header = BytesIO()
    values = {"descr": np.dtype(np.float16).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, values)
    return header.getvalue()

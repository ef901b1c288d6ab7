"""Frozen features: the pooled activations of a backbone's taps, with ONNX Runtime on a CPU, TensorFlow on a GPU."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedRandom, BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np

from automl.atomic_files import full_disk_explained, no_half_files
from automl.errors import DiskFull
from automl.models.device import has_gpu
from automl.models.memory import is_out_of_memory
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights.cache import InstalledWeights, load_backbone
from automl.processors import onnx_threads
from automl.text.messages import search as search_messages

CPU_BATCH, GPU_BATCH = 32, 256

OnBatch = Callable[[int, int], None]
"""Takes the number of images that are done and the number of all images; it may raise to abort."""


class Extractor(Protocol):
    """A backbone that turns images into vectors.

    Attributes:
        tap_widths: the number of features of each tap, from shallow to last.
        batch: the number of images that are given at once.
    """

    tap_widths: tuple[int, ...]
    batch: int

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """float32 (batch, sum(tap_widths)), taps in order, for `images`: uint8 (batch, height, width, 3), RGB."""
        ...


class OnnxExtractor:
    """Extracts features with ONNX Runtime on the CPU.

    Args:
        installed: the backbone.
        n_threads: the number of threads; None for as many as this process has processors.
    """

    batch = CPU_BATCH

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

    Raises:
        BadWeights: the file in the cache is damaged.
    """

    batch = GPU_BATCH

    def __init__(self, installed: InstalledWeights) -> None:
        import_tensorflow()
        import tensorflow as tf

        backbone = load_backbone(installed)

        @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])  # type: ignore[untyped-decorator]
        def pooled(images: tf.Tensor) -> tf.Tensor:
            taps = backbone(tf.cast(images, tf.float32), training=False)
            return tf.concat([tf.reduce_mean(tap, axis=(1, 2)) for tap in taps], axis=1)

        self.tap_widths = installed.tap_widths
        self._pooled = pooled

    def __call__(self, images: np.ndarray) -> np.ndarray:
        features: np.ndarray = self._pooled(np.ascontiguousarray(images)).numpy()
        return features


def make_extractor(installed: InstalledWeights) -> Extractor:
    """The fastest extractor that this machine has."""
    return TensorFlowExtractor(installed) if has_gpu() else OnnxExtractor(installed)


def extract_features(pixels: np.ndarray, extractor: Extractor, target: Path, *, on_batch: OnBatch) -> np.ndarray:
    """Writes the features of `pixels` to `target`, an .npy file that appears only when it is complete.

    Until then they are in `<stem>.part`, which stays where the work is broken off: the next call goes on after its last
    whole row. Where memory does not suffice, the batch is halved.

    Args:
        pixels: uint8 (n, size, size, 3), may be memory-mapped.
        extractor: the backbone.
        target: the file to be written.
        on_batch: is called after each batch.

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
            try:
                features = extractor(np.asarray(pixels[done : done + batch]))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if batch == 1:
                    raise MemoryError(search_messages.NO_MEMORY_FOR_AN_IMAGE) from error
                batch = max(1, batch // 2)
                continue
            file.write(features.astype(np.float16).tobytes())
            done += len(features)
            on_batch(done, n)
    written: np.ndarray = np.load(target, mmap_mode="r")
    return written


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
                part.rename(target)
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

"""Frozen features: the pooled activations of a backbone's taps, with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from automl.data.storage import no_half_files
from automl.models.weights import InstalledWeights

BATCH = 32

OnBatch = Callable[[int, int], None]
"""Takes the number of images that are done and the number of all; raises to abort."""


class FeatureExtractor:
    """A backbone that turns images into vectors.

    `tap_widths`: number of features of each tap, shallow to last. `n_threads`: 0 for one a CPU core.
    """

    def __init__(self, installed: InstalledWeights, n_threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.log_severity_level = 3  # errors only: it warns where a shape is dynamic
        self.tap_widths = installed.tap_widths
        self._session = onnxruntime.InferenceSession(
            str(installed.onnx_path), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """float32 (batch, sum(tap_widths)), taps in order, for `images`: uint8 (batch, height, width, 3), RGB."""
        pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
        return np.concatenate(self._session.run(None, {"images": pixels}), axis=1)


def extract_features(pixels: np.ndarray, extractor: FeatureExtractor, target: Path, on_batch: OnBatch) -> np.ndarray:
    """Writes the features of `pixels` to `target`, an .npy file that appears only when it is complete.

    pixels: uint8 (n, size, size, 3), may be memory-mapped. Returns float16 (n, sum(extractor.tap_widths)),
    memory-mapped, read-only. `on_batch(done, total)` is called after each batch and may raise to abort.

    Raises:
        DiskFull: no room for the file; nothing is left behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    n, width = len(pixels), sum(extractor.tap_widths)
    header = {"descr": np.dtype(np.float16).str, "fortran_order": False, "shape": (n, width)}
    # A memory map on a full disk would end the process with SIGBUS; writing tells.
    with no_half_files([target]) as (part,), part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n, BATCH):
            batch = extractor(np.asarray(pixels[start : start + BATCH]))
            file.write(batch.astype(np.float16).tobytes())
            on_batch(min(start + BATCH, n), n)
    features: np.ndarray = np.load(target, mmap_mode="r")
    return features

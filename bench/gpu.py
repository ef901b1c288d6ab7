"""What bounds a GPU worker: the stages of a run against the physical limit of each, and against two CPU cores.

    python -m bench.gpu [--photos 50000] [--heads 8] [--backbone mobilenet_v2] [--two-core-photos 1000]

The photos are made up (JPEG, 500 px), so that any machine can do the same work; there is no clock, and the trials are
the same everywhere. Limits are measured in the same run: decoding by one process times the number of processors, the
rate at which memory is sent to the device, the device's rate of copying its own memory, and its products of large
matrices. A stage cannot be quicker than the slowest of what it needs.

On a machine with a GPU the same work is done again on two cores without it, for `--two-core-photos` photos, and scaled.
On a machine without one the device functions are measured on the CPU device, and the figures of a GPU stay open.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from automl.logs import configure_logging
from automl.models.cards import VISIBLE_DEVICES
from automl.models.device import device_in_words, has_gpu
from automl.models.head.fitting import fit_heads
from automl.models.head.schedule import max_epochs
from automl.models.head.settings import HeadSettings, Targets
from automl.models.head.training import PlannedHead
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.timing import quickest_s
from automl.models.weights.cache import InstalledWeights, installed, load_backbone
from automl.processors import n_processors
from automl.records import ImageRecord
from automl.search.block import Block
from automl.search.frozen import FrozenFeatures
from automl.search.space import LAST_TAP, PLAIN_VIEW
from automl.serving.predict import RULES, load_image
from automl.settings import load_settings
from bench.harness import report

SIZE_PX, PHOTO_PX, N_CLASSES = 224, 500, 5
APART, MIRRORED, BESIDE = "features", "features, mirrored", "decoding beside features"
DECODING, ONE_BY_ONE, ONE_PASS = "decoding", "heads, one by one", "heads, in one pass"
RUN_ON_CPU, RUN_ON_GPU = (DECODING, APART, MIRRORED, ONE_BY_ONE), (BESIDE, MIRRORED, ONE_BY_ONE)
"""The stages that a run really goes through; the others are there to be compared with."""

TARGET_RATIO, TARGET_TIMES_LIMIT = 20.0, 2.0
_N_FILES, _N_DECODED_ALONE = 64, 64
_GPU_SIDE, _CPU_SIDE = 8192, 1024
_GPU_BYTES, _CPU_BYTES = 1 << 30, 1 << 26
_OPEN = "This machine has no GPU: every figure that needs one is open, and none is claimed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the machine can do at best.

    Attributes:
        decoded_per_s: photos.
        sent_bytes_per_s: from the host's memory to the device's.
        copied_bytes_per_s: within the device's memory, read and written.
        full_flops: floating-point operations a second of a product of float32 matrices.
        half_flops: the same in float16; on a CPU, which does not use it, that of float32.
    """

    decoded_per_s: float
    sent_bytes_per_s: float
    copied_bytes_per_s: float
    full_flops: float
    half_flops: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the work.

    Attributes:
        name: of the stage.
        seconds: that it took.
        limits_s: the least that it can take, by what it needs.
    """

    name: str
    seconds: float
    limits_s: dict[str, float]

    def row(self) -> dict[str, Any]:
        """A row of the table."""
        bound_by = max(self.limits_s, key=lambda name: self.limits_s[name])
        limit_s = self.limits_s[bound_by]
        return {
            "stage": self.name,
            "seconds": round(self.seconds, 3),
            "limit_s": round(limit_s, 3),
            "bound_by": bound_by,
            "times_limit": round(self.seconds / limit_s, 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=50_000)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--two-core-photos", type=int, default=1000)
    options = parser.parse_args()
    settings = load_settings()
    configure_logging(settings, least="warning")
    weights = installed(settings.weights_dir)[options.backbone]
    with tempfile.TemporaryDirectory() as folder:
        photos = _photos(Path(folder), options.photos)
        limits = _limits(photos)
        stages = _stages(photos, weights, Path(folder), n_heads=options.heads, limits=limits)
    run_s = sum(stage.seconds for stage in stages if stage.name in (RUN_ON_GPU if has_gpu() else RUN_ON_CPU))
    report(
        "gpu",
        device=device_in_words(),
        has_gpu=has_gpu(),
        open=None if has_gpu() else _OPEN,
        photos=options.photos,
        heads=options.heads,
        backbone=options.backbone,
        limits={name: float(f"{value:.3g}") for name, value in asdict(limits).items()},
        stages=[stage.row() for stage in stages],
        run_s=round(run_s, 2),
        ratio_to_two_cores=_ratio(options, run_s) if has_gpu() else None,
        target_ratio=TARGET_RATIO,
        target_times_limit=TARGET_TIMES_LIMIT,
    )


def _photos(folder: Path, n: int) -> tuple[ImageRecord, ...]:
    """`n` photos; the files repeat after _N_FILES."""
    random, paths = np.random.default_rng(0), []
    for number in range(min(n, _N_FILES)):
        soft = Image.fromarray(random.integers(0, 256, (25, 25, 3), dtype=np.uint8)).resize((PHOTO_PX, PHOTO_PX))
        grain = random.normal(0, 8, (PHOTO_PX, PHOTO_PX, 1))
        paths.append(folder / f"{number}.jpg")
        Image.fromarray((np.asarray(soft) + grain).clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
    return tuple(
        ImageRecord(
            path=paths[number % len(paths)],
            name=f"{number}.jpg",
            label=str(number % N_CLASSES),
            sha256=str(number),
            width=PHOTO_PX,
            height=PHOTO_PX,
        )
        for number in range(n)
    )


def _limits(photos: tuple[ImageRecord, ...]) -> Limits:
    import_tensorflow()
    import tensorflow as tf

    paths = [str(photo.path) for photo in photos[:_N_DECODED_ALONE]]
    decode_s = quickest_s(lambda: [load_image(path, SIZE_PX, RULES) for path in paths], 2)
    n_bytes, side = (_GPU_BYTES, _GPU_SIDE) if has_gpu() else (_CPU_BYTES, _CPU_SIDE)
    host = np.ones(n_bytes // 4, np.float32)
    sent_s = quickest_s(lambda: _done(tf.constant(host)), 3)
    there = tf.constant(host)
    copied_s = quickest_s(lambda: _done(there + 1.0), 3)
    return Limits(
        decoded_per_s=len(paths) / decode_s * n_processors(),
        sent_bytes_per_s=n_bytes / sent_s,
        copied_bytes_per_s=2 * n_bytes / copied_s,
        full_flops=_matmul_flops(side, tf.float32),
        half_flops=_matmul_flops(side, tf.float16 if has_gpu() else tf.float32),
    )


def _matmul_flops(side: int, dtype: Any) -> float:
    import tensorflow as tf

    matrix = tf.ones((side, side), dtype)
    return float(2 * side**3 / quickest_s(lambda: _done(tf.matmul(matrix, matrix)), 3))


def _done(tensor: Any) -> None:
    """Waits for the device: one number of the result is fetched."""
    tensor[(0,) * tensor.shape.rank].numpy()


def _stages(
    photos: tuple[ImageRecord, ...], weights: InstalledWeights, folder: Path, *, n_heads: int, limits: Limits
) -> list[Stage]:
    plain, mirrored = (Block(weights.name, SIZE_PX, mirrored=mirrored) for mirrored in (False, True))
    n, n_features = len(photos), weights.tap_widths[-1]
    flops = n * _network_flops(weights)
    decode_s = {DECODING: n / limits.decoded_per_s}
    pass_s = {"FLOP/s": flops / limits.half_flops, "sending": n * SIZE_PX**2 * 3 / limits.sent_bytes_per_s}
    features = FrozenFeatures(photos, {weights.name: weights}, folder / "apart", rules=RULES, overlaps=False)
    features.seconds_per_image(weights.name)  # loads, traces and, on a GPU, chooses the precision
    stages = [
        Stage(name=DECODING, seconds=_s(partial(features.decode, [plain], _say_nothing)), limits_s=decode_s),
        Stage(name=APART, seconds=_s(partial(features.compute, plain, _say_nothing)), limits_s=pass_s),
        Stage(name=MIRRORED, seconds=_s(partial(features.compute, mirrored, _say_nothing)), limits_s=pass_s),
    ]
    together = FrozenFeatures(photos, {weights.name: weights}, folder / "together", rules=RULES, overlaps=True)
    together.seconds_per_image(weights.name)
    both_s = _s(partial(together.compute, plain, _say_nothing))
    stages.append(Stage(name=BESIDE, seconds=both_s, limits_s={**decode_s, **pass_s}))
    joined = features.joined(
        {"backbones": weights.name, "taps": LAST_TAP, "image_size_px": SIZE_PX, "views": PLAIN_VIEW}
    )
    targets = _targets(n)
    heads_s = _head_limits(n, n_features, targets=targets, n_heads=n_heads, limits=limits)
    planned = [PlannedHead(settings=one, seed=0) for one in _head_settings(n_heads, n)]
    one_by_one = _s(lambda: [fit_heads(joined, targets, [one]) for one in planned])
    stages.append(Stage(name=ONE_BY_ONE, seconds=one_by_one, limits_s=heads_s))
    stages.append(Stage(name=ONE_PASS, seconds=_in_one_pass_s(joined, targets, planned), limits_s=heads_s))
    return stages


def _in_one_pass_s(joined: Any, targets: Targets, planned: Sequence[PlannedHead]) -> float:
    """By the device functions, which a machine without a GPU runs on its CPU device."""
    from automl.models.head.on_device import fit_heads as fit_heads_on_device

    return _s(lambda: fit_heads_on_device(joined, targets, planned))


def _head_settings(n_heads: int, n_rows: int) -> Iterator[HeadSettings]:
    for number in range(n_heads):
        yield HeadSettings(
            dropout=0.0,
            learning_rate=0.002 * 2**number,
            weight_decay=0.01,
            label_smoothing=0.0,
            lr_schedule="cosine",
            patience=None,
            max_epochs=max_epochs(n_rows),
        )


def _targets(n: int) -> Targets:
    n_folds = 1 if n > 5000 else 5
    folds = np.arange(n) % 5 if n_folds == 5 else np.where(np.arange(n) % 5, -1, 0)
    return Targets(labels=np.arange(n) % N_CLASSES, folds=folds[:, None], n_folds=n_folds, n_classes=N_CLASSES)


def _head_limits(n: int, n_features: int, *, targets: Targets, n_heads: int, limits: Limits) -> dict[str, float]:
    """Each epoch reads every feature for each head's own order of rows, and takes two products of it; then a third."""
    epochs = n_heads * max_epochs(n)
    flops = epochs * 6 * n * n_features * targets.n_models * N_CLASSES
    return {
        "FLOP/s": flops / limits.full_flops,
        "memory": epochs * 2 * 4 * n * n_features / limits.copied_bytes_per_s,
    }


def _network_flops(weights: InstalledWeights) -> int:
    """Of one photo: twice the multiplications of every convolution."""
    import keras

    model, n_flops = load_backbone(weights), 0
    shape: Any = (1, SIZE_PX, SIZE_PX, 3)
    inner = keras.Model(model.inputs, [one.output for one in model.layers if "conv" in type(one).__name__.lower()])
    outputs = keras.tree.flatten(inner.compute_output_spec(keras.KerasTensor(shape)))
    for layer, output in zip(
        (one for one in model.layers if "conv" in type(one).__name__.lower()), outputs, strict=True
    ):
        *window, n_in, n_out = layer.kernel.shape
        is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        products = int(np.prod(window)) * (n_out if is_depthwise else n_in)
        n_flops += 2 * products * int(np.prod(output.shape[1:]))
    return n_flops


def _ratio(options: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """The same work on two cores without the GPU, scaled from fewer photos."""
    command = [sys.executable, "-m", "bench.gpu", "--photos", str(options.two_core_photos)]
    command += ["--heads", str(options.heads), "--backbone", options.backbone]
    with _two_cores():
        answer = subprocess.run(
            command, env={**os.environ, VISIBLE_DEVICES: "-1"}, capture_output=True, text=True, check=True
        )
    measured = json.loads(answer.stdout)
    scaled_s = measured["run_s"] * options.photos / options.two_core_photos
    return {"ratio": round(scaled_s / seconds, 1), "two_cores": measured, "scaled_to_s": round(scaled_s, 1)}


@contextmanager
def _two_cores() -> Iterator[None]:
    """Processes that are started inside have two processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:2])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _s(work: Callable[[], object]) -> float:
    return quickest_s(work, 1)


def _say_nothing(_done: int, _total: int) -> None:
    """Progress is for people."""


if __name__ == "__main__":
    main()

"""Fine-tuning, in images a second, against a bare `keras.Model.fit` of the same network and batch.

    python -m bench.fine_tuning [--backbone mobilenet_v2] [--size 160] [--batch 16] [--steps 6] [--rounds 3]
                                [--resume FILE] [--at-most 9m]

Augmentation is off on both sides and the photos are random numbers. "whole": everything trains. "tail": only what is
behind the second cut from the end does; Keras computes the frozen part again at every step, we read its activations
from the disk. Both sides take turns in one process, and the quickest step of each counts: other work on the machine
makes steps slower, never faster.
"""

import argparse
import os
import time
from dataclasses import replace
from typing import Any

import numpy as np

from automl.models.fine_tuning.fine_tuner import FineTuner
from automl.models.fine_tuning.network import NetworkKind, TrainableNetwork
from automl.models.fine_tuning.settings import FineTuneSettings
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights.cache import InstalledWeights, installed, load_backbone
from automl.search.stages.fine_tuning_space import expert_settings
from automl.settings import load_settings
from bench.harness import report
from bench.series import Key, Series, add_options

N_CLASSES = 3
TAIL_DEPTH = 2
DEPTHS = {"whole": 0, "tail": TAIL_DEPTH}
AIMS = {"whole": 0.95, "tail": 2.5}
PART_S = 30.0  # of a round; a guess that decides whether a part still fits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    add_options(parser)
    options = parser.parse_args()
    series = Series.of_options(options)
    asked = {name: getattr(options, name) for name in ("backbone", "size", "batch", "steps", "rounds")}
    keys = [{"part": part, **asked} for part in DEPTHS]
    for run in series.runs(keys, _measured, takes_s=lambda key: PART_S * key["rounds"]):
        report(f"fine_tuning_{run['part']}", **run)
    if not series.is_whole:
        report("fine_tuning", n_missing=series.n_missing)


def _measured(key: Key) -> dict[str, Any]:
    import_tensorflow()
    weights = installed(load_settings().weights_dir)[key["backbone"]]
    depth, batch = DEPTHS[key["part"]], key["batch"]
    settings = replace(
        expert_settings("several", key["size"], epochs=1, batch_size=batch),
        flips="none",
        crop=1.0,
        colour=0.0,
        ema=0.0,
        depth=depth,
    )
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (batch * key["steps"], key["size"], key["size"], 3), np.uint8)
    labels = random.integers(0, N_CLASSES, len(pixels))
    ours = _Ours(pixels, labels, weights, settings)
    theirs = _Theirs(pixels, labels, weights, depth, batch)
    seconds = [(ours.seconds(), theirs.seconds()) for _ in range(key["rounds"])]
    ours_s, theirs_s = (min(column) for column in zip(*seconds, strict=True))
    ours.tuner.close()
    return {
        "images_per_second": round(batch / ours_s, 1),
        "keras_images_per_second": round(batch / theirs_s, 1),
        "ratio": round(theirs_s / ours_s, 2),
        "aim": AIMS[key["part"]],
        "load": round(os.getloadavg()[0], 1),
    }


class _Ours:
    def __init__(
        self, pixels: np.ndarray, labels: np.ndarray, weights: InstalledWeights, settings: FineTuneSettings
    ) -> None:
        width = sum(weights.tap_widths)
        head = (np.zeros((width, N_CLASSES), np.float32), np.zeros(N_CLASSES, np.float32))
        self.tuner = FineTuner(
            pixels=pixels,
            labels=labels,
            n_classes=N_CLASSES,
            installed=weights,
            head=head,
            settings=settings,
            seed=0,
        )
        self._rows = np.arange(len(pixels))

    def seconds(self) -> float:
        """Of the quickest step in an epoch."""
        marks: list[float] = []
        self.tuner.fit(self._rows, self._rows[:0], on_work=lambda: marks.append(time.perf_counter()))
        n_steps = self.tuner.steps_per_epoch(len(self._rows))
        return float(np.diff(marks[-n_steps:]).min())


class _Theirs:
    def __init__(
        self, pixels: np.ndarray, labels: np.ndarray, weights: InstalledWeights, depth: int, batch_size: int
    ) -> None:
        import keras
        import tensorflow as tf

        network = load_backbone(weights)
        _freeze_front(network, weights, depth)
        pooled = [keras.layers.GlobalAveragePooling2D()(tap) for tap in network.outputs]
        outputs = keras.layers.Dense(N_CLASSES)(keras.layers.Concatenate()(pooled))
        self._model = keras.Model(network.inputs, outputs)
        self._model.compile(keras.optimizers.AdamW(1e-4), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        data = tf.data.Dataset.from_tensor_slices((pixels, labels)).batch(batch_size)
        self._data = data.map(lambda images, y: (tf.cast(images, tf.float32), y)).cache().prefetch(2)

    def seconds(self) -> float:
        """Of the quickest step in an epoch."""
        import keras

        marks: list[float] = []

        def mark(_batch: int, **_: object) -> None:
            marks.append(time.perf_counter())

        callback = keras.callbacks.LambdaCallback(on_train_batch_end=mark)
        self._model.fit(self._data, shuffle=False, verbose=0, callbacks=[callback])
        return float(np.diff(marks).min())


def _freeze_front(network: Any, weights: InstalledWeights, depth: int) -> None:
    """Only what we would train stays trainable."""
    if not depth:
        return
    ours = TrainableNetwork(
        NetworkKind(weights=weights, taps="several", depth=depth, n_classes=N_CLASSES, adapts_batch_norm=True)
    )
    for layer in network.layers:
        layer.trainable = ours.n_cuts_behind[layer.name] < depth


if __name__ == "__main__":
    main()

"""Fine-tuning, in images a second, against a bare `keras.Model.fit` of the same network and batch.

    python -m bench.fine_tuning [--backbone mobilenet_v2] [--size 160] [--batch 16] [--steps 6] [--rounds 3]

Augmentation is off on both sides and the photos are random numbers. "whole": everything trains. "tail": only what is
behind the second cut from the end does; Keras computes the frozen part again at every step, we read its activations
from the disk. Both sides take turns in one process, and the quickest step of each counts: other work on the machine
makes steps slower, never faster.
"""

import argparse
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

N_CLASSES = 3
TAIL_DEPTH = 2
AIMS = {"whole": 0.95, "tail": 2.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    import_tensorflow()
    weights = installed(load_settings().weights_dir)[options.backbone]
    settings = replace(
        expert_settings("several", options.size, epochs=1, batch_size=options.batch),
        flips="none",
        crop=1.0,
        colour=0.0,
        ema=0.0,
    )
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (options.batch * options.steps, options.size, options.size, 3), np.uint8)
    labels = random.integers(0, N_CLASSES, len(pixels))
    for name, depth in (("whole", 0), ("tail", TAIL_DEPTH)):
        ours = _Ours(pixels, labels, weights, replace(settings, depth=depth))
        theirs = _Theirs(pixels, labels, weights, depth, options.batch)
        seconds = [(ours.seconds(), theirs.seconds()) for _ in range(options.rounds)]
        ours_s, theirs_s = (min(column) for column in zip(*seconds, strict=True))
        report(
            f"fine_tuning_{name}",
            backbone=options.backbone,
            image_size_px=options.size,
            batch_size=options.batch,
            images_per_second=round(options.batch / ours_s, 1),
            keras_images_per_second=round(options.batch / theirs_s, 1),
            ratio=round(theirs_s / ours_s, 2),
            aim=AIMS[name],
        )
        ours.tuner.close()


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

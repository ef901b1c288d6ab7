"""The loop that a capable user writes from the tutorials, as the peer of `bench.vs_keras_tuner`.

    python -m bench.keras_tuner_peer FOLDER [--trials 3] [--epochs 10]

KerasTuner's random search over dropout, learning rate and a hidden layer, on MobileNetV2 frozen at 224 px with the same
pretrained numbers as ours, cached `image_dataset_from_directory`, flips and small rotations, early stopping and
ReduceLROnPlateau. FOLDER holds `train/` and `test/` (or `val/`, as hymenoptera calls it); without `validation/` a fifth
of `train/` is validated on. Prints JSON: the best validation accuracy after each epoch, and the test accuracy of the
weights that were best after 2 minutes, after 5, and at the end (scored afterwards, outside of the times).
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

STARTED = time.monotonic()

import keras  # noqa: E402 - its import is part of the user's waiting
import keras_tuner  # noqa: E402
from keras.utils import image_dataset_from_directory  # noqa: E402

from automl.models.weights.cache import installed, load_backbone  # noqa: E402
from automl.processors import n_processors  # noqa: E402
from automl.settings import load_settings  # noqa: E402

SIZE_PX = 224
CHECKPOINTS_S = (120.0, 300.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    train, validation, test = _datasets(options.folder, options.seed)
    n_classes = len(train.class_names)
    train, validation = train.cache().prefetch(2), validation.cache().prefetch(2)
    with tempfile.TemporaryDirectory() as scratch:
        timeline = _Timeline(Path(scratch))
        tuner = keras_tuner.RandomSearch(
            lambda hp: _model(hp, n_classes),
            objective="val_accuracy",
            max_trials=options.trials,
            seed=options.seed,
            directory=scratch,
            project_name="peer",
        )
        callbacks = [
            keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True),
            keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.3, patience=2),
            timeline,
        ]
        tuner.search(train, validation_data=validation, epochs=options.epochs, callbacks=callbacks, verbose=0)
        total_s = time.monotonic() - STARTED
        scores = {str(int(s)): timeline.test_accuracy(s, test) for s in (*CHECKPOINTS_S, total_s)}
    result = {
        "folder": options.folder.name,
        "cpus": n_processors(),
        "trials": options.trials,
        "epochs": options.epochs,
        "seconds": round(total_s, 1),
        "best_validation_accuracy": timeline.events[-1]["best"],
        "test_accuracy_after_s": scores,
        "timeline": timeline.events,
    }
    print(json.dumps(result, indent=2))


def _datasets(folder: Path, seed: int) -> tuple[Any, Any, Any]:
    same = {"image_size": (SIZE_PX, SIZE_PX), "batch_size": 32, "seed": seed, "verbose": False}
    test_folder = next(folder / name for name in ("test", "val") if (folder / name).is_dir())
    test = image_dataset_from_directory(test_folder, shuffle=False, **same)
    if (folder / "validation").is_dir():
        train = image_dataset_from_directory(folder / "train", **same)
        return train, image_dataset_from_directory(folder / "validation", shuffle=False, **same), test
    split = {**same, "validation_split": 0.2}
    train = image_dataset_from_directory(folder / "train", subset="training", **split)
    return train, image_dataset_from_directory(folder / "train", subset="validation", **split), test


def _model(hp: keras_tuner.HyperParameters, n_classes: int) -> keras.Model:
    backbone = load_backbone(installed(load_settings().weights_dir)["mobilenet_v2"])
    backbone.trainable = False
    images = keras.Input((SIZE_PX, SIZE_PX, 3))
    x = keras.layers.RandomFlip("horizontal")(images)
    x = keras.layers.RandomRotation(0.05)(x)
    x = backbone(x, training=False)[-1]
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.1, default=0.2))(x)
    if units := hp.Choice("units", [0, 128]):
        x = keras.layers.Dense(units, activation="relu")(x)
    model = keras.Model(images, keras.layers.Dense(n_classes, activation="softmax")(x))
    rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log", default=1e-3)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class _Timeline(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """When which validation accuracy was reached, with the weights of each new best on disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self._folder = folder
        self._models: list[tuple[float, Path]] = []

    def __deepcopy__(self, _memo: dict[int, Any]) -> "_Timeline":
        return self  # KerasTuner copies its callbacks for each trial; there is one clock

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        seconds, accuracy = time.monotonic() - STARTED, float((logs or {})["val_accuracy"])
        best = self.events[-1]["best"] if self.events else -1.0
        self.events.append({"seconds": round(seconds, 1), "validation": accuracy, "best": max(best, accuracy)})
        if accuracy > best:
            path = self._folder / f"best-{len(self._models)}.keras"
            self.model.save(path)
            self._models.append((seconds, path))

    def test_accuracy(self, at_s: float, test: Any) -> float | None:
        """Of the best weights that were there `at_s` seconds after the start; None where there were none."""
        there = [path for seconds, path in self._models if seconds <= at_s]
        return float(keras.models.load_model(there[-1]).evaluate(test, verbose=0)[1]) if there else None


if __name__ == "__main__":
    main()

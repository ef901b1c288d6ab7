#!/usr/bin/env python3
"""Says what is in a picture, with a `.keras` file or a SavedModel that Darkroom trained.

    python predict_tensorflow.py photo.jpg another.png

`--model saved_model` before the photos asks another model than the first that it finds beside it.
It needs TensorFlow with Keras 3, NumPy and Pillow, and predict.py beside it.
"""

import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from automl.serving.predict import (
    CONTRACT,
    DISTANCE,
    FeatureDistance,
    PhotoRules,
    ask,
    first_of,
    foreign_in,
    load_image,
    sure_beside,
)

MODELS = ("model.keras", "saved_model")
"""What this program asks, in the order in which it looks for it."""


class Classifier:
    """A delivered `model.keras` or the folder `saved_model`: pictures in, probabilities out.

    `labels`: class names in the order of the probabilities. `size_px`: side of the square that it was trained on.
    `rules`: how photos become pixels. `sure`: the confidence from which on an answer counts as sure, None where that is
    not known. `foreign`: the distance beyond which a photo looks like nothing that was learned, None for a model that
    cannot tell.
    """

    def __init__(self, model: str | Path) -> None:
        path = Path(model)
        self._distance = FeatureDistance.read(_bytes_in(path, DISTANCE))
        taps = self._distance.taps if self._distance else ()
        self._run = _load_folder(path, taps) if path.is_dir() else _load_file(path, taps)
        self.labels: tuple[str, ...] = tuple(_text_in(path, "labels.txt").rstrip("\n").split("\n"))
        self.size_px = int(_text_in(path, "image_size_px.txt"))
        contract = _text_in(path, CONTRACT)
        self.rules = PhotoRules.read(contract)
        self.sure = sure_beside(path, contract)
        self.foreign = foreign_in(contract) if self._distance else None

    def ask_arrays(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The probabilities, float32 (batch, n_classes), and how far each picture is from all that was learned, float32
        (batch,), None where the model cannot tell.

        images: (batch, height, width, 3), 0-255.
        """
        found = self._run(images.astype(np.float32))
        if self._distance is None:
            return np.asarray(found), None
        return np.asarray(found[0]), self._distance.of(np.asarray(found[1]))

    def predict_arrays(self, images: np.ndarray) -> np.ndarray:
        """The probabilities only, see `ask_arrays`."""
        return self.ask_arrays(images)[0]

    def ask(self, source: str | Path | IO[bytes]) -> tuple[np.ndarray, float | None]:
        """float32 (n_classes,) for one picture file, and its distance."""
        return first_of(*self.ask_arrays(load_image(source, self.size_px, self.rules)[np.newaxis]))

    def predict(self, source: str | Path | IO[bytes]) -> np.ndarray:
        """float32 (n_classes,) for one picture file."""
        return self.ask(source)[0]


def with_taps(model: Any, taps: Sequence[str]) -> Any:
    """A Keras model that gives the probabilities and, side by side, what its layers `taps` pool; as it is without any.

    The names of its outputs are `probabilities` and `taps`.
    """
    import keras

    if not taps:
        return model
    pooled = [model.get_layer(name).output for name in taps]
    joined = keras.layers.Concatenate(name="taps")(pooled) if len(pooled) > 1 else pooled[0]
    return keras.Model(model.input, [model.output, joined])


def _load_folder(path: Path, taps: Sequence[str]) -> Any:
    import tensorflow as tf

    # The lambda holds the model: `model.serve` itself refers to it weakly only, and it would be gone.
    model = tf.saved_model.load(str(path))
    return lambda images: model.serve_with_taps(images) if taps else model.serve(images)


def _load_file(path: Path, taps: Sequence[str]) -> Any:
    import keras

    return with_taps(keras.models.load_model(path, compile=False), taps).predict_on_batch


def _text_in(model: Path, name: str) -> str:
    """A text that the model carries; empty where it does not, as models of older versions."""
    return _bytes_in(model, name).decode()


def _bytes_in(model: Path, name: str) -> bytes:
    if model.is_dir():
        path = model / "assets.extra" / name
        return path.read_bytes() if path.exists() else b""
    with zipfile.ZipFile(model) as archive:
        return archive.read(name) if name in archive.namelist() else b""


def main(arguments: list[str] | None = None) -> int:
    return ask(arguments, Classifier, MODELS)


if __name__ == "__main__":
    sys.exit(main())

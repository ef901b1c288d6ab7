#!/usr/bin/env python3
"""Says what is in a picture, with a `.keras` file or a SavedModel that Darkroom trained.

    python predict_tensorflow.py photo.jpg another.png

`--model saved_model` before the photos asks another model than the first that it finds beside it.
It needs TensorFlow with Keras 3, NumPy and Pillow, and predict.py beside it.
"""

import sys
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from automl.serving.predict import CONTRACT, PhotoRules, ask, load_image, sure_beside

MODELS = ("model.keras", "saved_model")
"""What this program asks, in the order in which it looks for it."""


class Classifier:
    """A delivered `model.keras` or the folder `saved_model`: pictures in, probabilities out.

    `labels`: class names in the order of the probabilities. `size_px`: side of the square that it was trained on.
    `rules`: how photos become pixels. `sure`: the confidence from which on an answer counts as sure, None where that is
    not known.
    """

    def __init__(self, model: str | Path) -> None:
        path = Path(model)
        self._run = _load_folder(path) if path.is_dir() else _load_file(path)
        self.labels: tuple[str, ...] = tuple(_text_in(path, "labels.txt").rstrip("\n").split("\n"))
        self.size_px = int(_text_in(path, "image_size_px.txt"))
        contract = _text_in(path, CONTRACT)
        self.rules = PhotoRules.read(contract)
        self.sure = sure_beside(path, contract)

    def predict_arrays(self, images: np.ndarray) -> np.ndarray:
        """float32 (batch, n_classes) for `images`: (batch, height, width, 3), 0-255."""
        return np.asarray(self._run(images.astype(np.float32)))

    def predict(self, source: str | Path | IO[bytes]) -> np.ndarray:
        """float32 (n_classes,) for one picture file."""
        probabilities: np.ndarray = self.predict_arrays(load_image(source, self.size_px, self.rules)[np.newaxis])[0]
        return probabilities


def _load_folder(path: Path) -> Any:
    import tensorflow as tf

    # The lambda holds the model: `model.serve` itself refers to it weakly only, and it would be gone.
    model = tf.saved_model.load(str(path))
    return lambda images: model.serve(images)


def _load_file(path: Path) -> Any:
    import keras

    return keras.models.load_model(path, compile=False).predict_on_batch


def _text_in(model: Path, name: str) -> str:
    """A text that the model carries; empty where it does not, as models of older versions."""
    if model.is_dir():
        path = model / "assets.extra" / name
        return path.read_text(encoding="utf-8") if path.exists() else ""
    with zipfile.ZipFile(model) as archive:
        return archive.read(name).decode() if name in archive.namelist() else ""


def main(arguments: list[str] | None = None) -> int:
    return ask(arguments, Classifier, MODELS)


if __name__ == "__main__":
    sys.exit(main())

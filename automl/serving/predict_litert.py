#!/usr/bin/env python3
"""Says what is in a picture, with a LiteRT (TFLite) model that Darkroom trained.

    python predict_litert.py photo.jpg another.png

`--model model_int8.tflite` before the photos asks another model than the first that it finds beside it.
It needs ai-edge-litert, NumPy and Pillow, and predict.py beside it.
"""

import sys
import warnings
import zipfile
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

MODELS = ("model_float32.tflite", "model_float16.tflite", "model_int8.tflite")
"""What this program asks, in the order in which it looks for it."""


class Classifier:
    """A delivered `.tflite`: pictures in, probabilities out.

    `labels`: class names in the order of the probabilities, from the file's metadata (it ends in a zip archive).
    `size_px`: side of the square that the model takes. `rules`: how photos become pixels. `sure`: the confidence from
    which on an answer counts as sure, None where that is not known. `foreign`: the distance beyond which a photo looks
    like nothing that was learned, None for a model that cannot tell.
    """

    def __init__(self, model: str | Path, n_threads: int | None = None) -> None:
        self._interpreter = load_interpreter(model_path=str(model), num_threads=n_threads)
        self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        self.size_px = int(self._input["shape"][1])
        with zipfile.ZipFile(model) as metadata:
            self.labels: tuple[str, ...] = tuple(metadata.read("labels.txt").decode().rstrip("\n").split("\n"))
            contract, distance = (
                metadata.read(name) if name in metadata.namelist() else b"" for name in (CONTRACT, DISTANCE)
            )
        self.rules = PhotoRules.read(contract)
        self.sure = sure_beside(Path(model), contract)
        self._distance = FeatureDistance.read(distance)
        self.foreign = foreign_in(contract) if self._distance else None
        # The probabilities come first; a model that knows distances gives its pooled taps, too.
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]

    def ask_arrays(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The probabilities, float32 (batch, n_classes), and how far each picture is from all that was learned, float32
        (batch,), None where the model cannot tell.

        images: (batch, size_px, size_px, 3), 0-255.
        """
        probabilities, *taps = (np.concatenate(rows) for rows in zip(*map(self._ask_one, images), strict=True))
        return probabilities, self._distance.of(taps[0]) if self._distance else None

    def predict_arrays(self, images: np.ndarray) -> np.ndarray:
        """The probabilities only, see `ask_arrays`."""
        return self.ask_arrays(images)[0]

    def ask(self, source: str | Path | IO[bytes]) -> tuple[np.ndarray, float | None]:
        """float32 (n_classes,) for one picture file, and its distance."""
        return first_of(*self.ask_arrays(load_image(source, self.size_px, self.rules)[np.newaxis]))

    def predict(self, source: str | Path | IO[bytes]) -> np.ndarray:
        """float32 (n_classes,) for one picture file."""
        return self.ask(source)[0]

    def _ask_one(self, image: np.ndarray) -> list[np.ndarray]:
        self._interpreter.set_tensor(self._input["index"], image[np.newaxis].astype(self._input["dtype"]))
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(index)) for index in self._outputs]


def load_interpreter(**arguments: Any) -> Any:
    """The interpreter of ai-edge-litert, else that of TensorFlow, which is the same but warns that it is deprecated."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        from tensorflow import lite

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter is deprecated")
            return lite.Interpreter(**arguments)
    return Interpreter(**arguments)


def main(arguments: list[str] | None = None) -> int:
    return ask(arguments, Classifier, MODELS)


if __name__ == "__main__":
    sys.exit(main())

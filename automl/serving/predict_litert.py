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

from automl.serving.predict import CONTRACT, PhotoRules, ask, load_image, sure_beside

MODELS = ("model_float32.tflite", "model_float16.tflite", "model_int8.tflite")
"""What this program asks, in the order in which it looks for it."""


class Classifier:
    """A delivered `.tflite`: pictures in, probabilities out.

    `labels`: class names in the order of the probabilities, from the file's metadata (it ends in a zip archive).
    `size_px`: side of the square that the model takes. `rules`: how photos become pixels. `sure`: the confidence from
    which on an answer counts as sure, None where that is not known.
    """

    def __init__(self, model: str | Path, n_threads: int | None = None) -> None:
        self._interpreter = load_interpreter(model_path=str(model), num_threads=n_threads)
        self._interpreter.allocate_tensors()
        (self._input,), (self._output,) = (
            self._interpreter.get_input_details(),
            self._interpreter.get_output_details(),
        )
        self.size_px = int(self._input["shape"][1])
        with zipfile.ZipFile(model) as metadata:
            self.labels: tuple[str, ...] = tuple(metadata.read("labels.txt").decode().rstrip("\n").split("\n"))
            contract = metadata.read(CONTRACT) if CONTRACT in metadata.namelist() else b""
        self.rules = PhotoRules.read(contract)
        self.sure = sure_beside(Path(model), contract)

    def predict_arrays(self, images: np.ndarray) -> np.ndarray:
        """float32 (batch, n_classes) for `images`: (batch, size_px, size_px, 3), 0-255."""
        return np.concatenate([self._predict_one(image) for image in images])

    def predict(self, source: str | Path | IO[bytes]) -> np.ndarray:
        """float32 (n_classes,) for one picture file."""
        probabilities: np.ndarray = self._predict_one(load_image(source, self.size_px, self.rules))[0]
        return probabilities

    def _predict_one(self, image: np.ndarray) -> np.ndarray:
        self._interpreter.set_tensor(self._input["index"], image[np.newaxis].astype(self._input["dtype"]))
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output["index"]))


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

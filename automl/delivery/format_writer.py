"""Writes a delivered `model.keras` in the formats of other runtimes: a photo of 0-255 in, probabilities out.

Each carries its labels and its serving contract, as `labels.txt` and `serving.json`: in the zip archive that a `.keras`
file is and that stands at the end of a `.tflite` file, where TensorFlow's metadata convention has it, and in the folder
`assets.extra` of a SavedModel. Where the model knows how far a photo is from all that it learned from, it also carries
`distance.npz`, and its second output is the pooled taps that the distance is worked out from.
"""

import shutil
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from automl.atomic_files import no_half_files
from automl.delivery.drawn_pictures import drawn_pictures
from automl.delivery.fixed_size import (
    features_of,
    measured_spreads,
    outputs_of,
    with_fixed_size,
    with_shifts,
    with_standardised_features,
)
from automl.formats import find_format
from automl.models.quiet_tensorflow import import_tensorflow
from automl.native_output import STDERR, STDOUT, held_back
from automl.serving.predict import CONTRACT, DISTANCE, FeatureDistance
from automl.serving.predict_litert import load_interpreter
from automl.serving.predict_tensorflow import with_taps

_log = structlog.stdlib.get_logger(__name__)

N_CALIBRATION = 100
"""Training photographs that show the int8 converter which values occur; more change nothing that can be measured."""

_N_DRAWN = 12
"""Drawn pictures beside them, for a model with a distance. Without them whole numbers end where the values of its own
kinds of photos do, and a photo of something else looks nearer than it is. Four times as many change nothing more."""

_LAST_WORDS_BYTES = 4_000


class FormatWriter:
    """Loads a delivered model once and writes it in one format after the other.

    Args:
        model: the `model.keras`.
        labels: the class names in the order of the probabilities.
        size_px: the side of the square that the model was trained on.
        contract: the JSON of the serving contract; empty for none.
        calibration: uint8 (n, size_px, size_px, 3), RGB training photographs, `N_CALIBRATION` or so; for int8 only.
        target: the folder for the files, which is made.
    """

    def __init__(
        self,
        model: Path,
        *,
        labels: Sequence[str],
        size_px: int,
        contract: str,
        calibration: np.ndarray,
        target: Path,
    ) -> None:
        import_tensorflow()
        import keras

        with zipfile.ZipFile(model) as archive:
            stored = archive.read(DISTANCE) if DISTANCE in archive.namelist() else b""
        self._distance = FeatureDistance.read(stored)
        self._plain = keras.models.load_model(model, compile=False)
        self._model = with_taps(self._plain, self._distance.taps if self._distance else ())
        self._labels, self._size_px, self._contract = tuple(labels), size_px, contract
        self._calibration, self._target = calibration, target

    def write(self, name: str) -> Path:
        """Writes one format. Returns its file, or its folder.

        name: of a format that is not made at once.

        Raises:
            DiskFull: there is no room; nothing half-written is left.
            ValueError: int8 without a photograph to calibrate it with, or a format that comes with the model itself.
        """
        wanted = find_format(name)
        if wanted.is_made_at_once:
            raise ValueError(f"{wanted.file_name} comes with the model; it is not converted from it")
        self._target.mkdir(parents=True, exist_ok=True)
        path = self._target / wanted.file_name
        if path.is_dir():
            shutil.rmtree(path)
        with no_half_files([path]) as (part,), _quiet():
            self._write(name, part)
        return path

    def _write(self, name: str, target: Path) -> None:
        match name:
            case "saved_model":
                self._write_saved_model(target)
            case "litert_float32":
                self._write_litert(target, _converter(self._fixed))
            case "litert_float16":
                self._write_litert(target, _with_float16(_converter(self._fixed)))
            case "litert_int8":
                self._write_litert(target, *self._int8())
            case _:
                raise NotImplementedError(f"the format {name} has no writer")

    @cached_property
    def _fixed(self) -> Any:
        """The model for one picture of one size, which is what LiteRT needs."""
        return with_fixed_size(self._model, self._size_px)

    def _write_saved_model(self, target: Path) -> None:
        """Writes it with TensorFlow itself: `model.export` of Keras 3.15 writes every weight twice."""
        import tensorflow as tf

        signature = [tf.TensorSpec((None, None, None, 3), tf.float32, name="image")]
        module = tf.Module()
        module.weights = [variable.value for variable in self._model.variables]

        def traced(call: Any) -> Any:
            return tf.function(call, input_signature=signature, autograph=False)

        module.serve = traced(lambda image: self._plain(image, training=False))
        if self._distance:
            module.serve_with_taps = traced(lambda image: self._model(image, training=False))
        named = traced(lambda image: _named(self._model, image))
        tf.saved_model.save(module, target, signatures={"serving_default": named})
        extra = target / "assets.extra"
        extra.mkdir()
        stored = self._distance.stored() if self._distance else b""
        for name, content in _carried_files(self._labels, self._size_px, self._contract, stored).items():
            (extra / name).write_bytes(content)

    def _write_litert(self, target: Path, converter: Any, distance: FeatureDistance | None = None) -> None:
        """distance: that of this format, where it differs from the model's own."""
        target.write_bytes(converter.convert())
        distance = distance or self._distance
        stored = distance.stored() if distance else b""
        add_labels(target, self._labels, self._size_px, contract=self._contract, distance=stored)

    def _int8(self) -> tuple[Any, FeatureDistance | None]:
        """The converter for whole numbers, and the distance by the standardised taps that it gives.

        The network up to its features is converted first, to measure how far whole numbers put the features off; the
        final conversion takes that back.
        """
        if not len(self._calibration):
            raise ValueError("int8 needs photographs that show which values occur")
        spreads = measured_spreads(self._fixed, self._calibration)
        exact = features_of(with_standardised_features(self._fixed, spreads), spreads)
        by_int8 = _run_litert(bytes(self._quantising(exact).convert()), self._calibration)
        (by_float,) = outputs_of(exact, self._calibration)
        spreads = with_shifts(spreads, (by_int8 - by_float).mean(axis=0))
        distance = None
        if self._distance:
            used = [spreads[name] for name in self._distance.taps]
            distance = replace(
                self._distance,
                scales=np.concatenate([spread.deviation for spread in used]).astype(np.float32),
                offsets=np.concatenate([spread.mean for spread in used]).astype(np.float32),
            )
        return self._quantising(with_standardised_features(self._fixed, spreads)), distance

    def _quantising(self, model: Any) -> Any:
        """A converter to whole numbers; `_representative` shows it which values occur."""
        import tensorflow as tf

        converter = _converter(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = self._representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8  # a photo is bytes; probabilities stay float
        return converter

    def _representative(self) -> Iterator[list[np.ndarray]]:
        drawn = drawn_pictures(_N_DRAWN if self._distance else 0, self._size_px)
        for image in [*self._calibration, *drawn]:
            yield [image[np.newaxis].astype(np.float32)]


def _converter(model: Any) -> Any:
    import tensorflow as tf

    shape = model.input.shape

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name="image")], autograph=False)  # type: ignore[untyped-decorator]
    def answers(image: Any) -> dict[str, Any]:
        return _named(model, image)

    # The converter is given the function, not the model, whose weights would stay variables.
    return tf.lite.TFLiteConverter.from_concrete_functions([answers.get_concrete_function()], answers)


def _named(model: Any, image: Any) -> dict[str, Any]:
    """What a model gives, by the names of its outputs; in the order of the alphabet, which converters keep."""
    found = model(image, training=False)
    return (
        dict(zip(("probabilities", "taps"), found, strict=True)) if len(model.outputs) > 1 else {"probabilities": found}
    )


def _with_float16(converter: Any) -> Any:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter


def _run_litert(model: bytes, images: np.ndarray) -> np.ndarray:
    """The output of a LiteRT model for each image, float32 (n, n_outputs)."""
    interpreter = load_interpreter(model_content=model)
    interpreter.allocate_tensors()
    (given,), (found,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for image in images:
        interpreter.set_tensor(given["index"], image[np.newaxis])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(found["index"]))
    return np.concatenate(rows)


def add_labels(model: Path, labels: Sequence[str], size_px: int, *, contract: str, distance: bytes = b"") -> None:
    """Puts `labels.txt`, `image_size_px.txt` and `serving.json` into a `.keras` or `.tflite` file; once is enough.

    Both load as before: Keras reads its own members of the archive, LiteRT what stands before it.

    distance: the content of `distance.npz`; empty for none.
    """
    with zipfile.ZipFile(model, "a") as archive:
        for name, content in _carried_files(labels, size_px, contract, distance).items():
            if name not in archive.namelist():
                archive.writestr(name, content)


def _carried_files(labels: Sequence[str], size_px: int, contract: str, distance: bytes) -> dict[str, bytes]:
    """What a model carries beside its network, by the names of the files."""
    texts = {"labels.txt": "".join(f"{label}\n" for label in labels), "image_size_px.txt": f"{size_px}\n"}
    texts |= {CONTRACT: contract} if contract else {}
    return {name: text.encode() for name, text in texts.items()} | ({DISTANCE: distance} if distance else {})


@contextmanager
def _quiet() -> Iterator[None]:
    """Holds back the pages that converters write to the process's own outputs; the last of them if one fails."""
    try:
        with held_back(STDOUT, STDERR) as held, warnings.catch_warnings():
            # Of the form in which the calibrated ranges are given: they come from photographs, not from a table.
            warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
            yield
    except Exception:
        last_words = held.read()[-_LAST_WORDS_BYTES:].decode(errors="replace")
        _log.warning("a format could not be written", last_words=last_words)
        raise

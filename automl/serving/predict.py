#!/usr/bin/env python3
"""Says what is in a picture, with a model that Darkroom trained.

    python predict.py photo.jpg another.png

It needs only what requirements.txt lists. Darkroom itself decodes, resizes and predicts with this very file, in
training and on its web page, so its answers here are those that were measured there.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from PIL import Image, ImageOps

DECODE_PX = 320
"""A JPEG may be decoded at a fraction of its size, as long as both sides keep at least this many pixels: the most that
a model is trained on."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""Pillow reads many more formats; some start other programs (EPS), and none of them is for photographs."""


def open_rgb(source: str | Path | IO[bytes]) -> Image.Image:
    """Decodes a picture to upright RGB.

    The first frame counts; EXIF orientation is applied; transparent parts become white; 16-bit gray is scaled to 8.
    Raises what Pillow raises (OSError, SyntaxError, ValueError, Image.DecompressionBombError) for unreadable bytes.
    """
    with Image.open(source, formats=FORMATS) as image:
        image.draft("RGB", (DECODE_PX, DECODE_PX))
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):  # Pillow would clip 16-bit gray at 255
            wide = np.asarray(upright, dtype=np.float64)
            gray = np.clip(wide / 257.0 if wide.max() > 255 else wide, 0, 255)
            return Image.fromarray(gray.round().astype(np.uint8)).convert("RGB")
        if upright.mode == "F":
            return Image.fromarray(np.clip(np.nan_to_num(np.asarray(upright)), 0, 255).astype(np.uint8)).convert("RGB")
        if "A" in upright.getbands() or "transparency" in upright.info:
            layer = upright.convert("RGBA")
            white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
            return Image.alpha_composite(white, layer).convert("RGB")
        return upright.convert("RGB")


def resize_square(image: Image.Image, size_px: int) -> np.ndarray:
    """uint8 (size_px, size_px, 3). The whole picture is used: a long side is squeezed, nothing is cut off or padded."""
    return np.asarray(image.resize((size_px, size_px), Image.Resampling.BILINEAR), dtype=np.uint8)


def load_image(source: str | Path | IO[bytes], size_px: int) -> np.ndarray:
    """uint8 (size_px, size_px, 3), as the model takes it."""
    return resize_square(open_rgb(source), size_px)


class Classifier:
    """A delivered `model.onnx`, a file or its bytes: pictures in, probabilities out.

    `labels`: class names in the order of the probabilities. `size_px`: side of the square that the model was
    trained on.
    """

    def __init__(self, model: Path | bytes, n_threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.labels: tuple[str, ...] = tuple(metadata["labels"].split("\n"))
        self.size_px = int(metadata["image_size_px"])
        self._input: str = self._session.get_inputs()[0].name

    def predict_arrays(self, images: np.ndarray) -> np.ndarray:
        """float32 (batch, n_classes), rows sum to 1, for `images`: (batch, height, width, 3), 0-255."""
        probabilities: np.ndarray = self._session.run(None, {self._input: images.astype(np.float32)})[0]
        return probabilities

    def predict(self, source: str | Path | IO[bytes]) -> np.ndarray:
        """float32 (n_classes,) for one picture file."""
        probabilities: np.ndarray = self.predict_arrays(load_image(source, self.size_px)[np.newaxis])[0]
        return probabilities


class Answering(Protocol):
    """A classifier of any runtime: each of the delivered programs has one."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def predict(self, source: str | Path) -> np.ndarray: ...


def in_words(labels: Sequence[str], probabilities: np.ndarray) -> str:
    """The three likeliest classes: "rose 97.1%, tulip 2.0%, daisy 0.9%"."""
    return ", ".join(f"{labels[i]} {probabilities[i]:.1%}" for i in np.argsort(-probabilities)[:3])


def answer(classifier: Answering, paths: Sequence[str | Path]) -> int:
    """Prints a line for each picture. Returns 1 if one of them could not be read, else 0."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not have the letters of a class name
    n_failed = 0
    for path in paths:
        try:
            probabilities = classifier.predict(path)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            n_failed += 1
            sys.stderr.write(f"{path}: not a readable picture ({error})\n")
            continue
        sys.stdout.write(f"{path}: {in_words(classifier.labels, probabilities)}\n")
    return 1 if n_failed else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Says what is in a picture.")
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    parser.add_argument("--model", type=Path, default=Path(__file__).resolve().parent / "model.onnx")
    options = parser.parse_args(arguments)
    return answer(Classifier(options.model), options.images)


if __name__ == "__main__":
    sys.exit(main())

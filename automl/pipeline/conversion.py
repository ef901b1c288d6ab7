"""A delivered model in the formats of other runtimes, each proven on the photos that it was made from."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl.errors import BadBundle, BadDataset
from automl.records import DatasetManifest, ImageRecord
from automl.results.bundle import unpack_bundle
from automl.results.formats import N_CALIBRATION, FormatWriter
from automl.results.proof import Proof, Reference, prove
from automl.serving.formats import find_format
from automl.serving.predict import Classifier, load_image

_SCRIPT = "predict.py"


@dataclass(frozen=True, slots=True)
class Converted:
    """One format and what came of its proof."""

    path: Path
    proof: Proof


def convert(
    bundle: Path, manifest: DatasetManifest, names: Sequence[str], target: Path, say: Callable[[str], object]
) -> Iterator[Converted]:
    """Writes each of the formats `names` into `target`, with the program that uses it, and proves it.

    manifest: the photos that the model was trained with; those of its test prove the formats, where the bundle tells
    which they were, else all of them.

    Raises:
        BadBundle: not a finished model of ours.
        BadDataset: none of the photos is of this model's training and test.
    """
    target.mkdir(parents=True, exist_ok=True)
    with _members(bundle):
        onnx, keras, _ = unpack_bundle(bundle, target, ["model.onnx", "model.keras", _SCRIPT])
        classifier = Classifier(onnx)
        learned, tested = _parts(bundle, manifest)
    reference = _reference(classifier, tested)
    some = learned[:: max(1, len(learned) // N_CALIBRATION)][:N_CALIBRATION]
    pixels = np.stack([load_image(image.path, classifier.size_px) for image in some])
    say("Loading the model")
    writer = FormatWriter(keras, classifier.labels, classifier.size_px, pixels, target)
    for name in names:
        one = find_format(name)
        say(f"Writing {one.title}")
        path = target / one.file_name if one.is_made_at_once else writer.write(name)
        (target / one.runtime.readme_name).write_text(one.runtime.readme(one.file_name), encoding="utf-8")
        if one.runtime.script != _SCRIPT:
            (target / one.runtime.script).write_text(one.runtime.delivered_script(), encoding="utf-8")
        say(f"Proving {one.title} on {len(tested):,} photos")
        yield Converted(path, prove(one, path, reference))
    if "keras" not in names:
        keras.unlink()  # it was there to be converted from


@contextmanager
def _members(bundle: Path) -> Iterator[None]:
    """What is missing in a .zip means that it is not a finished download."""
    try:
        yield
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise BadBundle(f"{bundle} is not a finished model that Darkroom made ({error}).") from error


def _parts(bundle: Path, manifest: DatasetManifest) -> tuple[list[ImageRecord], list[ImageRecord]]:
    """The photos that were learned from and those of the test."""
    with zipfile.ZipFile(bundle) as archive:
        classes = set(json.loads(archive.read("metrics.json"))["classes"])
        rows = list(csv.DictReader(io.StringIO(archive.read("photos.csv").decode())))
    part = {row["sha256"]: row["part"] for row in rows}
    known = [image for image in manifest.images if image.label in classes]
    learned = [image for image in known if part.get(image.sha256) == "learn"]
    tested = [image for image in known if part.get(image.sha256) == "test"]
    if not learned or not tested:
        raise BadDataset("These are not the photos that the model was trained with. Give the same folder or archive.")
    return learned, tested


def _reference(classifier: Classifier, tested: Sequence[ImageRecord]) -> Reference:
    truth = np.array([classifier.labels.index(image.label) for image in tested])
    probabilities = np.stack([classifier.predict(image.path) for image in tested])
    return Reference(classifier.labels, tuple(image.path for image in tested), truth, probabilities)

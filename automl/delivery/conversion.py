"""A delivered model in the formats of other runtimes, each proven on the photos that it was made from."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from automl.delivery.bundle import read_bundle_report, unpack_bundle
from automl.delivery.format_writer import N_CALIBRATION, FormatWriter
from automl.delivery.proof import Reference, prove
from automl.errors import BadBundle, BadDataset
from automl.formats import Format, find_format
from automl.processors import onnx_threads
from automl.records import DatasetManifest, ImageRecord, PhotoUse, Proof
from automl.serving.predict import Classifier, load_image
from automl.serving.sound_zip import sound_zip
from automl.text.messages import delivery as delivery_messages

_SCRIPT = "predict.py"
MOST_COMPARED = 200


@dataclass(frozen=True, slots=True)
class Converted:
    """A model in one format.

    Attributes:
        path: its file or folder.
        proof: what came of its proof.
    """

    path: Path
    proof: Proof


class Conversion:
    """One finished download, which is unpacked, written in other formats and proven.

    Args:
        bundle: the download.
        manifest: the photos that the model was trained with. Those of its test prove the formats; some of those that it
            learned from, where there was no test set.
        target: the folder for all files, which is made.

    Attributes:
        keras: the unpacked `model.keras`, from which the other formats are written.

    Raises:
        BadBundle: it is not a finished model that Darkroom made.
        BadDataset: the photos are not those of this model's training and test.
    """

    def __init__(self, bundle: Path, manifest: DatasetManifest, target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        with _members(bundle):
            onnx, self.keras, _ = unpack_bundle(bundle, target, ["model.onnx", "model.keras", _SCRIPT])
            self._classifier = Classifier(onnx, onnx_threads())
            self._learned, tested = _parts(bundle, manifest)
        # Without a test set the model has learned from every photo; that a format answers alike can be seen on these.
        self._is_unseen = bool(tested)
        self._tested = tested or _spread(self._learned, MOST_COMPARED)
        self._target = target

    @property
    def n_tested(self) -> int:
        """The number of photos that prove a format."""
        return len(self._tested)

    def write(self, one: Format) -> Path:
        """Writes the model in one format. Returns its file or folder.

        The first format that does not come with the model loads TensorFlow.

        Raises:
            DiskFull: there is no room; nothing half-written is left.
        """
        return self._target / one.file_name if one.is_made_at_once else self._writer.write(one.name)

    def prove(self, one: Format, path: Path) -> Proof:
        """Proves a written format with the test photos; see `proof.prove`."""
        return prove(one, path, self._reference)

    @cached_property
    def _writer(self) -> FormatWriter:
        some = _spread(self._learned, N_CALIBRATION)
        classifier = self._classifier
        pixels = np.stack([load_image(image.path, classifier.size_px, classifier.rules) for image in some])
        return FormatWriter(
            self.keras,
            labels=classifier.labels,
            size_px=classifier.size_px,
            contract=classifier.contract,
            calibration=pixels,
            target=self._target,
        )

    @cached_property
    def _reference(self) -> Reference:
        """What the delivered model says of the photos that prove a format."""
        labels = self._classifier.labels
        truth = np.array([labels.index(image.label) for image in self._tested])
        probabilities = np.stack([self._classifier.predict(image.path) for image in self._tested])
        photos = tuple(image.path for image in self._tested)
        return Reference(
            classes=labels,
            photos=photos,
            truth=truth if self._is_unseen else None,
            probabilities=probabilities,
        )


def convert(
    bundle: Path, manifest: DatasetManifest, *, names: Sequence[str], target: Path, say: Callable[[str], object]
) -> Iterator[Converted]:
    """Writes a model in other formats, each with the program that uses it, and proves each of them.

    Args:
        bundle: the finished download of a run.
        manifest: the photos that the model was trained with.
        names: the formats.
        target: the folder for the files.
        say: takes a line of text at each step.

    Raises:
        BadBundle, BadDataset: see `Conversion`.
    """
    model = Conversion(bundle, manifest, target)
    for name in names:
        one = find_format(name)
        say(delivery_messages.WRITING_FORMAT.format(title=one.title))
        path = model.write(one)
        (target / one.runtime.requirements_name).write_text(one.runtime.requirements(), encoding="utf-8")
        (target / one.runtime.readme_name).write_text(one.runtime.readme(one.file_name), encoding="utf-8")
        if one.runtime.script != _SCRIPT:
            (target / one.runtime.script).write_text(one.runtime.delivered_script(), encoding="utf-8")
        say(delivery_messages.TESTING_FORMAT.format(n=model.n_tested, title=one.title))
        yield Converted(path, model.prove(one, path))
    if "keras" not in names:
        model.keras.unlink()  # it was there to be converted from


def _spread(images: list[ImageRecord], n: int) -> list[ImageRecord]:
    """At most `n` of them, evenly spread."""
    return images[:: max(1, len(images) // n)][:n]


@contextmanager
def _members(bundle: Path) -> Iterator[None]:
    """Inside, a member that is missing or cannot be read means that the .zip is not a finished download."""
    try:
        yield
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise BadBundle(delivery_messages.NO_FINISHED_MODEL.format(bundle=bundle, error=error)) from error


def _parts(bundle: Path, manifest: DatasetManifest) -> tuple[list[ImageRecord], list[ImageRecord]]:
    """The photos that were learned from and those of the test; none of the latter where the run had no test set."""
    classes = set(read_bundle_report(bundle).classes)
    with sound_zip(bundle) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("photos.csv").decode())))
    known = [image for image in manifest.images if image.label in classes]
    learned = _images_of(rows, (PhotoUse.LEARNED, PhotoUse.LEARNED_AND_TESTED), known)
    tested = _images_of(rows, (PhotoUse.TESTED,), known)
    has_test_set = any(row["part"] == PhotoUse.TESTED for row in rows)
    if not learned or (has_test_set and not tested):
        raise BadDataset(delivery_messages.OTHER_PHOTOS)
    return learned, tested


def _images_of(
    rows: Sequence[Mapping[str, str]], parts: Sequence[str], known: Sequence[ImageRecord]
) -> list[ImageRecord]:
    """As many photos of each content as the parts had: further copies of them may have been left out of the run."""
    n_left = Counter(row["sha256"] for row in rows if row["part"] in parts)
    found = []
    for image in known:
        if n_left[image.sha256]:
            n_left[image.sha256] -= 1
            found.append(image)
    return found

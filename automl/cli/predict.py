"""`automl predict`: says what a delivered model sees in photos."""

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from automl.cli.commands import Subparsers
from automl.errors import BadImage
from automl.file_faults import fault_in_words, is_folder
from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.orders import Show, Shown
from automl.images.decoding.pool import Decoders
from automl.serving.answer_table import answered_row, header, refused_row, sure_in_words
from automl.serving.predict import Classifier, first_of, in_words, is_foreign
from automl.settings import Settings
from automl.text.messages import command_line as cli_messages
from automl.text.messages import files as file_messages
from automl.text.messages import pieces
from automl.text.upload_names import is_junk


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model says of one photo.

    Attributes:
        probabilities: float32 (classes,).
        is_foreign: whether it looks like nothing that the model has learned; None where the model cannot tell.
    """

    probabilities: np.ndarray
    is_foreign: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """A delivered model and how its answers are to be taken.

    Attributes:
        classifier: the model.
        threshold: the least confidence that counts as sure, 0-1; None where the model has none.
        decoders: what opens the photos.
    """

    classifier: Classifier
    threshold: float | None
    decoders: Decoders

    def ask(self, path: Path) -> Answered | str:
        """The answer, or the reason why the file cannot be read."""
        if "\0" in str(path):
            return file_messages.IMPOSSIBLE_NAME
        answer = self.decoders.answer(
            Show(photo=path.absolute(), size_px=self.classifier.size_px, rules=self.classifier.rules)
        )
        if isinstance(answer, OSError):
            return fault_in_words(answer)
        if isinstance(answer, BadImage):
            return answer.message
        assert isinstance(answer, Shown)
        probabilities, distance = first_of(*self.classifier.ask_arrays(answer.square[np.newaxis]))
        foreign = self.classifier.foreign
        return Answered(probabilities, None if foreign is None else is_foreign(distance, foreign))

    def sentence(self, path: Path, asked: Answered) -> str:
        """The answer, which names a photo, for people."""
        answer = in_words(self.classifier.labels, asked.probabilities)
        is_unsure = sure_in_words(float(asked.probabilities.max()), self.threshold) == "no"
        words = cli_messages.ANSWER_UNSURE if is_unsure else cli_messages.ANSWER
        return (cli_messages.ANSWER_FOREIGN if asked.is_foreign else words).format(photo=path, answer=answer)

    def row(self, path: Path, asked: Answered | str) -> list[str]:
        """The answer as a row of the table that `--csv` writes."""
        labels = self.classifier.labels
        if isinstance(asked, str):
            return refused_row(str(path), labels, asked)
        return answered_row(
            str(path), labels, asked.probabilities, threshold=self.threshold, is_foreign=asked.is_foreign
        )


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("predict", help=cli_messages.PREDICT_HELP)
    parser.add_argument("model", type=Path, metavar="MODEL.zip")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help=cli_messages.PHOTOS_HELP)
    parser.add_argument("--csv", type=Path, metavar="FILE", help=cli_messages.TABLE_HELP)
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Exit code 2: one of the photos could not be read."""
    from automl.delivery.bundle import read_bundle_report, read_sure, unpack_bundle
    from automl.records.report import RunReport

    with tempfile.TemporaryDirectory() as scratch:
        (model,) = unpack_bundle(options.model, Path(scratch), ["model.onnx"])
        report = read_bundle_report(options.model)
        calibration = report.calibration if isinstance(report, RunReport) else None
        sure = read_sure(options.model)  # downloads of earlier versions say it in their report only
        predictor = Predictor(
            classifier=Classifier(model),
            threshold=calibration.threshold if sure is None and calibration else sure,
            decoders=Decoders(DecodingLimits(max_image_bytes=settings.max_image_bytes)),
        )
        images = [path for given in options.images for path in _photos_in(given)]
        if options.csv is not None:
            return _write_table(predictor, images, target=options.csv, console=console)
        return max([_say(predictor, path, console) for path in images], default=0)


def _photos_in(given: Path) -> Iterator[Path]:
    """The files of a folder and of all folders in it, sorted; a file is itself."""
    if not is_folder(given):
        yield given
        return
    for path in sorted(given.rglob("*")):
        if path.is_file() and not is_junk(path.relative_to(given).as_posix()):
            yield path


def _write_table(predictor: Predictor, images: Sequence[Path], *, target: Path, console: Console) -> int:
    """One row a photo: the answer, how sure it is, and every probability; what is no photo has an error instead."""
    n_failed = 0
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header(predictor.classifier.labels))
        for path in images:
            asked = predictor.ask(path)
            n_failed += isinstance(asked, str)
            writer.writerow(predictor.row(path, asked))
    answered = pieces.PHOTOS.format(n=len(images) - n_failed)
    console.print(cli_messages.TABLE_WRITTEN.format(answered=answered, n_failed=n_failed), markup=False)
    sys.stdout.write(f"{target}\n")
    return 2 if n_failed else 0


def _say(predictor: Predictor, path: Path, console: Console) -> int:
    asked = predictor.ask(path)
    if isinstance(asked, str):
        console.print(cli_messages.PHOTO_NOT_READ.format(photo=path, reason=asked), style="red", markup=False)
        return 2
    sys.stdout.write(f"{predictor.sentence(path, asked)}\n")
    return 0

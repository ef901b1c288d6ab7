"""Proves a delivered file: a clean process without this project loads it again and scores the whole test set.

Where there was no test set, it must give the same answers as the model itself to photos that both have learned from:
how many of these are right says nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from automl.delivery import prover_script
from automl.formats import ONNX_RUNTIME, Format, size_of
from automl.processors import n_processors
from automl.records import Proof
from automl.text.messages import delivery as delivery_messages

_log = structlog.stdlib.get_logger(__name__)

_TIMEOUT_S = 3600.0
_LAST_WORDS = 2_000
_LARGEST_SUM_ERROR = 0.05
_SAME_PROBABILITY = 0.001
"""Probabilities that were computed in whole numbers add up to 1 within a few steps of 1/256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the delivered model says of some photos.

    Attributes:
        classes: the class names in the order of the probabilities.
        photos: the original files.
        truth: int (n,), the class of each test photo, an index into `classes`; None where the model has learned from
            them.
        probabilities: float32 (n, n_classes).
    """

    classes: tuple[str, ...]
    photos: tuple[Path, ...]
    truth: np.ndarray | None
    probabilities: np.ndarray


def prove(one: Format, model: Path, reference: Reference, *, python: str | Path = sys.executable) -> Proof:
    """Proves a model by running `prover_script.py` on it.

    A model that cannot be loaded, or does not answer, is a proof that failed; it is never an exception.

    Args:
        one: the format of the model.
        model: its file or folder.
        reference: what it has to say of the photos.
        python: an interpreter that has the format's runtime, NumPy and Pillow.
    """
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        try:
            answers = _run(one, model, photos=reference.photos, folder=Path(folder), python=python)
        except _NotProven as error:
            _log.warning("a format could not be proven", format=one.name, last_words=str(error))
            return _failed(one, model, delivery_messages.NOT_LOADED)
    fault = _fault(answers, reference)
    if fault:
        _log.warning("a format is not what it should be", format=one.name, fault=fault)
        return _failed(one, model, fault)
    return _compared(one, model, answers=answers, reference=reference)


def _failed(one: Format, model: Path, words: str) -> Proof:
    return Proof(format=one.name, n_bytes=size_of(model), is_true=False, words=words)


def _compared(one: Format, model: Path, *, answers: "_Answers", reference: Reference) -> Proof:
    said, expected = answers.probabilities.argmax(axis=1), reference.probabilities.argmax(axis=1)
    n, n_same = len(expected), int((said == expected).sum())
    largest = float(np.abs(answers.probabilities - reference.probabilities).max())
    # Counted in photos: the difference of two rounded shares could miss the bound by a hair.
    if reference.truth is None:
        n_correct, is_true = None, n - n_same <= one.tolerance * n
        words = _words_on_agreement(n_same, n=n, largest=largest, is_true=is_true)
    else:
        n_correct, n_expected = (int((answer == reference.truth).sum()) for answer in (said, expected))
        is_true = abs(n_correct - n_expected) <= one.tolerance * n
        words = _words(n_correct, n_expected=n_expected, n=n, largest=largest, is_true=is_true)
    return Proof(
        format=one.name,
        n_bytes=size_of(model),
        is_true=is_true,
        words=words,
        accuracy=None if n_correct is None else n_correct / n,
        agreement=n_same / n,
        largest_difference=largest,
        latency_s=answers.latency_s,
        load_s=answers.load_s,
    )


class _NotProven(Exception):
    """The process failed; the message is the end of what it wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """What the script says of the model.

    Attributes:
        labels: the class names that the model carries.
        probabilities: float32 (n, n_classes).
        load_s: see `Proof`.
        latency_s: see `Proof`.
        strangers: modules of this project that were loaded; there must be none.
    """

    labels: tuple[str, ...]
    probabilities: np.ndarray
    load_s: float
    latency_s: float
    strangers: tuple[str, ...]

    @classmethod
    def read(cls, report: Path, probabilities: Path) -> "_Answers":
        """Reads the two files that the script writes."""
        values = json.loads(report.read_text(encoding="utf-8"))
        return cls(
            labels=tuple(values["labels"]),
            probabilities=np.load(probabilities),
            load_s=float(values["load_s"]),
            latency_s=float(values["latency_s"]),
            strangers=tuple(values["strangers"]),
        )


def _run(one: Format, model: Path, *, photos: Sequence[Path], folder: Path, python: str | Path) -> _Answers:
    """Runs the script in `folder`."""
    for runtime in {ONNX_RUNTIME, one.runtime}:  # every script needs predict.py beside it
        (folder / runtime.script).write_text(runtime.delivered_script(), encoding="utf-8")
    report, probabilities = folder / "report.json", folder / "probabilities.npy"
    job = {
        "scripts": str(folder),
        "script": Path(one.runtime.script).stem,
        "project": "automl",
        "model": str(model.resolve()),
        "photos": [str(photo.resolve()) for photo in photos],
        "probabilities": str(probabilities),
        "report": str(report),
        "n_threads": n_processors(),
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = [str(python), "-I", str(Path(prover_script.__file__).resolve()), str(folder / "job.json")]
    # Proven on the CPU, which everybody has; TensorFlow would else take the whole of a GPU that a run may be using.
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise _NotProven(f"no answer in {_TIMEOUT_S:.0f} s") from error
    if done.returncode:
        raise _NotProven(done.stderr.decode(errors="replace")[-_LAST_WORDS:] or f"exit status {done.returncode}")
    return _Answers.read(report, probabilities)


def _fault(answers: _Answers, reference: Reference) -> str:
    """Why the answers cannot be compared with the reference at all; empty if they can."""
    probabilities = answers.probabilities
    if answers.strangers:
        return delivery_messages.LOADED_WITH_DARKROOM
    if answers.labels != reference.classes:
        return delivery_messages.OTHER_LABELS
    if probabilities.shape != reference.probabilities.shape or not np.isfinite(probabilities).all():
        return delivery_messages.NO_PROBABILITIES
    if np.abs(probabilities.sum(axis=1) - 1).max() > _LARGEST_SUM_ERROR:
        return delivery_messages.PROBABILITIES_DO_NOT_ADD_UP
    return ""


def _words_on_agreement(n_same: int, *, n: int, largest: float, is_true: bool) -> str:
    """The sentence on a model that was compared with the reference on photos that both have learned from."""
    if not is_true:
        sentence = delivery_messages.OTHER_ANSWERS
    elif n_same == n:
        sentence = (
            delivery_messages.SAME_ANSWERS if largest < _SAME_PROBABILITY else delivery_messages.SAME_ANSWERS_NEARLY
        )
    else:
        sentence = delivery_messages.ABOUT_THE_SAME_ANSWERS
    return sentence.format(n_same=n_same, n=n, largest=largest)


def _words(n_correct: int, *, n_expected: int, n: int, largest: float, is_true: bool) -> str:
    """The sentence on a model that was compared with the reference."""
    if not is_true:
        n_off = abs(n_correct - n_expected)
        sentence = delivery_messages.FEWER_RIGHT if n_correct < n_expected else delivery_messages.MORE_RIGHT
        return sentence.format(n_right=n_correct, n=n, n_off=n_off, points=100 * n_off / n)
    if n_correct == n_expected:
        same, near = delivery_messages.SAME_MODEL, delivery_messages.SAME_COUNT
    else:
        same, near = delivery_messages.SAME_PROBABILITIES, delivery_messages.ABOUT_THE_SAME
    sentence = same if largest < _SAME_PROBABILITY else near
    return sentence.format(n_right=n_correct, n=n, n_expected=n_expected, largest=largest)

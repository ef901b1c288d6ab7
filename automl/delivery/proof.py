"""Proves a delivered file: loaded again in a clean process, without this project, it scores the whole test set."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from automl.delivery import prover_script
from automl.formats import ONNX_RUNTIME, Format, size_of

_log = structlog.stdlib.get_logger(__name__)

_TIMEOUT_S = 3600.0
_LAST_WORDS = 2_000
_LARGEST_SUM_ERROR = 0.05
"""Of whole numbers a row of probabilities adds up to 1 within a few steps of 1/256."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the delivered model says of the test photos.

    `photos`: the original files. `truth`: int (n,), index into `classes`. `probabilities`: float32 (n, n_classes).
    """

    classes: tuple[str, ...]
    photos: tuple[Path, ...]
    truth: np.ndarray
    probabilities: np.ndarray

    @property
    def n_correct(self) -> int:
        return int((self.probabilities.argmax(axis=1) == self.truth).sum())


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one format. `words`: for the tick box and the report.

    `is_true`: it may be handed out as the same model. None: it could not be loaded again. `largest_difference`: of any
    probability from the reference. `latency_s`: one photo, decoded already, on this machine's CPU.
    """

    format: str
    n_bytes: int
    is_true: bool
    words: str
    accuracy: float | None = None
    largest_difference: float | None = None
    latency_s: float | None = None
    load_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def prove(one: Format, model: Path, reference: Reference, python: str | Path = sys.executable) -> Proof:
    """Runs `prover_script.py` on `model`. `python`: one that has the format's runtime, NumPy and Pillow.

    A model that cannot be loaded, or does not answer, is a proof that failed; it is never an exception.
    """
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        try:
            told, probabilities = _run(one, model, reference.photos, Path(folder), python)
        except _NotProven as error:
            _log.warning("a format could not be proven", format=one.name, last_words=str(error))
            return Proof(one.name, size_of(model), False, "It could not be loaded again, so do not rely on it.")
    fault = _fault(told, probabilities, reference)
    if fault:
        _log.warning("a format is not what it should be", format=one.name, fault=fault)
        return Proof(one.name, size_of(model), False, fault)
    n, n_correct = len(reference.truth), int((probabilities.argmax(axis=1) == reference.truth).sum())
    # Counted in photos: the difference of two rounded shares could miss the bound by a hair.
    is_true = abs(n_correct - reference.n_correct) <= one.tolerance * n
    largest = float(np.abs(probabilities - reference.probabilities).max())
    return Proof(
        one.name,
        size_of(model),
        is_true,
        _words(n_correct, reference.n_correct, n, largest, is_true),
        n_correct / n,
        largest,
        float(told["latency_s"]),
        float(told["load_s"]),
    )


class _NotProven(Exception):
    """The process's last words."""


def _run(
    one: Format, model: Path, photos: Sequence[Path], folder: Path, python: str | Path
) -> tuple[dict[str, Any], np.ndarray]:
    """What the script tells, and float32 (n, n_classes)."""
    for runtime in {ONNX_RUNTIME, one.runtime}:  # every script needs predict.py beside it
        (folder / runtime.script).write_text(runtime.delivered_script(), encoding="utf-8")
    told, probabilities = folder / "told.json", folder / "probabilities.npy"
    job = {
        "scripts": str(folder),
        "script": Path(one.runtime.script).stem,
        "project": "automl",
        "model": str(model.resolve()),
        "photos": [str(photo.resolve()) for photo in photos],
        "probabilities": str(probabilities),
        "told": str(told),
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
    return json.loads(told.read_text(encoding="utf-8")), np.load(probabilities)


def _fault(told: dict[str, Any], probabilities: np.ndarray, reference: Reference) -> str:
    """Why the answers cannot be compared with the reference at all; empty if they can."""
    if told["strangers"]:
        return "It was not loaded without Darkroom, so nothing is proven."
    if tuple(told["labels"]) != reference.classes:
        return "Its labels are not those of the model."
    if probabilities.shape != reference.probabilities.shape or not np.isfinite(probabilities).all():
        return "Its answers are not probabilities."
    if np.abs(probabilities.sum(axis=1) - 1).max() > _LARGEST_SUM_ERROR:
        return "Its probabilities do not add up to 1."
    return ""


def _words(n_correct: int, n_expected: int, n: int, largest: float, is_true: bool) -> str:
    right = f"Loaded again, it was right on {n_correct:,} of {n:,} test photos"
    if not is_true:
        points = 100 * abs(n_correct - n_expected) / n
        direction = "fewer" if n_correct < n_expected else "more"
        return (
            f"{right}: {abs(n_correct - n_expected):,} {direction} than the model itself ({points:.1f} percentage "
            "points), so it is not quite the same model."
        )
    same = "as many as the model itself" if n_correct == n_expected else f"the model itself on {n_expected:,}"
    most = "its probabilities are the same" if largest < 0.001 else f"a probability differs by {largest:.3f} at most"
    return f"{right}, {same}; {most}."

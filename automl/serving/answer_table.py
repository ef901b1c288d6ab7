"""The answers of a model on many photos, as rows of a CSV table: one writer for the command line and the web."""

from collections.abc import Sequence

import numpy as np


def header(labels: Sequence[str]) -> list[str]:
    """`answer` and `confidence` are of the likeliest class; then every class has its probability, 0-1."""
    return ["photo", "answer", "confidence", *labels, "error"]


def answered_row(photo: str, labels: Sequence[str], probabilities: np.ndarray) -> list[str]:
    """probabilities: float (n_classes,)."""
    best = int(probabilities.argmax())
    shares = [f"{value:.6f}" for value in probabilities]
    return [photo, labels[best], shares[best], *shares, ""]


def refused_row(photo: str, labels: Sequence[str], reason: str) -> list[str]:
    """For a file that is no readable picture."""
    return [photo, "", "", *[""] * len(labels), reason]

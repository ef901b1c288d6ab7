"""The answers of a model on many photos, as rows of a CSV table: one writer for the command line and the web."""

from collections.abc import Sequence

import numpy as np

_BEFORE, _AFTER = ("photo", "answer", "confidence", "sure", "foreign"), ("error",)
_CLASS_MARK = " (class)"


def header(labels: Sequence[str], *, after_photo: Sequence[str] = ()) -> list[str]:
    """The names of the columns, each of them once; `after_photo`: more columns, behind that of the photo.

    `answer`, `confidence` and `sure` are of the likeliest class; `foreign` says whether the photo looks like nothing
    that the model has learned; then every class has its probability, 0-1. A class that is called as another column gets
    its kind behind its name: `error (class)`.
    """
    # Programs that read tables often do not tell capitals apart.
    reserved = {name.casefold() for name in (*_BEFORE, *after_photo, *_AFTER)}
    headings = list(labels)
    for place, label in enumerate(labels):
        if label.casefold() in reserved:
            headings[place] += _CLASS_MARK
            while headings.count(headings[place]) > 1:
                headings[place] += _CLASS_MARK
    photo, *before = _BEFORE
    return [photo, *after_photo, *before, *headings, *_AFTER]


def answered_row(
    photo: str,
    labels: Sequence[str],
    probabilities: np.ndarray,
    *,
    threshold: float | None,
    is_foreign: bool | None,
) -> list[str]:
    """The row of a photo.

    Args:
        photo: its name.
        labels: the class names in the order of the probabilities.
        probabilities: float (n_classes,).
        threshold: see `sure_in_words`.
        is_foreign: whether it looks like nothing that the model has learned; None where the model cannot tell.
    """
    best = int(probabilities.argmax())
    shares = [f"{value:.6f}" for value in probabilities]
    sure = sure_in_words(float(probabilities[best]), threshold)
    return [photo, labels[best], shares[best], sure, yes_or_no(is_foreign), *shares, ""]


def refused_row(photo: str, labels: Sequence[str], reason: str) -> list[str]:
    """The row of a file that is not a readable picture. reason: why it is not."""
    return [photo, "", "", "", "", *[""] * len(labels), reason]


def sure_in_words(confidence: float, threshold: float | None) -> str:
    """ "yes" or "no": whether the confidence reaches the threshold from which on an answer counts as sure.

    Empty where the model has no threshold.
    """
    return yes_or_no(None if threshold is None else confidence >= threshold)


def yes_or_no(is_so: bool | None) -> str:
    """As a table says it; empty where it is not known."""
    return "" if is_so is None else "yes" if is_so else "no"

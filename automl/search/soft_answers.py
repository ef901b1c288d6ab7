"""What a teacher says of each photo, for a smaller model to learn from (Hinton, Vinyals and Dean, arXiv:1503.02531).

A teacher that has learned from a photo says of it what it was told. So a student learns from answers of teachers that
had not seen the photo. And where a model of the student's cross-validation holds photos out, its teachers must not have
seen these either, or what they learned of them would reach the student: they are fitted anew by a cross-validation
inside the photos that this model learns from.
"""

from dataclasses import dataclass, replace

import numpy as np

from automl.models.head.logistic import fit_logistic
from automl.models.head.network import softmax
from automl.models.head.settings import Features, HeadSettings, Targets
from automl.models.head.training import OnStep

FEWEST_FOLDS = 3
"""With fewer, nothing is left to divide inside the photos that a model learns from."""


@dataclass(frozen=True, slots=True)
class SoftAnswers:
    """A teacher's answers for each model of a student's cross-validation.

    Attributes:
        logits: float32 (n_rows, n_models, n_classes), NaN where there is no answer: of a photo that the model holds
            out, and of one that every teacher has learned from.
    """

    logits: np.ndarray

    def targets(self, labels: np.ndarray, *, share: float, temperature: float) -> np.ndarray:
        """What each model is to answer for each photo: float32, the shape of `logits`, each sums up to 1.

        Args:
            labels: int (n_rows,), the classes, which are all of the target where there is no answer.
            share: of the teacher's answer in the target, 0-1; the rest is the class.
            temperature: that the teacher's logits are divided by: above 1 its doubts count for more.
        """
        one_hot = np.eye(self.logits.shape[2], dtype=np.float32)[labels][:, None]
        soft, _ = softmax(np.nan_to_num(self.logits) / np.float32(temperature))
        mixed = np.float32(1 - share) * one_hot + np.float32(share) * soft
        return np.asarray(np.where(np.isnan(self.logits), one_hot, mixed))


def held_out_answers(
    features: Features, targets: Targets, settings: HeadSettings, *, on_step: OnStep = lambda: False
) -> np.ndarray:
    """A teacher's answer to each photo by the model of its fold: float32 (n_repeats, n_rows, n_classes).

    Raises:
        TrialFailed, HeadTooLarge: see `fit_logistic`; and what `on_step` raises.
    """
    return fit_logistic(features, targets, settings, on_step=on_step).held_out_logits


def nested_answers(
    features: Features,
    targets: Targets,
    settings: HeadSettings,
    *,
    held_out: np.ndarray,
    on_step: OnStep = lambda: False,
) -> SoftAnswers:
    """Fits the teachers of every model of a student.

    Args:
        features: that the teacher sees.
        targets: classes and folds, in at least `FEWEST_FOLDS` folds, of the teacher and the student alike.
        settings: of the teacher, a regression.
        held_out: see `held_out_answers`. The delivered student, which learns from every photo, is taught by these.
        on_step: is called after each step, and may raise to end the work.

    Raises:
        TrialFailed, HeadTooLarge: see `fit_logistic`; and what `on_step` raises.
    """
    logits = np.full((features.n_rows, targets.n_models, targets.n_classes), np.nan, np.float32)
    logits[:, -1] = held_out.mean(axis=0)
    for model in range(targets.n_models - 1):
        repeat, fold = divmod(model, targets.n_folds)
        rows = np.flatnonzero(targets.folds[:, repeat] != fold)
        inner = _without(targets, rows, repeat=repeat, fold=fold)
        logits[rows, model] = held_out_answers(_SomeRows(features, rows), inner, settings, on_step=on_step)[0]
    return SoftAnswers(logits)


def _without(targets: Targets, rows: np.ndarray, *, repeat: int, fold: int) -> Targets:
    """The other folds of one repeat, numbered from 0. rows: those that are not in `fold`."""
    folds = targets.folds[rows, repeat]
    return replace(
        targets, labels=targets.labels[rows], folds=(folds - (folds > fold))[:, None], n_folds=targets.n_folds - 1
    )


class _SomeRows:
    """The features of some photos.

    Args:
        features: of all photos.
        rows: int, the photos that are left.
    """

    def __init__(self, features: Features, rows: np.ndarray) -> None:
        self._features, self._rows = features, rows

    @property
    def n_rows(self) -> int:
        return len(self._rows)

    @property
    def n_features(self) -> int:
        return self._features.n_features

    @property
    def common(self) -> float:
        return self._features.common

    def take(self, rows: np.ndarray) -> np.ndarray:
        return self._features.take(self._rows[rows])

    def take_mirrored(self, rows: np.ndarray) -> np.ndarray:
        return self._features.take_mirrored(self._rows[rows])

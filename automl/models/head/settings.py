"""What a head is trained on and how: its features, its targets and its settings."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from automl.models.head.schedule import EPOCHS_OF_1000_ROWS


class Features(Protocol):
    """The rows of features that a head is trained on; `search.joined.Joined` has these methods."""

    @property
    def n_rows(self) -> int:
        """The number of photos."""
        ...

    @property
    def n_features(self) -> int:
        """The number of features of a photo."""
        ...

    def take(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), n_features): the features of some photos, a new array; a row has about unit norm."""
        ...

    @property
    def common(self) -> float:
        """The factor of all features: the weights of a regression are penalised as if it were 1."""
        ...

    def take_mirrored(self, rows: np.ndarray) -> np.ndarray:
        """The features of the mirrored photos, in the same form."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSettings:
    """How to train a head.

    Attributes:
        dropout: the share of the inputs of each layer that is dropped, 0-1.
        learning_rate: the peak of the learning-rate schedule.
        weight_decay: the decoupled weight decay of the kernels.
        label_smoothing: the share of each target that is spread evenly over all classes, 0-1.
        lr_schedule: one of `records.LR_SCHEDULES`.
        patience: early stopping ends the training after this many epochs without a lower validation loss; None trains
            all `max_epochs`.
        max_epochs: the largest number of epochs.
        hidden_units: the widths of the layers before the last one; empty for a linear head.
        optimizer: "adamw", or "sgd" for stochastic gradient descent with Nesterov momentum; "lbfgs" for a regression
            that is solved exactly, of which only the class weighting, the smoothing and the next one have a say.
        inverse_regularisation: scikit-learn's C: by which the sum of the losses is multiplied before half of the
            squared weights is added.
        class_weighting: "none", or "balanced" to give each class the same weight in the loss.
        mirrored: whether the head also learns from the mirrored photos.
    """

    dropout: float
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    lr_schedule: str
    patience: int | None
    max_epochs: int = EPOCHS_OF_1000_ROWS
    hidden_units: tuple[int, ...] = ()
    optimizer: str = "adamw"
    inverse_regularisation: float = 100.0
    class_weighting: str = "none"
    mirrored: bool = False

    @classmethod
    def of_regression(cls, inverse_regularisation: float) -> "HeadSettings":
        """A plain regression; what only a training in epochs asks for is left at nothing."""
        return cls(
            dropout=0.0,
            learning_rate=0.0,
            weight_decay=0.0,
            label_smoothing=0.0,
            lr_schedule="constant",
            patience=None,
            optimizer="lbfgs",
            inverse_regularisation=inverse_regularisation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The classes of the photos and the folds that they are validated in; the same for every trial of a search.

    Attributes:
        labels: int (n_rows,), 0 <= label < n_classes.
        folds: int (n_rows, n_repeats), the fold that holds the row out in each repeat of the cross-validation, or -1
            for rows that are learned from in every fold.
        n_folds: the number of folds in each repeat; 1 is a plain hold-out.
        n_classes: the number of classes.
    """

    labels: np.ndarray
    folds: np.ndarray
    n_folds: int
    n_classes: int

    @property
    def n_repeats(self) -> int:
        """How many times the photos are divided into folds."""
        return int(self.folds.shape[1])

    @property
    def n_models(self) -> int:
        """The number of models that are trained side by side: one a fold and repeat, and the final one last."""
        return self.n_repeats * self.n_folds + 1

    @property
    def own_model(self) -> np.ndarray:
        """int (n_rows, n_repeats): the model that does not learn from the row; `n_models` where all of them do."""
        first_of_repeat = np.arange(self.n_repeats) * self.n_folds
        return np.where(self.folds >= 0, self.folds + first_of_repeat, self.n_models)

    @property
    def learned(self) -> np.ndarray:
        """float32 (n_rows, n_models): 1 where the model learns from the row, else 0."""
        learned = np.ones((len(self.labels), self.n_models + 1), dtype=np.float32)
        np.put_along_axis(learned, self.own_model, 0.0, axis=1)
        return learned[:, : self.n_models]

    @property
    def scored(self) -> np.ndarray:
        """bool (n_rows,): whether any fold holds the row out."""
        return np.asarray(self.folds[:, 0] >= 0)


def balanced_weights(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """float32 (n_classes,): a weight for each class, so that all classes weigh the same in the loss.

    The mean weight over the rows is 1. labels: int (n_rows,), 0 <= label < n_classes.
    """
    counts = np.bincount(labels, minlength=n_classes)
    weights = len(labels) / (max(1, (counts > 0).sum()) * np.maximum(counts, 1))
    return np.asarray(weights, dtype=np.float32)


def smoothed_targets(n_classes: int, smoothing: float) -> np.ndarray:
    """float32 (n_classes, n_classes): the target of each class, in its row. smoothing: the share that is spread."""
    one_hot = np.eye(n_classes, dtype=np.float32)
    return np.asarray(one_hot * np.float32(1 - smoothing) + np.float32(smoothing / n_classes))

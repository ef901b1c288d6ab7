"""One trial of stage 1: train a head on frozen features and score it on held-out pictures."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from automl.models.heads import HeadFit, HeadSettings, fit_head
from automl.search.frozen import FrozenFeatures
from automl.search.space import Params, backbone_names


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that could be delivered: which features, how they are scaled, and the head on them.

    `number`: of the trial that made it. `mean`, `scale`: float32 (n_features,), see `frozen.Joined`. `n_bytes`: size
    of the backbones and the head together.
    """

    number: int
    params: Params
    fit: HeadFit
    mean: np.ndarray
    scale: np.ndarray
    n_bytes: int

    @property
    def backbones(self) -> tuple[str, ...]:
        return backbone_names(self.params)

    @property
    def taps(self) -> str:
        return str(self.params["taps"])

    @property
    def image_size_px(self) -> int:
        return int(self.params["image_size_px"])

    @property
    def score(self) -> float:
        """Validation accuracy, 0-1."""
        return self.fit.accuracy

    def is_better_than(self, other: "Candidate | None") -> bool:
        """Higher accuracy wins; a tie goes to the smaller model, then to the lower loss."""
        if other is None:
            return True
        mine = (self.score, -self.n_bytes, -self.fit.loss)
        return mine > (other.score, -other.n_bytes, -other.fit.loss)

    def folded_head(self) -> tuple[np.ndarray, np.ndarray]:
        """Kernel and bias, float32, that act on raw features: the standardisation is folded in."""
        kernel = self.fit.kernel * self.scale[:, None]
        bias = self.fit.bias - self.mean @ kernel
        return kernel.astype(np.float32), bias.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Targets:
    """What every trial is scored against: int labels and folds (n_images,), see `records.SplitPlan`."""

    labels: np.ndarray
    folds: np.ndarray
    n_folds: int
    n_classes: int


def run_head_trial(
    number: int,
    params: Params,
    features: FrozenFeatures,
    targets: Targets,
    seed: int,
    on_epoch: Callable[[], None],
) -> Candidate:
    """Trains and scores one head. `on_epoch` may raise to end it."""
    joined = features.joined(params)
    settings = HeadSettings(
        dropout=float(params["dropout"]),
        learning_rate=float(params["learning_rate"]),
        weight_decay=float(params["weight_decay"]),
        label_smoothing=float(params["label_smoothing"]),
        lr_schedule=str(params["lr_schedule"]),
        patience=int(params["patience"]),
    )
    fit = fit_head(
        joined.values, targets.labels, targets.folds, targets.n_folds, targets.n_classes, settings, seed, on_epoch
    )
    n_bytes = sum(features.model_bytes(name) for name in backbone_names(params)) + fit.kernel.nbytes + fit.bias.nbytes
    return Candidate(number, params, fit, joined.mean, joined.scale, n_bytes)

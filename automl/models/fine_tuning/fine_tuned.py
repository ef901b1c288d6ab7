"""A fine-tuned backbone with its head."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl.models.backbones.building import build_backbone
from automl.models.head.network import Layer
from automl.models.head.training import Curves


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuned:
    """A fine-tuned backbone with its head, at its best epoch.

    Attributes:
        backbone: the name of the backbone.
        weights: of the backbone, in the order of `keras.Model.get_weights`.
        head: kernel (n_features, n_classes) and bias (n_classes,), float32, on raw pooled taps of the tuned backbone.
        held_out_logits: float32 (n_held_out, n_classes).
        best_epoch: the epoch with the lowest held-out loss, counted from 1; the last one where nothing was held out.
        curves: the learning curves of all epochs.
    """

    backbone: str
    weights: tuple[np.ndarray, ...]
    head: Layer
    held_out_logits: np.ndarray
    best_epoch: int
    curves: Curves

    def save_backbone(self, path: Path) -> None:
        """Writes the backbone's weights to `path`, a `.weights.h5` file.

        `build_backbone(self.backbone).load_weights(path)` reads them again.
        """
        model = build_backbone(self.backbone)
        model.set_weights(list(self.weights))
        model.save_weights(path)

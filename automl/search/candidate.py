"""A model that could be delivered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl.models.head.network import Layers
from automl.models.head.training import Curves
from automl.records import Stage
from automl.search.space import LAST_TAP, Params
from automl.serving.predict import FeatureDistance


@dataclass(frozen=True, slots=True)
class Branch:
    """One backbone of a model, at one input size.

    Attributes:
        backbone: its name in the table of backbones.
        image_size_px: side of the square picture that it takes.
        tuned: file of its fine-tuned weights; None for the pretrained ones.
    """

    backbone: str
    image_size_px: int
    tuned: Path | None = None

    @property
    def name(self) -> str:
        """Prefix of its layers in the delivered model."""
        return f"{self.backbone}_{self.image_size_px}" + ("_tuned" if self.tuned else "")


@dataclass(frozen=True, slots=True)
class BranchHead:
    """A head on one or more branches.

    Attributes:
        branches: whose taps it reads, side by side in this order.
        taps: `LAST_TAP` or `SEVERAL_TAPS`, the same for each branch.
        layers: kernel and bias of each layer; the first one takes the pooled taps, branch after branch.
        is_unit: whether each pooled tap is divided by its norm first; otherwise the first layer takes it as it is.
    """

    branches: tuple[Branch, ...]
    taps: str
    layers: Layers
    is_unit: bool = False

    def used_taps(self, n_taps: int) -> Sequence[int]:
        """Which of a backbone's `n_taps` taps it reads."""
        return [n_taps - 1] if self.taps == LAST_TAP else range(n_taps)

    @property
    def n_bytes(self) -> int:
        return sum(array.nbytes for layer in self.layers for array in layer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trained model with its held-out answers. Its probabilities are the softmax of the sum of its heads' logits.

    A candidate is known by the number of its trial, never by its parameters: two trials may have the same ones.

    Attributes:
        number: of the trial that made it.
        stage: of that trial.
        params: the values that the tuner chose; empty for an ensemble, which has none.
        parts: numbers of the trials whose logits it averages, its own included where that is one of them; empty for a
            model that is no mean.
        heads: all of its heads.
        image_size_px: side of the square picture that the delivered model takes.
        held_out_logits: float32 (n_repeats, n_rows, n_classes), NaN where no model that had not seen the row scored it.
        score: the goal's value on those rows, 0-1.
        loss: cross-entropy of those rows, in nats.
        n_bytes: size of the model file.
        latency_s: seconds for one photo on this machine's CPU.
        best_epoch: the epoch whose weights it has, from 1; 0 for a regression, which knows no epochs.
        curves: of its training; empty for a regression.
        fold_layers: of a linear head on a single backbone, its layers of each fold of each repeat on the
            same taps, see `HeadFit`.
        sure_threshold: the confidence from which on an answer counts as sure; None for a model that was not calibrated,
            or whose answers are never sure.
        distance: how far photos are from all that it learned from; None for a model that cannot tell.
    """

    number: int
    stage: Stage
    params: Params
    parts: tuple[int, ...] = ()
    heads: tuple[BranchHead, ...]
    image_size_px: int
    held_out_logits: np.ndarray
    score: float
    loss: float
    n_bytes: int
    latency_s: float
    best_epoch: int
    curves: Curves
    fold_layers: tuple[Layers, ...] = ()
    sure_threshold: float | None = None
    distance: FeatureDistance | None = None

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Each backbone that the model runs, once."""
        return tuple(dict.fromkeys(branch for head in self.heads for branch in head.branches))

    @property
    def backbones(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(branch.backbone for branch in self.branches))

    @property
    def taps(self) -> str:
        """`SEVERAL_TAPS` if any of its heads reads several taps."""
        return max(head.taps for head in self.heads)

    @property
    def n_scored(self) -> int:
        """Number of photos that the score speaks of."""
        return int(is_scored(self.held_out_logits).any(axis=0).sum())

    @property
    def is_tuned(self) -> bool:
        """Whether any of its backbones was fine-tuned."""
        return any(branch.tuned for branch in self.branches)

    def is_same_model(self, other: "Candidate") -> bool:
        """Whether both come from the same trial, and neither is a mean that the other is not."""
        return (self.number, self.parts) == (other.number, other.parts)

    @property
    def trial_numbers(self) -> tuple[int, ...]:
        """The trials that it is made of: those that it averages, or the one that made it."""
        return self.parts or (self.number,)

    @property
    def digest_params(self) -> Params:
        """What the recorded digest of a model hashes of its parameters and parts.

        The form is older than `parts`. It stays, so that the same model has the same digest in every version.
        """
        if not self.parts:
            return self.params
        if self.number in self.parts:
            return {**self.params, "averaged_with": _joined(n for n in self.parts if n != self.number)}
        return {**self.params, "members": _joined(self.parts)}


def is_scored(logits: np.ndarray) -> np.ndarray:
    """bool (n_repeats, n_rows): which rows have an answer in which repeat."""
    return np.asarray(~np.isnan(logits[:, :, 0]))


def _joined(numbers: Iterable[int]) -> str:
    return "+".join(str(number) for number in numbers)

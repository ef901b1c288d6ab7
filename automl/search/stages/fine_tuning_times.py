"""How long a fine-tuning takes: foreseen before anything was timed, then from what was measured."""

from dataclasses import dataclass
from typing import Protocol

from automl.models.fine_tuning.fine_tuner import STEPS_PER_EPOCH, FineTuner
from automl.models.fine_tuning.precision_probe import is_known
from automl.search.plan import block_seconds
from automl.search.space import Params
from automl.search.stages.folds import FineTuningFolds

# Seconds for one photo, in passes of the frozen network by ONNX Runtime: a training step by TensorFlow at each depth,
# and storing the activations at the cut. Measured on two CPU cores, see docs/benchmarks.md.
_STEP_COST = (12.0, 0.8, 1.6, 3.0, 4.0)
_STORING_COST = 10.0
_START_S = 15.0  # building the network, tracing it and the first steps
# On a GPU whose best precision is not known yet, three networks are built and compiled first. A guess so far.
_PROBE_S = 60.0


class TimedBackbones(Protocol):
    """Says how long a frozen backbone takes; `FrozenFeatures` measures it."""

    def seconds_per_image(self, backbone: str) -> float: ...


@dataclass(frozen=True, slots=True)
class FineTuningKind:
    """What decides how long a fine-tuning takes.

    Attributes:
        backbone: its name in the table of backbones.
        image_size_px: side of the square picture that it takes.
        depth: number of the cut behind which is trained; 0 for the whole network.
    """

    backbone: str
    image_size_px: int
    depth: int

    @classmethod
    def of(cls, params: Params) -> "FineTuningKind":
        """That of a trial with these parameters."""
        return cls(str(params["backbone"]), int(params["ft_image_size_px"]), int(params["depth"]))


@dataclass(frozen=True, slots=True)
class _Measured:
    """Seconds of one kind of fine-tuning.

    Attributes:
        preparation_s: storing the activations of all photos that are used, once for all folds.
        epoch_s: one epoch of one fold.
    """

    preparation_s: float
    epoch_s: float


class FineTuningTimes:
    """Predicts the seconds of a fine-tuning in all its folds. Each kind is measured once, by its first trial.

    Args:
        batch_size: photos of a training step.
    """

    def __init__(self, backbones: TimedBackbones, folds: FineTuningFolds, *, batch_size: int) -> None:
        self._backbones = backbones
        self._folds = folds
        self._batch_size = batch_size
        self._measured: dict[FineTuningKind, _Measured] = {}

    def seconds(self, kind: FineTuningKind, epochs: int) -> float:
        """Of a whole fine-tuning with so many epochs a fold, from what was measured, else from the frozen pass."""
        start_s = _START_S if is_known() else _START_S + _PROBE_S
        if kind in self._measured:
            return self.measured_s(kind, epochs) + start_s
        frozen_s = block_seconds(self._backbones.seconds_per_image(kind.backbone), kind.image_size_px, 1)
        return frozen_s * self.frozen_passes(kind.depth, epochs) + start_s

    def measured_s(self, kind: FineTuningKind, epochs: int) -> float:
        """The same without the start, of a kind that was measured."""
        measured = self._measured[kind]
        return measured.preparation_s + self._folds.n_trainings * epochs * measured.epoch_s

    def refit_s(self, kind: FineTuningKind, epochs: int) -> float:
        """Of training a measured kind once more, on every photo."""
        measured = self._measured[kind]
        # At most twice: even with two folds a model learns from half of the photos.
        share = min(self._folds.n_photos / self._folds.n_learnt, 2.0)
        return measured.preparation_s + epochs * measured.epoch_s * share + _START_S / 2

    def frozen_passes(self, depth: int, epochs: int) -> float:
        """What a fine-tuning is foreseen to cost, in passes of the frozen network over one photo."""
        storing = _STORING_COST * self._folds.n_photos if depth else 0.0
        n_of_epoch = min(self._folds.n_photos, STEPS_PER_EPOCH * self._batch_size)
        return storing + self._folds.n_trainings * epochs * _STEP_COST[depth] * n_of_epoch

    def measure(self, kind: FineTuningKind, tuner: FineTuner) -> None:
        """Measures a step, unless this kind was measured before."""
        if kind in self._measured:
            return
        folds = self._folds
        step_s, image_s = tuner.probe()
        epoch_s = tuner.steps_per_epoch(folds.n_learnt) * step_s + folds.n_held_out * image_s
        several = len(folds) > 1  # then every photo is learnt from in one of them
        preparation_s = (
            tuner.preparation_s(folds.n_photos) if several else tuner.preparation_s(folds.n_learnt, folds.n_held_out)
        )
        self._measured[kind] = _Measured(preparation_s, epoch_s)

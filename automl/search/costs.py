"""What a model costs where it is used: the size of its file and the time for one photo."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from automl.search.candidate import Branch
from automl.search.objective import Objective


class BackboneMeasures(Protocol):
    """What is known of each backbone; `FrozenFeatures` measures it."""

    def model_bytes(self, backbone: str) -> int: ...

    def latency_s(self, backbone: str, image_size_px: int) -> float: ...

    def tap_widths(self, backbone: str) -> tuple[int, ...]: ...


@dataclass(frozen=True, slots=True)
class ModelCost:
    """Size and speed of one model.

    Attributes:
        n_bytes: size of the model file.
        latency_s: seconds for one photo on this machine's CPU.
    """

    n_bytes: int
    latency_s: float


class ModelCosts:
    """Foresees size and speed of models before they are trained, and whether they keep the user's limits."""

    def __init__(self, backbones: BackboneMeasures, *, objective: Objective, n_classes: int) -> None:
        self._backbones = backbones
        self._objective = objective
        self._n_classes = n_classes

    def of(self, branches: Sequence[Branch], head_bytes: int) -> ModelCost:
        """The cost of a model that runs these branches and whose heads have so many bytes together."""
        n_bytes = head_bytes + sum(self._backbones.model_bytes(branch.backbone) for branch in branches)
        latency_s = sum(self._backbones.latency_s(branch.backbone, branch.image_size_px) for branch in branches)
        return ModelCost(n_bytes, latency_s)

    def is_allowed(self, backbones: Sequence[str], image_size_px: int) -> bool:
        """Whether a model on these backbones, with a linear head on their last taps, may be delivered.

        Without limits nothing is measured: the first model should not wait for the timing of every network.
        """
        if not self._objective.has_limits:
            return True
        n_features = sum(self._backbones.tap_widths(name)[-1] for name in backbones)
        head_bytes = 4 * n_features * self._n_classes  # float32
        branches = [Branch(name, image_size_px) for name in backbones]
        return self._objective.allows(self.of(branches, head_bytes))

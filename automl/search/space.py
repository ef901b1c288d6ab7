"""The search space as data; it drives Optuna and KerasTuner alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras_tuner
    from optuna.distributions import BaseDistribution

ParamValue = str | int | float
Params = dict[str, ParamValue]

LAST_TAP = "last"
SEVERAL_TAPS = "several"
LR_SCHEDULES = ("constant", "cosine", "one_cycle", "exponential", "reduce_on_plateau")
_MAX_FUSED = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values, without an order."""

    name: str
    values: tuple[ParamValue, ...]
    default: ParamValue

    def contains(self, value: ParamValue) -> bool:
        return value in self.values


@dataclass(frozen=True, slots=True)
class Real:
    """A number between `low` and `high`, both included; `log` for values that matter by their order of magnitude."""

    name: str
    low: float
    high: float
    default: float
    log: bool = False

    def contains(self, value: ParamValue) -> bool:
        return self.low <= float(value) <= self.high


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between `low` and `high`, both included."""

    name: str
    low: int
    high: int
    default: int

    def contains(self, value: ParamValue) -> bool:
        return self.low <= int(value) <= self.high


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The dimensions of a search, in a fixed order."""

    dimensions: tuple[Choice | Real | Whole, ...]

    def defaults(self, **fixed: ParamValue) -> Params:
        """The values an expert would start with; `fixed` replaces some."""
        return {**{dimension.name: dimension.default for dimension in self.dimensions}, **fixed}

    def contains(self, params: Params) -> bool:
        """Whether every value lies within its dimension."""
        return all(dimension.contains(params[dimension.name]) for dimension in self.dimensions)

    def to_optuna(self) -> "dict[str, BaseDistribution]":
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        distributions: dict[str, BaseDistribution] = {}
        for dimension in self.dimensions:
            match dimension:
                case Choice(name, values):
                    distributions[name] = CategoricalDistribution(values)
                case Real(name, low, high, log=log):
                    distributions[name] = FloatDistribution(low, high, log=log)
                case Whole(name, low, high):
                    distributions[name] = IntDistribution(low, high)
        return distributions

    def to_keras_tuner(self) -> "keras_tuner.HyperParameters":
        import keras_tuner

        hyperparameters = keras_tuner.HyperParameters()
        for dimension in self.dimensions:
            match dimension:
                case Choice(name, values, default):
                    hyperparameters.Choice(name, list(values), default=default, ordered=False)
                case Real(name, low, high, default, log):
                    sampling = "log" if log else "linear"
                    hyperparameters.Float(name, low, high, sampling=sampling, default=default)
                case Whole(name, low, high, default):
                    hyperparameters.Int(name, low, high, default=default)
        return hyperparameters


def fusions(backbones: Sequence[str]) -> tuple[str, ...]:
    """Each backbone alone, and two or three side by side: `"a"`, `"a+b"`; in the order of `backbones`."""
    sizes = range(1, min(len(backbones), _MAX_FUSED) + 1)
    return tuple("+".join(names) for size in sizes for names in combinations(backbones, size))


def head_space(backbones: Sequence[str], sizes_px: Sequence[int]) -> SearchSpace:
    """What stage 1 may vary: which frozen features to use, and how to train a linear head on them."""
    return SearchSpace(
        (
            Choice("backbones", fusions(backbones), backbones[0]),
            Choice("taps", (LAST_TAP, SEVERAL_TAPS), SEVERAL_TAPS),
            Choice("image_size_px", tuple(sizes_px), max(sizes_px)),
            Real("dropout", 0.0, 0.6, 0.2),
            Real("learning_rate", 3e-3, 3e-1, 3e-2, log=True),
            Real("weight_decay", 1e-4, 0.3, 1e-2, log=True),
            Real("label_smoothing", 0.0, 0.2, 0.05),
            Choice("lr_schedule", LR_SCHEDULES, "cosine"),
            Whole("patience", 3, 15, 8),
        )
    )


def backbone_names(params: dict[str, Any]) -> tuple[str, ...]:
    """The backbones that a trial's parameters name."""
    return tuple(str(params["backbones"]).split("+"))

"""The search space as data; it drives Optuna and KerasTuner alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from automl.records import LR_SCHEDULES

if TYPE_CHECKING:
    import keras_tuner
    from optuna.distributions import BaseDistribution

ParamValue = str | int | float
Params = dict[str, ParamValue]

LAST_TAP = "last"
SEVERAL_TAPS = "several"
PLAIN_VIEW = "plain"
MIRRORED_VIEW = "mirrored"
STANDARDISED = "standardised"
UNIT = "unit"
HIDDEN_UNITS = (0, 32, 64)
OPTIMIZERS = ("adamw", "sgd")
LBFGS = "lbfgs"
CLASS_WEIGHTINGS = ("none", "balanced")
PLATEAU = "reduce_on_plateau"
_FEW, _MOST_OF_MANY = 5, 3  # backbones to choose from, and side by side

_BEFORE_THERE_WAS_A_CHOICE: dict[str, ParamValue] = {"normalisation": STANDARDISED, "inverse_regularisation": 100.0}
"""What trials of earlier versions did, which do not have these parameters."""


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of a few values, without an order; `default` is where an expert would start."""

    name: str
    values: tuple[ParamValue, ...]
    default: ParamValue

    def contains(self, value: ParamValue) -> bool:
        return value in self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """A number between `low` and `high`, both included.

    Attributes:
        name: of the parameter.
        low: the smallest value.
        high: the largest value.
        default: where an expert would start.
        log: whether values matter by their order of magnitude.
    """

    name: str
    low: float
    high: float
    default: float
    log: bool = False

    def contains(self, value: ParamValue) -> bool:
        return self.low <= float(value) <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number between `low` and `high`, both included; `default` is where an expert would start."""

    name: str
    low: int
    high: int
    default: int

    def contains(self, value: ParamValue) -> bool:
        return self.low <= int(value) <= self.high


Dimension = Categorical | Real | Whole


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The dimensions of a search, in a fixed order."""

    dimensions: tuple[Dimension, ...]

    def defaults(self, **fixed: ParamValue) -> Params:
        """The values an expert would start with; `fixed` replaces some."""
        return {**{dimension.name: dimension.default for dimension in self.dimensions}, **fixed}

    def completed(self, params: Params) -> Params:
        """The parameters of a trial that an earlier version may have made, before there was a choice in some."""
        names = [dimension.name for dimension in self.dimensions]
        return {name: value for name, value in _BEFORE_THERE_WAS_A_CHOICE.items() if name in names} | params

    def is_expert_choice(self, params: Params) -> bool:
        """Whether every real number is at its default, or the recipe's: such trials teach a tuner nothing."""
        real = [dimension for dimension in self.dimensions if isinstance(dimension, Real)]
        return all(params[d.name] in (d.default, RECIPE.get(d.name)) for d in real)

    def contains(self, params: Params) -> bool:
        """Whether every value lies within its dimension."""
        return all(dimension.contains(params[dimension.name]) for dimension in self.dimensions)

    def to_optuna(self) -> "dict[str, BaseDistribution]":
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        distributions: dict[str, BaseDistribution] = {}
        for dimension in self.dimensions:
            match dimension:
                case Categorical(name, values):
                    distributions[name] = CategoricalDistribution(values)
                case Real(name=name, low=low, high=high, log=log):
                    distributions[name] = FloatDistribution(low, high, log=log)
                case Whole(name=name, low=low, high=high):
                    distributions[name] = IntDistribution(low, high)
        return distributions

    def to_keras_tuner(self) -> "keras_tuner.HyperParameters":
        import keras_tuner

        hyperparameters = keras_tuner.HyperParameters()
        for dimension in self.dimensions:
            match dimension:
                case Categorical(name, values, default):
                    hyperparameters.Choice(name, list(values), default=default, ordered=False)
                case Real(name=name, low=low, high=high, default=default, log=log):
                    sampling = "log" if log else "linear"
                    hyperparameters.Float(name, low, high, sampling=sampling, default=default)
                case Whole(name=name, low=low, high=high, default=default):
                    hyperparameters.Int(name, low, high, default=default)
        return hyperparameters


def fusions(backbones: Sequence[str]) -> tuple[str, ...]:
    """Each backbone alone, and several side by side: `"a"`, `"a+b"`; in the order of `backbones`.

    Of many backbones there would be hundreds of fusions, so only those of two or three are there, and that of all.
    """
    n = len(backbones)
    sizes = range(1, n + 1) if n <= _FEW else sorted({*range(1, _MOST_OF_MANY + 1), n})
    return tuple("+".join(names) for size in sizes for names in combinations(backbones, size))


def head_space(
    fused: Sequence[str],
    sizes_px: Sequence[int],
    views: Sequence[str] = (PLAIN_VIEW, MIRRORED_VIEW),
    *,
    lr_scheduler: str | None = None,
    head_layers: tuple[int, ...] | None = None,
    early_stopping: bool = True,
    may_regress: bool = True,
    fixed_epochs: Sequence[int] = (),
    aspects: Sequence[str] = (),
) -> SearchSpace:
    """What stage 1 may vary: which frozen features to use, and how to train a head on them.

    What the user has fixed is not in the space: the learning-rate schedule, the hidden layers, early stopping. Where
    the held-out photos give the delivered score, no training may look at them: then the number of epochs is a part of
    the configuration, and no schedule waits for their loss to stop falling.

    Args:
        fused: backbones and fusions of them, as `fusions` writes them; the first one is the default.
        sizes_px: input sizes to choose from; the largest one is the default.
        views: to choose from; the first one is the default.
        lr_scheduler: the user's learning-rate schedule; None to search it.
        head_layers: the user's hidden layers; None to search them.
        early_stopping: whether training ends where validation stalls; then its patience is searched.
        may_regress: whether a linear head may also be a regression that is solved exactly.
        fixed_epochs: numbers of epochs to choose from, the default first; empty where a training may end earlier.
        aspects: the one way in which photos become square, where the run chose among several.
    """
    dimensions: list[Dimension] = [
        Categorical("backbones", tuple(fused), fused[0]),
        Categorical("taps", (LAST_TAP, SEVERAL_TAPS), SEVERAL_TAPS),
        Categorical("normalisation", (STANDARDISED, UNIT), STANDARDISED),
        Categorical("image_size_px", tuple(sizes_px), max(sizes_px)),
        Categorical("views", tuple(views), views[0]),
        Real(name="dropout", low=0.0, high=0.6, default=0.2),
        Categorical("optimizer", (*OPTIMIZERS, *([LBFGS] if may_regress else [])), OPTIMIZERS[0]),
        Real(name="learning_rate", low=3e-3, high=3e-1, default=3e-2, log=True),
        Real(name="weight_decay", low=1e-4, high=0.3, default=1e-2, log=True),
        Real(name="label_smoothing", low=0.0, high=0.2, default=0.05),
        Categorical("class_weighting", CLASS_WEIGHTINGS, CLASS_WEIGHTINGS[0]),
    ]
    if may_regress:
        dimensions.append(Real(name="inverse_regularisation", low=0.1, high=1e4, default=100.0, log=True))
    if head_layers is None:
        dimensions.append(Categorical("hidden_units", HIDDEN_UNITS, HIDDEN_UNITS[0]))
    if lr_scheduler is None:
        schedules = [name for name in LR_SCHEDULES if not fixed_epochs or name != PLATEAU]
        dimensions.append(Categorical("lr_schedule", tuple(schedules), "cosine"))
    if fixed_epochs:
        dimensions.append(Categorical("epochs", tuple(fixed_epochs), fixed_epochs[0]))
    elif early_stopping:
        dimensions.append(Whole(name="patience", low=3, high=15, default=8))
    return SearchSpace((*dimensions, *aspect_dimension(aspects)))


def aspect_dimension(aspects: Sequence[str]) -> tuple[Dimension, ...]:
    """How photos become square, which is chosen once for all trials of a run; nothing where there was no choice."""
    return (Categorical("aspect", tuple(aspects), aspects[0]),) if aspects else ()


RECIPE: Mapping[str, ParamValue] = {
    "taps": LAST_TAP,
    "views": PLAIN_VIEW,
    "normalisation": UNIT,
    "optimizer": LBFGS,
    "label_smoothing": 0.0,
    "inverse_regularisation": 100.0,
}
"""A head that needs no search: logistic regression on the last layers, each divided by its norm. `bench.small_sets`."""


def is_recipe(params: Mapping[str, ParamValue]) -> bool:
    """Whether a trial is the recipe, on whichever networks. One that was taught by another model is not."""
    return "teacher" not in params and all(params.get(name) == value for name, value in RECIPE.items())


def is_unit(params: Mapping[str, ParamValue]) -> bool:
    """Whether a trial divides each tap by its norm."""
    return params.get("normalisation") == UNIT


def backbone_names(params: Mapping[str, ParamValue]) -> tuple[str, ...]:
    """The backbones that a trial's parameters name."""
    return tuple(str(params["backbones"]).split("+"))

"""Numbers and names as people read them: the same words on the pages, in the report and in the model card."""

from collections.abc import Mapping, Sequence
from typing import Any

from automl.backbone_table import BACKBONES
from automl.records import Goal, RunSettings, Sampler, TunerKind
from automl.text.durations import duration_in_words

BACKBONE_TITLES: Mapping[str, str] = {name: row.title for name, row in BACKBONES.items()}
TUNER_TITLES: Mapping[str, str] = {TunerKind.OPTUNA: "Optuna", TunerKind.KERAS_TUNER: "KerasTuner"}
SAMPLER_TITLES: Mapping[str, str] = {
    Sampler.TPE: "Parzen estimators (TPE)",
    Sampler.RANDOM: "At random",
    Sampler.CMA_ES: "Evolution strategy (CMA-ES)",
    Sampler.BAYESIAN: "Gaussian process (Bayesian)",
    Sampler.HYPERBAND: "Hyperband",
}
LR_SCHEDULE_TITLES = {
    "constant": "Constant",
    "cosine": "Cosine",
    "one_cycle": "One cycle",
    "exponential": "Exponential",
    "reduce_on_plateau": "Reduce on plateau",
}
GOAL_TITLES: Mapping[str, str] = {Goal.ACCURACY: "accuracy", Goal.BALANCED_ACCURACY: "balanced accuracy"}

_PARAM_TITLES = {
    "bn": "batch norm",
    "ema": "weight averaging (EMA)",
    "lr_decay": "learning-rate decay by depth",
    "lr_schedule": "learning-rate schedule",
    "mix": "mixing of photos",
}
_NOT_ASKED_FOR = {
    "goal": "the one that fits the photos",
    "sampler": "the tuner's default",
    "lr_scheduler": "the search chose",
    "epochs": "depends on the stage",
    "head_layers": "the search chose",
}
_SHOWN_ELSEWHERE = frozenset({"backbone", "backbones", "image_size_px", "ft_image_size_px"})


def backbones_in_words(names: Sequence[str]) -> str:
    """ "MobileNetV2 + EfficientNet-Lite0"."""
    return " + ".join(BACKBONE_TITLES.get(name, name) for name in names)


def params_in_words(params: Mapping[str, Any], parts: Sequence[int] = (), number: int | None = None) -> str:
    """What a trial was made with, beside its backbones and input size: "taps several, no hidden layer, dropout 0.2".

    Args:
        params: of the trial, by their names in the search space.
        parts: numbers of the trials that the model averages, if it is a mean.
        number: of the trial itself.
    """
    words = [_setting_in_words(name, value) for name, value in params.items() if name not in _SHOWN_ELSEWHERE]
    if number in (parts or ()):
        words.append(f"averaged with {_tries([part for part in parts if part != number])}")
    elif parts:
        words.append(mean_in_words(parts))
    return ", ".join(words)


def _setting_in_words(name: str, value: Any) -> str:
    if name == "hidden_units" and not value:
        return "no hidden layer"
    if name == "depth" and not value:
        return "all layers trained"
    return f"{param_in_words(name)} {value_in_words(value)}"


def mean_in_words(parts: Sequence[int]) -> str:
    """ "the mean of tries 5, 13" for the trials 4 and 12: people count from 1, programs from 0."""
    return f"the mean of {_tries(parts)}"


def _tries(numbers: Sequence[int]) -> str:
    """ "tries 5, 13" for the trials 4 and 12, "try 5" for the trial 4 alone."""
    return f"{'try' if len(numbers) == 1 else 'tries'} {', '.join(str(number + 1) for number in numbers)}"


def setting_in_words(name: str, settings: RunSettings) -> str:
    """What was asked for. name: of `options.RUN_OPTIONS`."""
    if name == "budget":
        return "no limit" if settings.budget_s is None else duration_in_words(settings.budget_s)
    value = getattr(settings, name)
    if value is None:
        return _NOT_ASKED_FOR.get(name, "no limit")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        none = "all that were installed" if name == "backbones" else "none"
        return ", ".join(str(BACKBONE_TITLES.get(part, part)) for part in value) or none
    for ending, unit in (("_px", "pixels"), ("_mb", "MB"), ("_ms", "ms")):
        if name.endswith(ending):
            return f"{value:g} {unit}"
    return TUNER_TITLES.get(value, SAMPLER_TITLES.get(value, str(value).replace("_", " ")))


def param_in_words(name: str) -> str:
    """ "learning rate" for `learning_rate`, "image size" for `image_size_px`; `ft_` marks those of fine-tuning."""
    name = name.removeprefix("ft_")
    return _PARAM_TITLES.get(name) or name.removesuffix("_px").removesuffix("_deg").replace("_", " ")


def value_in_words(value: Any) -> str:
    """Short, whatever a tuner chose: three significant digits, no underscores."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value).replace("_", " ")

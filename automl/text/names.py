"""Numbers and names as people read them: the same words on the pages, in the report and in the model card."""

from collections.abc import Mapping, Sequence
from typing import Any

from automl.backbone_table import BACKBONES
from automl.records import Goal, RunSettings, Sampler, Stage, TrialState, TunerKind
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
STAGE_TITLES: Mapping[str, str] = {
    Stage.HEADS: "quick training of a head on stored features",
    Stage.FINE_TUNING: "fine-tuning",
    Stage.ENSEMBLE: "blend of several models",
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
_SMALL_PX, _LARGE_PX = 128, 192
_SHOWN_ELSEWHERE = frozenset({"backbone", "backbones", "image_size_px", "ft_image_size_px"})


def counted(n: int, noun: str, plural: str = "") -> str:
    """ "1 photo", "1,200 photos"; `plural` where it is not the noun with an s."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def percent(share: float | None, n_digits: int = 1) -> str:
    """ "93.0 %" for 0.93; a dash for nothing. Never rounded up to 100 or down to 0."""
    if share is None:
        return "–"
    lowest = 10**-n_digits
    shown = round(share * 100, n_digits)
    if share < 1:
        shown = min(shown, 100 - lowest)
    if share > 0:
        shown = max(shown, lowest)
    return f"{shown:.{n_digits}f} %"


def validated(score: float) -> str:
    """ "93.0 % on validation photos" for 0.93: what is said of a model that has not been tested."""
    return f"{percent(score)} on validation photos"


def size_in_words(n_bytes: float) -> str:
    """ "12.3 MB"; decimal units, as file managers show them."""
    if n_bytes < 1000:
        return "1 byte" if n_bytes == 1 else f"{n_bytes:.0f} bytes"
    amount = float(n_bytes)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5 or unit == "GB":
            break
    return f"{amount:.0f} {unit}" if amount >= 99.5 else f"{amount:.1f} {unit}"


def backbones_in_words(names: Sequence[str]) -> str:
    """ "MobileNetV2 + EfficientNet-Lite0"."""
    return " + ".join(BACKBONE_TITLES.get(name, name) for name in names)


def tried_in_words(backbones: Sequence[str], image_size_px: int, score: float | None, state: str) -> str:
    """ "small photos (96 px), MobileNetV2 + EfficientNet-Lite0: 93.2 %", or how it ended where it has no score."""
    size = "small" if image_size_px <= _SMALL_PX else "large" if image_size_px >= _LARGE_PX else "medium-sized"
    ending = {TrialState.PRUNED: "given up early", TrialState.FAILED: "failed", TrialState.RUNNING: "running now"}
    outcome = ending.get(TrialState(state), "no score") if score is None else percent(score)
    return f"{size} photos ({image_size_px} px), {backbones_in_words(backbones)}: {outcome}"


def training_in_words(stage: str, params: Mapping[str, Any] | None = None) -> str:
    """How a trial was trained, for people who never trained a model; `params`: of the trial, where they are known."""
    if stage == Stage.HEADS:
        return "quick training"
    depth = (params or {}).get("depth")
    if stage == Stage.FINE_TUNING and depth is not None:
        return f"fine-tuning of {'the last blocks' if depth else 'the whole network'}"
    return STAGE_TITLES.get(stage, stage)


def latency_in_words(seconds: float) -> str:
    """ "8 ms" for 0.008, "0.4 ms", "1.2 s"."""
    ms = seconds * 1000
    return f"{ms / 1000:.1f} s" if ms >= 999.5 else f"{ms:.0f} ms" if ms >= 9.95 else f"{ms:.1f} ms"


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

"""Numbers and names as people read them: the filters of the templates."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Flask
from markupsafe import Markup

from automl.durations import duration_in_words
from automl.records import Goal, Sampler, Stage, TunerKind
from automl.store.database import now

BACKBONE_TITLES = {
    "mobilenet_v1": "MobileNetV1",
    "mobilenet_v2": "MobileNetV2",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "mobilenet_v3_small": "MobileNetV3 Small",
    "mobilenet_v3_large": "MobileNetV3 Large",
}

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
    Stage.HEADS: "head on stored features",
    Stage.FINE_TUNING: "fine-tuning",
    Stage.BLEND: "blend of several models",
}
GOAL_TITLES: Mapping[str, str] = {Goal.ACCURACY: "accuracy", Goal.BALANCED_ACCURACY: "balanced accuracy"}

_PARAM_TITLES = {
    "bn": "batch norm",
    "ema": "weight averaging (EMA)",
    "lr_decay": "learning-rate decay by depth",
    "lr_schedule": "learning-rate schedule",
    "mix": "mixing of photos",
}
_SHOWN_ELSEWHERE = frozenset({"backbone", "backbones", "image_size_px", "ft_image_size_px"})

_LONGEST_NAME = 100


def install(app: Flask) -> None:
    filters = (
        percent,
        size_in_words,
        duration_in_words,
        ago,
        backbones_in_words,
        params_in_words,
        latency_in_words,
        soft_breaks,
    )
    titles: dict[str, Mapping[str, str]] = {
        "tuner_title": TUNER_TITLES,
        "stage_title": STAGE_TITLES,
        "goal_title": GOAL_TITLES,
    }
    app.jinja_env.filters.update({function.__name__: function for function in filters})
    app.jinja_env.filters.update({name: _title_of(table) for name, table in titles.items()})


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


def ago(moment: datetime, at: datetime | None = None) -> str:
    """ "just now", "5 minutes ago", "3 days ago"."""
    seconds = ((at or now()) - moment).total_seconds()
    for unit, length_s in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length_s:
            n = int(seconds // length_s)
            return f"{n} {unit} ago" if n == 1 else f"{n} {unit}s ago"
    return "just now"


def backbones_in_words(names: Sequence[str]) -> str:
    """ "MobileNetV2 + EfficientNet-Lite0"."""
    return " + ".join(BACKBONE_TITLES.get(name, name) for name in names)


def latency_in_words(seconds: float) -> str:
    """ "8 ms" for 0.008, "0.4 ms", "1.2 s"."""
    ms = seconds * 1000
    return f"{ms / 1000:.1f} s" if ms >= 999.5 else f"{ms:.0f} ms" if ms >= 9.95 else f"{ms:.1f} ms"


def params_in_words(params: Mapping[str, Any]) -> str:
    """What a trial was made with, beside its backbones and input size: "taps several, no hidden layer, dropout 0.2"."""
    return ", ".join(_setting_in_words(name, value) for name, value in params.items() if name not in _SHOWN_ELSEWHERE)


def _setting_in_words(name: str, value: Any) -> str:
    if name == "hidden_units" and not value:
        return "no hidden layer"
    if name == "depth" and not value:
        return "all layers trained"
    return f"{param_in_words(name)} {value_in_words(value)}"


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


def _title_of(table: Mapping[str, str]) -> Callable[[str], str]:
    """A filter that looks a value up; what a newer version wrote stays as it is."""
    return lambda value: table.get(value, str(value))


def soft_breaks(name: str) -> Markup:
    """Lets a browser break a long class name after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def clean_name(name: str, otherwise: str) -> str:
    """One printable line of at most 100 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return line[:_LONGEST_NAME].strip() or otherwise

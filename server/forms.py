"""From what a form or a JSON body says to `RunSettings`, or to a sentence about what is wrong with it; and back."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from automl.errors import BadSetting
from automl.limits import (
    EPOCHS,
    MAX_IMAGE_SIZE_PX,
    MAX_LATENCY_MS,
    MAX_MODEL_MB,
    MAX_TRIALS,
    SEED,
    Amount,
    WholeNumber,
    check_limits,
    parse_head_layers,
)
from automl.options import RUN_OPTIONS
from automl.records import Goal, PrunerKind, RunSettings, Sampler, TunerKind
from automl.text.durations import parse_duration
from automl.text.names import BACKBONE_TITLES

_Kind = TypeVar("_Kind", bound=StrEnum)
_SWITCH = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}


MAX_ROW_ID = 2**62
"""Larger numbers in an address name no row, and a database could not even ask."""

_LAST_PAGE = 1_000_000


def row_id(number: int) -> int:
    """`number` of an address or a form as a row's, or 0, which no row has."""
    return number if 0 < number < MAX_ROW_ID else 0


def page_number(values: Mapping[str, str]) -> int:
    """`page` of a query, from 1; 1 where it is missing or no number."""
    text = values.get("page", "1")
    return min(max(1, int(text)), _LAST_PAGE) if text.isdecimal() and len(text) < 20 else 1


def run_settings(values: Mapping[str, Any], max_budget_s: int) -> RunSettings:
    """Reads the fields of `RUN_OPTIONS`, each of which may be empty or missing, as text or as JSON has it.

    `budget`: "90s", "2m", "1.5h" or minutes, or "other" where `minutes`, the free entry of the web form, says it.

    Raises:
        BadSetting: a value that cannot be used, with what is allowed.
    """
    default = RunSettings()
    size_px = _whole(values.get("max_image_size_px"), MAX_IMAGE_SIZE_PX)
    settings = RunSettings(
        budget_s=_budget(values, default.budget_s),
        goal=_one_of(Goal, values, "goal"),
        max_model_mb=_amount(values.get("max_model_mb"), MAX_MODEL_MB),
        max_latency_ms=_amount(values.get("max_latency_ms"), MAX_LATENCY_MS),
        tuner=_one_of(TunerKind, values, "tuner") or default.tuner,
        sampler=_one_of(Sampler, values, "sampler"),
        pruner=_one_of(PrunerKind, values, "pruner") or default.pruner,
        seed=_whole(values.get("seed"), SEED) or default.seed,
        max_trials=_whole(values.get("max_trials"), MAX_TRIALS),
        max_image_size_px=default.max_image_size_px if size_px is None else size_px,
        backbones=_backbones(values.get("backbones") or ()),
        early_stopping=_switch(values, "early_stopping", default.early_stopping),
        lr_scheduler=str(values.get("lr_scheduler") or "") or None,
        epochs=_whole(values.get("epochs"), EPOCHS),
        head_layers=_head_layers(values.get("head_layers")),
        fine_tuning=_switch(values, "fine_tuning", default.fine_tuning),
    )
    check_limits(settings, max_budget_s)
    return settings


def form_values(settings: RunSettings) -> dict[str, str]:
    """The fields of a form that `run_settings` reads as these settings."""
    values = settings.to_json()
    budget_s, layers = values.pop("budget_s"), values.pop("head_layers")
    texts = {name: "" if value is None else str(value) for name, value in values.items()}
    return {
        **texts,
        "budget": "" if budget_s is None else f"{budget_s}s",
        "backbones": ",".join(settings.backbones),
        "head_layers": "" if layers is None else ",".join(map(str, layers)) or "none",
        "early_stopping": "yes" if settings.early_stopping else "no",
        "fine_tuning": "yes" if settings.fine_tuning else "no",
    }


def _budget(values: Mapping[str, Any], default_s: float | None) -> float | None:
    text, minutes = values.get("budget"), values.get("minutes")
    if text == "other" and not minutes:
        raise BadSetting("Write how many minutes the search may take, or choose one of the three times.")
    if minutes and text not in (None, "", "other"):
        raise BadSetting(
            "There are two times in this form. Choose one of the three, or “My own time” with your minutes."
        )
    text = minutes or text
    return default_s if text in (None, "") else parse_duration(text)


def _one_of(kind: type[_Kind], values: Mapping[str, Any], name: str) -> _Kind | None:
    """None where nothing was chosen."""
    if (value := values.get(name)) in (None, ""):
        return None
    try:
        return kind(value)
    except ValueError:
        known = [member.value for member in kind]
        raise BadSetting(f"The {name} must be {', '.join(known[:-1])} or {known[-1]}.") from None


def _switch(values: Mapping[str, Any], name: str, default: bool) -> bool:
    if (value := values.get(name)) in (None, ""):
        return default
    try:
        return _SWITCH[str(value).strip().lower()]
    except KeyError:
        raise BadSetting(f"{RUN_OPTIONS[name].title} must be yes or no.") from None


def _whole(text: Any, limits: WholeNumber) -> int | None:
    if text is None or text == "":
        return None
    try:
        return int(str(text).strip())
    except ValueError:
        raise limits.refusal() from None


def _amount(text: Any, limits: Amount) -> float | None:
    if text is None or text == "":
        return None
    try:
        return float(str(text).strip())
    except ValueError:
        raise limits.refusal() from None


def _head_layers(value: Any) -> tuple[int, ...] | None:
    """From text, or from a JSON list of units; an empty list is a head without hidden layers."""
    if isinstance(value, list | tuple):
        return parse_head_layers(",".join(map(str, value)) or "none")
    return parse_head_layers("" if value is None else str(value))


def _backbones(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise BadSetting("Backbones must be a list of names, such as mobilenet_v2.")
    chosen = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if unknown := [name for name in chosen if name not in BACKBONE_TITLES]:
        raise BadSetting(f"There is no backbone called {unknown[0][:40]!r}. Known: {', '.join(BACKBONE_TITLES)}.")
    return chosen

"""From what a form or a JSON body says to `RunSettings`, or to a sentence about what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from automl.durations import parse_duration
from automl.errors import BadSetting
from automl.limits import MAX_IMAGE_SIZE_PX, MAX_TRIALS, SEED, WholeNumber, check_limits
from automl.records import RunSettings, TunerKind

IMAGE_SIZES_PX = (96, 128, 160, 192, 224)
"""What the start form offers."""


def run_settings(values: Mapping[str, Any], max_budget_s: int) -> RunSettings:
    """Reads budget, minutes, tuner, seed, max_trials, max_image_size_px and backbones; all but the budget may be empty.

    `budget`: "90s", "2m", "1.5h" or minutes, or "other" where `minutes`, the free entry of the web form, says it.

    Raises:
        BadSetting: a value that cannot be used, with what is allowed.
    """
    default = RunSettings()
    size_px = _whole(values.get("max_image_size_px"), MAX_IMAGE_SIZE_PX)
    settings = RunSettings(
        budget_s=_budget(values, default.budget_s),
        tuner=_tuner(values.get("tuner") or default.tuner),
        seed=_whole(values.get("seed"), SEED) or default.seed,
        max_trials=_whole(values.get("max_trials"), MAX_TRIALS),
        max_image_size_px=default.max_image_size_px if size_px is None else size_px,
        backbones=_names(values.get("backbones") or ()),
    )
    check_limits(settings, max_budget_s)
    return settings


def _budget(values: Mapping[str, Any], default_s: float) -> float:
    text, minutes = values.get("budget"), values.get("minutes")
    if text == "other" and not minutes:
        raise BadSetting("Write how many minutes the search may take, or choose one of the three times.")
    if minutes and text not in (None, "", "other"):
        raise BadSetting(
            "There are two times in this form. Choose one of the three, or “My own time” with your minutes."
        )
    text = minutes or text
    return default_s if text in (None, "") else parse_duration(text)


def _tuner(name: Any) -> TunerKind:
    try:
        return TunerKind(name)
    except ValueError:
        known = " or ".join(kind.value for kind in TunerKind)
        raise BadSetting(f"The tuner must be {known}.") from None


def _whole(text: Any, limits: WholeNumber) -> int | None:
    if text is None or text == "":
        return None
    try:
        return int(str(text).strip())
    except ValueError:
        raise limits.refusal() from None


def _names(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise BadSetting("Backbones must be a list of names, such as mobilenet_v2.")
    return tuple(name.strip() for name in names if name.strip())

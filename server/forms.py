"""From what a form or a JSON body says to `RunSettings`, or to a sentence about what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from automl.durations import duration_in_words, parse_duration
from automl.errors import BadSetting
from automl.records import RunSettings, TunerKind

IMAGE_SIZES_PX = (96, 128, 160, 192, 224)
"""What the start form offers."""

_MIN_BUDGET_S = 10
_SIZE_STEP_PX = 32
_MAX_SIZE_PX = 512
_MAX_SEED = 2**31 - 1
_MAX_TRIALS = 1_000_000


def run_settings(values: Mapping[str, Any], max_budget_s: int) -> RunSettings:
    """Reads budget, minutes, tuner, seed, max_trials, max_image_size_px and backbones; all but the budget may be empty.

    `budget`: "90s", "2m", "1.5h" or minutes, or "other" where `minutes`, the free entry of the web form, says it.

    Raises:
        BadSetting: a value that cannot be used, with what is allowed.
    """
    default = RunSettings()
    return RunSettings(
        budget_s=_budget(values, default.budget_s, max_budget_s),
        tuner=_tuner(values.get("tuner") or default.tuner),
        seed=_whole(values, "seed", 0, _MAX_SEED) or default.seed,
        max_trials=_whole(values, "max_trials", 1, _MAX_TRIALS),
        max_image_size_px=_image_size(values) or default.max_image_size_px,
        backbones=_names(values.get("backbones") or ()),
    )


def _budget(values: Mapping[str, Any], default_s: float, max_s: int) -> float:
    text, minutes = values.get("budget"), values.get("minutes")
    if text == "other" and not minutes:
        raise BadSetting("Write how many minutes the search may take, or choose one of the three times.")
    if minutes and text not in (None, "", "other"):
        raise BadSetting(
            "There are two times in this form. Choose one of the three, or “My own time” with your minutes."
        )
    text = minutes or text
    seconds = default_s if text in (None, "") else parse_duration(text)
    if not _MIN_BUDGET_S <= seconds <= max_s:
        raise BadSetting(f"The time must be between {duration_in_words(_MIN_BUDGET_S)} and {duration_in_words(max_s)}.")
    return seconds


def _tuner(name: Any) -> TunerKind:
    try:
        return TunerKind(name)
    except ValueError:
        known = " or ".join(kind.value for kind in TunerKind)
        raise BadSetting(f"The tuner must be {known}.") from None


def _whole(values: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    text = values.get(name)
    if text is None or text == "":
        return None
    try:
        number = int(str(text).strip())
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise BadSetting(f"{name.replace('_', ' ').capitalize()} must be a whole number from {low} to {high:,}.")
    return number


def _image_size(values: Mapping[str, Any]) -> int | None:
    size_px = _whole(values, "max_image_size_px", _SIZE_STEP_PX, _MAX_SIZE_PX)
    if size_px is not None and size_px % _SIZE_STEP_PX:
        raise BadSetting(f"The image size must be a multiple of {_SIZE_STEP_PX} pixels, such as 160 or 224.")
    return size_px


def _names(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise BadSetting("Backbones must be a list of names, such as mobilenet_v2.")
    return tuple(name.strip() for name in names if name.strip())

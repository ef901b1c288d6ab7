"""Numbers and names as people read them: the filters of the templates."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Flask
from markupsafe import Markup

from automl.durations import duration_in_words
from automl.store.database import now

BACKBONE_TITLES = {
    "mobilenet_v1": "MobileNetV1",
    "mobilenet_v2": "MobileNetV2",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "mobilenet_v3_small": "MobileNetV3 Small",
    "mobilenet_v3_large": "MobileNetV3 Large",
}

_LONGEST_NAME = 100


def install(app: Flask) -> None:
    filters = (
        percent,
        size_in_words,
        duration_in_words,
        ago,
        backbones_in_words,
        param_in_words,
        value_in_words,
        soft_breaks,
    )
    app.jinja_env.filters.update({function.__name__: function for function in filters})


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


def param_in_words(name: str) -> str:
    """ "learning rate" for `learning_rate`, "image size" for `image_size_px`."""
    return name.removesuffix("_px").replace("_", " ").replace("lr ", "learning-rate ")


def value_in_words(value: Any) -> str:
    """Short, whatever a tuner chose: three significant digits, no underscores."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value).replace("_", " ")


def soft_breaks(name: str) -> Markup:
    """Lets a browser break a long class name after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def clean_name(name: str, otherwise: str) -> str:
    """One printable line of at most 100 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return line[:_LONGEST_NAME].strip() or otherwise

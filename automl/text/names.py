"""Names as people read them: the same words on the pages, in the report and in the model card."""

from collections.abc import Mapping, Sequence
from typing import Any

from automl.backbone_table import BACKBONES
from automl.text.messages import options as option_messages

BACKBONE_TITLES: Mapping[str, str] = {name: row.title for name, row in BACKBONES.items()}

_PARAM_TITLES = {
    "bn": "batch norm",
    "ema": "weight averaging (EMA)",
    "lr_decay": "learning-rate decay by depth",
    "lr_schedule": "learning-rate schedule",
    "mix": "mixing of photos",
}
_SHOWN_ELSEWHERE = frozenset({"backbone", "backbones", "image_size_px", "ft_image_size_px"})


def any_of(names: Sequence[str]) -> str:
    """ "tpe, random or cma-es"."""
    return option_messages.ANY_OF.format(all_but_last=", ".join(names[:-1]), last=names[-1])


def backbones_in_words(names: Sequence[str]) -> str:
    """ "MobileNetV2 + EfficientNet-Lite0"."""
    return " + ".join(BACKBONE_TITLES.get(name, name) for name in names)


def params_in_words(params: Mapping[str, object], parts: Sequence[int] = (), number: int | None = None) -> str:
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

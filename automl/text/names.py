"""Names as people read them: the same words on the pages, in the report and in the model card."""

from collections.abc import Mapping, Sequence
from typing import Any

from automl.backbone_table import BACKBONES
from automl.text.messages import options as option_messages
from automl.text.messages import trials as trial_messages

BACKBONE_TITLES: Mapping[str, str] = {name: row.title for name, row in BACKBONES.items()}

_PARAM_TITLES = {
    "aspect": trial_messages.PHOTOS,
    "bn": trial_messages.BATCH_NORM,
    "ema": trial_messages.WEIGHT_AVERAGING,
    "inverse_regularisation": trial_messages.INVERSE_REGULARISATION,
    "lr_decay": trial_messages.LEARNING_RATE_DECAY,
    "lr_schedule": trial_messages.LEARNING_RATE_SCHEDULE,
    "mix": trial_messages.MIXING,
}
_VALUE_TITLES = {
    ("aspect", "squeeze"): trial_messages.SQUEEZED,
    ("aspect", "whole"): trial_messages.WHOLE,
    ("aspect", "crop"): trial_messages.CROPPED,
    ("normalisation", "unit"): trial_messages.UNIT,
    ("optimizer", "lbfgs"): trial_messages.REGRESSION,
}
_SHOWN_ELSEWHERE = frozenset({"backbone", "backbones", "image_size_px", "ft_image_size_px"})
_NOT_OF_A_REGRESSION = frozenset(
    {"dropout", "learning_rate", "weight_decay", "hidden_units", "lr_schedule", "patience", "epochs"}
)
_ONLY_OF_A_REGRESSION = frozenset({"inverse_regularisation"})


def any_of(names: Sequence[str]) -> str:
    """ "tpe, random or cma-es"."""
    return option_messages.ANY_OF.format(all_but_last=", ".join(names[:-1]), last=names[-1])


def backbones_in_words(names: Sequence[str]) -> str:
    """ "MobileNetV2 + EfficientNet-Lite0"."""
    return " + ".join(BACKBONE_TITLES.get(name, name) for name in names)


def params_in_words(params: Mapping[str, object], parts: Sequence[int] = (), number: int | None = None) -> str:
    """What a trial was made with, beside its backbones and input size: "taps several, no hidden layer, dropout 0.2".

    What has no say in its training is left out: a regression has no dropout, whatever the tuner has chosen.

    Args:
        params: of the trial, by their names in the search space.
        parts: numbers of the trials that the model averages, if it is a mean.
        number: of the trial itself.
    """
    without = _NOT_OF_A_REGRESSION if params.get("optimizer") == "lbfgs" else _ONLY_OF_A_REGRESSION
    left_out = _SHOWN_ELSEWHERE | without
    words = [_setting_in_words(name, value) for name, value in params.items() if name not in left_out]
    if number in (parts or ()):
        others = [part for part in parts if part != number]
        words.append(trial_messages.AVERAGED_WITH.format(n=len(others), numbers=_counted_from_1(others)))
    elif parts:
        words.append(mean_in_words(parts))
    return ", ".join(words)


def _setting_in_words(name: str, value: Any) -> str:
    if name == "hidden_units" and not value:
        return trial_messages.NO_HIDDEN_LAYER
    if name == "depth" and not value:
        return trial_messages.ALL_LAYERS_TRAINED
    words = _VALUE_TITLES.get((name, str(value))) or value_in_words(value)
    return trial_messages.SETTING.format(title=param_in_words(name), value=words)


def mean_in_words(parts: Sequence[int]) -> str:
    """ "the mean of tries 5, 13" for the trials 4 and 12: people count from 1, programs from 0."""
    return trial_messages.MEAN_OF.format(n=len(parts), numbers=_counted_from_1(parts))


def _counted_from_1(numbers: Sequence[int]) -> str:
    """ "5, 13" for the trials 4 and 12."""
    return ", ".join(str(number + 1) for number in numbers)


def param_in_words(name: str) -> str:
    """ "learning rate" for `learning_rate`, "image size" for `image_size_px`; `ft_` marks those of fine-tuning."""
    name = name.removeprefix("ft_")
    return _PARAM_TITLES.get(name) or name.removesuffix("_px").removesuffix("_deg").replace("_", " ")


def value_in_words(value: Any) -> str:
    """Short, whatever a tuner chose: three significant digits, no underscores."""
    if isinstance(value, bool):
        return trial_messages.YES if value else trial_messages.NO
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value).replace("_", " ")

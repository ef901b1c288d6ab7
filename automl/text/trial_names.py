"""How a trial was made and how it ended, for people who never trained a model."""

from collections.abc import Mapping, Sequence

from automl.records import Stage, TrialState
from automl.text.messages import trials as trial_messages
from automl.text.names import backbones_in_words
from automl.text.numbers import percent

STAGE_TITLES: Mapping[str, str] = {
    Stage.HEADS: trial_messages.HEAD_STAGE,
    Stage.FINE_TUNING: trial_messages.FINE_TUNING_STAGE,
    Stage.DISTILLATION: trial_messages.DISTILLATION_STAGE,
    Stage.ENSEMBLE: trial_messages.ENSEMBLE_STAGE,
}
_SMALL_PX, _LARGE_PX = 128, 192
"""Photos up to the first width are called small, from the second on large."""

_ENDINGS: Mapping[str, str] = {
    TrialState.PRUNED: trial_messages.GIVEN_UP_EARLY,
    TrialState.FAILED: trial_messages.FAILED,
    TrialState.RUNNING: trial_messages.RUNNING_NOW,
}
"""What is said of a trial in place of a score that it does not have."""


def tried_in_words(backbones: Sequence[str], *, image_size_px: int, score: float | None, state: str) -> str:
    """ "small photos (96 px), MobileNetV2 + EfficientNet-Lite0: 93.2 %", or how it ended where it has no score."""
    if image_size_px <= _SMALL_PX:
        tried = trial_messages.SMALL_PHOTOS
    else:
        tried = trial_messages.LARGE_PHOTOS if image_size_px >= _LARGE_PX else trial_messages.MEDIUM_PHOTOS
    outcome = _ENDINGS.get(state, trial_messages.NO_SCORE) if score is None else percent(score)
    return tried.format(n=image_size_px, backbones=backbones_in_words(backbones), outcome=outcome)


def training_in_words(stage: str, params: Mapping[str, object] | None = None) -> str:
    """How a trial was trained, in plain words. `params` are those of the trial, where they are known."""
    if stage == Stage.HEADS:
        return trial_messages.QUICK_TRAINING
    depth = (params or {}).get("depth")
    if stage == Stage.FINE_TUNING and depth is not None:
        return trial_messages.LAST_BLOCKS_TUNED if depth else trial_messages.WHOLE_NETWORK_TUNED
    return STAGE_TITLES.get(stage, stage)

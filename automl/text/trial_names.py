"""How a trial was made and how it ended, for people who never trained a model."""

from collections.abc import Mapping, Sequence

from automl.records import Stage, TrialState
from automl.text.names import backbones_in_words
from automl.text.numbers import percent

STAGE_TITLES: Mapping[str, str] = {
    Stage.HEADS: "quick training of a head on stored features",
    Stage.FINE_TUNING: "fine-tuning",
    Stage.ENSEMBLE: "blend of several models",
}
_SMALL_PX, _LARGE_PX = 128, 192
"""Photos up to the first width are called small, from the second on large."""

_ENDINGS: Mapping[str, str] = {
    TrialState.PRUNED: "given up early",
    TrialState.FAILED: "failed",
    TrialState.RUNNING: "running now",
}
"""What is said of a trial in place of a score that it does not have."""


def tried_in_words(backbones: Sequence[str], *, image_size_px: int, score: float | None, state: str) -> str:
    """ "small photos (96 px), MobileNetV2 + EfficientNet-Lite0: 93.2 %", or how it ended where it has no score."""
    size = "small" if image_size_px <= _SMALL_PX else "large" if image_size_px >= _LARGE_PX else "medium-sized"
    outcome = _ENDINGS.get(state, "no score") if score is None else percent(score)
    return f"{size} photos ({image_size_px} px), {backbones_in_words(backbones)}: {outcome}"


def training_in_words(stage: str, params: Mapping[str, object] | None = None) -> str:
    """How a trial was trained, in plain words. `params` are those of the trial, where they are known."""
    if stage == Stage.HEADS:
        return "quick training"
    depth = (params or {}).get("depth")
    if stage == Stage.FINE_TUNING and depth is not None:
        return "fine-tuning of the last blocks" if depth else "fine-tuning of the whole network"
    return STAGE_TITLES.get(stage, stage)

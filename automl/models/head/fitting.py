"""Trains heads where this machine does it quickest: several together on a GPU, one after another in NumPy on a CPU."""

from collections.abc import Sequence

from automl.models.device import has_gpu
from automl.models.head.on_device import DEVICE_OPTIMIZERS
from automl.models.head.on_device import fit_heads as fit_heads_on_device
from automl.models.head.resident import ViewedFeatures
from automl.models.head.settings import Targets
from automl.models.head.training import HeadFit, PlannedHead, most_together
from automl.models.head.training import fit_head as fit_head_on_cpu

MOST_ON_GPU = 8
"""Heads of one pass on a GPU. Each makes the same steps, so a small head takes hardly longer with others beside it."""


def n_together(optimizer: str) -> int:
    """How many heads on the same features, of one shape and with this optimizer, are best trained in one pass.

    One on a CPU, where NumPy uses the processor as well for one head as for several.
    """
    return MOST_ON_GPU if optimizer in DEVICE_OPTIMIZERS and has_gpu() else 1


def fit_heads(features: ViewedFeatures, targets: Targets, planned: Sequence[PlannedHead]) -> list[HeadFit | Exception]:
    """Trains heads, each on every fold of every repeat and on all rows; see `training.fit_head`.

    Args:
        features: the features of the photos.
        targets: their classes and folds.
        planned: the heads, not empty; they agree in `hidden_units` and `optimizer`.

    Returns:
        For each head its training, or what ended it without a model: TrialFailed, HeadTooLarge, and what its callbacks
        raised.
    """
    if n_together(planned[0].settings.optimizer) == 1:
        return [_outcome_on_cpu(features, targets, plan) for plan in planned]
    try:
        n = most_together(features, targets, planned[0].settings)
        parts = [planned[start : start + n] for start in range(0, len(planned), n)]
        return [outcome for part in parts for outcome in fit_heads_on_device(features, targets, part)]
    except Exception as error:  # noqa: BLE001 - what the heads have in common ends all of them
        return [error] * len(planned)


def _outcome_on_cpu(features: ViewedFeatures, targets: Targets, plan: PlannedHead) -> HeadFit | Exception:
    try:
        return fit_head_on_cpu(
            features, targets, plan.settings, seed=plan.seed, on_epoch=plan.on_epoch, on_step=plan.on_step
        )
    except Exception as error:  # noqa: BLE001 - what ends one head is its own outcome
        return error

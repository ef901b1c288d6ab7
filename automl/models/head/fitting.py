"""Trains a head where this machine does it quickest: on the GPU, or in NumPy on the CPU."""

from automl.models.device import has_gpu
from automl.models.head.resident import ViewedFeatures
from automl.models.head.settings import HeadSettings, Targets
from automl.models.head.training import HeadFit, OnEpoch, OnStep
from automl.models.head.training import fit_head as fit_head_on_cpu


def fit_head(
    features: ViewedFeatures,
    targets: Targets,
    settings: HeadSettings,
    *,
    seed: int,
    on_epoch: OnEpoch = lambda _epoch, _logits: None,
    on_step: OnStep = lambda: False,
) -> HeadFit:
    """Trains one head on every fold of every repeat, and on all rows, at once; see `training.fit_head`.

    Raises:
        TrialFailed, HeadTooLarge: see `training.fit_head`; and what the callbacks raise.
    """
    if not has_gpu():
        return fit_head_on_cpu(features, targets, settings, seed=seed, on_epoch=on_epoch, on_step=on_step)
    from automl.models.head.on_device import DEVICE_OPTIMIZERS, PlannedHead, fit_heads

    if settings.optimizer not in DEVICE_OPTIMIZERS:
        return fit_head_on_cpu(features, targets, settings, seed=seed, on_epoch=on_epoch, on_step=on_step)
    planned = PlannedHead(settings=settings, seed=seed, on_epoch=on_epoch, on_step=on_step)
    (outcome,) = fit_heads(features, targets, [planned])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome

"""Trials of stage 1: train heads on frozen features and score them on held-out photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.models.head.fitting import fit_heads
from automl.models.head.logistic import fit_logistic
from automl.models.head.network import Layers
from automl.models.head.settings import HeadSettings, Targets
from automl.models.head.training import HeadFit, PlannedHead
from automl.records import RunSettings, Stage
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.costs import ModelCosts
from automl.search.frozen import FrozenFeatures
from automl.search.joined import Joined, Normalisation
from automl.search.scoring import Scorer
from automl.search.space import LBFGS, MIRRORED_VIEW, Params, backbone_names
from automl.search.trial_run import TrialControls


def head_settings(params: Params, settings: RunSettings, max_epochs: int) -> HeadSettings:
    """How to train a head: what the trial's parameters say, and what the user has fixed.

    A regression is linear and knows no epochs, whatever the parameters say of hidden units and patience.
    Parameters that name the number of epochs have no patience: see `head_space`.
    """
    units = (int(params["hidden_units"]),) if "hidden_units" in params else settings.head_layers or ()
    optimizer = str(params["optimizer"])
    return HeadSettings(
        dropout=float(params["dropout"]),
        learning_rate=float(params["learning_rate"]),
        weight_decay=float(params["weight_decay"]),
        label_smoothing=float(params["label_smoothing"]),
        lr_schedule=settings.lr_scheduler or str(params["lr_schedule"]),
        patience=int(params["patience"]) if settings.early_stopping and "patience" in params else None,
        max_epochs=min(max_epochs, int(params.get("epochs", max_epochs))),
        hidden_units=() if optimizer == LBFGS else tuple(n for n in units if n),
        optimizer=optimizer,
        inverse_regularisation=float(params.get("inverse_regularisation", 100.0)),
        class_weighting=str(params["class_weighting"]),
        mirrored=params["views"] == MIRRORED_VIEW,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadTrial:
    """A head that is to be trained.

    Attributes:
        params: what the trial chose.
        settings: how to train it, see `head_settings`.
        trial: the controls of the trial.
        soft: of a regression, what it learns instead of the classes alone, see `fit_logistic`.
    """

    params: Params
    settings: HeadSettings
    trial: TrialControls
    soft: np.ndarray | None = None


SHARED = ("backbones", "taps", "image_size_px", "views", "normalisation", "aspect", "hidden_units", "optimizer")
"""Dimensions in which heads agree that are trained in one pass: the same features, layers of the same shape."""


def run_head_trials(
    planned: Sequence[HeadTrial], *, features: FrozenFeatures, scorer: Scorer, costs: ModelCosts
) -> list[Candidate | Exception]:
    """Trains heads that agree in what is SHARED in one pass, and scores them.

    Returns:
        For each its model, or what ended it without one.
    """
    joined, targets = features.joined(planned[0].params), scorer.targets
    if planned[0].settings.optimizer == LBFGS:
        outcomes = [_regression(joined, targets, one) for one in planned]
    else:
        outcomes = fit_heads(joined, targets, [_planned_head(one) for one in planned])
    return [
        outcome if isinstance(outcome, Exception) else _candidate(one, outcome, joined.normalisation, scorer, costs)
        for one, outcome in zip(planned, outcomes, strict=True)
    ]


def _regression(joined: Joined, targets: Targets, planned: HeadTrial) -> HeadFit | Exception:
    try:
        return fit_logistic(joined, targets, planned.settings, soft=planned.soft, on_step=planned.trial.on_step)
    except Exception as error:  # noqa: BLE001 - what ends one head is its own outcome
        return error


def _planned_head(one: HeadTrial) -> PlannedHead:
    trial = one.trial
    return PlannedHead(settings=one.settings, seed=trial.seed, on_epoch=trial.on_epoch, on_step=trial.on_step)


def _candidate(
    planned: HeadTrial, fit: HeadFit, normalisation: Normalisation, scorer: Scorer, costs: ModelCosts
) -> Candidate:
    params, size = planned.params, int(planned.params["image_size_px"])
    branches = tuple(Branch(name, size) for name in backbone_names(params))
    layers = on_taps(fit.layers, normalisation)
    head = BranchHead(branches, str(params["taps"]), layers, is_unit=normalisation.is_unit)
    score, loss = scorer.score(fit.held_out_logits)
    cost = costs.of(branches, head.n_bytes)
    # Only a single backbone is ever fine-tuned, and fine-tuning alone needs the heads of the folds.
    fold_layers = fit.fold_layers if len(branches) == 1 else ()
    return Candidate(
        number=planned.trial.number,
        stage=Stage.HEADS,
        params=params,
        heads=(head,),
        image_size_px=size,
        held_out_logits=fit.held_out_logits,
        score=score,
        loss=loss,
        n_bytes=cost.n_bytes,
        latency_s=cost.latency_s,
        best_epoch=fit.best_epoch,
        curves=fit.curves,
        fold_layers=tuple(on_taps(layers, normalisation) for layers in fold_layers),
    )


def on_taps(layers: Layers, normalisation: Normalisation) -> Layers:
    """The same head on taps as they are, or divided by their norm: mean and scale are folded into its first layer."""
    (kernel, bias), *others = layers
    folded = (kernel * normalisation.scale[:, None]).astype("float32")
    return ((folded, (bias - normalisation.mean @ folded).astype("float32")), *others)

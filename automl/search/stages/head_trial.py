"""One trial of stage 1: train a head on frozen features and score it on held-out photos."""

import numpy as np

from automl.models.head.fitting import fit_head
from automl.models.head.logistic import fit_logistic
from automl.models.head.network import Layers
from automl.models.head.settings import HeadSettings
from automl.records import RunSettings, Stage
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.costs import ModelCosts
from automl.search.frozen import FrozenFeatures
from automl.search.joined import Normalisation
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


def run_head_trial(
    params: Params,
    settings: HeadSettings,
    trial: TrialControls,
    *,
    features: FrozenFeatures,
    scorer: Scorer,
    costs: ModelCosts,
    soft: np.ndarray | None = None,
) -> Candidate:
    """Trains and scores one head.

    Args:
        soft: of a regression, what it learns instead of the classes alone, see `fit_logistic`.

    Raises:
        TrialFailed, HeadTooLarge: see `fit_head`; and what the trial raises to end the training.
    """
    joined = features.joined(params)
    if settings.optimizer == LBFGS:
        fit = fit_logistic(joined, scorer.targets, settings, soft=soft, on_step=trial.on_step)
    else:
        fit = fit_head(
            joined, scorer.targets, settings, seed=trial.seed, on_epoch=trial.on_epoch, on_step=trial.on_step
        )
    size = int(params["image_size_px"])
    branches = tuple(Branch(name, size) for name in backbone_names(params))
    normalisation = joined.normalisation
    layers = on_taps(fit.layers, normalisation)
    head = BranchHead(branches, str(params["taps"]), layers, is_unit=normalisation.is_unit)
    score, loss = scorer.score(fit.held_out_logits)
    cost = costs.of(branches, head.n_bytes)
    # Only a single backbone is ever fine-tuned, and fine-tuning alone needs the heads of the folds.
    fold_layers = fit.fold_layers if len(branches) == 1 else ()
    return Candidate(
        number=trial.number,
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

"""One trial of stage 1: train a head on frozen features and score it on held-out photos."""

from automl.models.head.network import Layers
from automl.models.head.settings import HeadSettings, Targets
from automl.models.head.training import OnEpoch, OnStep, fit_head
from automl.records import RunSettings, Stage
from automl.search.candidate import Branch, Candidate, Member, is_scored, score_of
from automl.search.frozen import FrozenFeatures
from automl.search.joined import Joined
from automl.search.objective import Objective
from automl.search.space import MIRRORED_VIEW, Params, backbone_names


def head_settings(params: Params, settings: RunSettings, max_epochs: int) -> HeadSettings:
    """What a trial's parameters mean, with what the user has fixed."""
    units = (int(params["hidden_units"]),) if "hidden_units" in params else settings.head_layers or ()
    return HeadSettings(
        dropout=float(params["dropout"]),
        learning_rate=float(params["learning_rate"]),
        weight_decay=float(params["weight_decay"]),
        label_smoothing=float(params["label_smoothing"]),
        lr_schedule=settings.lr_scheduler or str(params["lr_schedule"]),
        patience=int(params["patience"]) if settings.early_stopping else None,
        max_epochs=max_epochs,
        hidden_units=tuple(n for n in units if n),
        optimizer=str(params["optimizer"]),
        class_weighting=str(params["class_weighting"]),
        mirrored=params["views"] == MIRRORED_VIEW,
    )


def run_head_trial(
    number: int,
    params: Params,
    settings: HeadSettings,
    features: FrozenFeatures,
    targets: Targets,
    objective: Objective,
    seed: int,
    on_epoch: OnEpoch = lambda _epoch, _logits: None,
    on_step: OnStep = lambda: False,
) -> Candidate:
    """Trains and scores one head. `on_epoch` may raise to end it.

    Raises:
        TrialFailed: see `fit_head`.
    """
    joined = features.joined(params)
    fit = fit_head(joined, targets, settings, seed=seed, on_epoch=on_epoch, on_step=on_step)
    size = int(params["image_size_px"])
    branches = tuple(Branch(name, size) for name in backbone_names(params))
    member = Member(branches, str(params["taps"]), unstandardised(fit.layers, joined))
    score, loss = score_of(fit.held_out_logits, targets, objective, is_scored(fit.held_out_logits))
    return Candidate(
        number=number,
        stage=Stage.HEADS,
        params=params,
        members=(member,),
        image_size_px=size,
        held_out_logits=fit.held_out_logits,
        score=score,
        loss=loss,
        n_bytes=sum(features.model_bytes(branch.backbone) for branch in branches) + member.n_bytes,
        latency_s=sum(features.latency_s(branch.backbone, size) for branch in branches),
        best_epoch=fit.best_epoch,
        curves=fit.curves,
        # Only a single backbone is ever fine-tuned.
        fold_layers=tuple(unstandardised(layers, joined) for layers in fit.fold_layers if len(branches) == 1),
    )


def unstandardised(layers: Layers, joined: Joined) -> Layers:
    """The same head on raw features: the standardisation is folded into its first layer."""
    (kernel, bias), *others = layers
    raw_kernel = (kernel * joined.scale[:, None]).astype("float32")
    return ((raw_kernel, (bias - joined.mean @ raw_kernel).astype("float32")), *others)

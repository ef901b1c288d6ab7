"""What stage 2 may vary: which backbone to fine-tune, how much of it, and how."""

from collections.abc import Sequence

from automl.models.fine_tuning.augment import FLIPS, MIXES
from automl.models.fine_tuning.settings import FineTuneSettings
from automl.records import LR_SCHEDULES
from automl.search.space import Categorical, Params, Real, SearchSpace, Whole, aspect_dimension

DEPTHS = (0, 1, 2, 3, 4)
_EMA_DECAYS = (0.0, 0.9, 0.97, 0.99)


def fine_tune_space(
    backbones: Sequence[str],
    sizes_px: Sequence[int],
    lr_schedules: Sequence[str] = LR_SCHEDULES,
    *,
    may_end_early: bool = True,
    aspects: Sequence[str] = (),
) -> SearchSpace:
    """The defaults are where an expert would start.

    Args:
        backbones: to choose from, the most promising one first.
        sizes_px: input sizes to choose from; the largest one is the default.
        lr_schedules: to choose from.
        may_end_early: whether held-out photos may end a training; then its patience is searched.
        aspects: as in `head_space`.
    """
    patience = (Whole(name="ft_patience", low=2, high=8, default=4),) if may_end_early else ()
    return SearchSpace(
        (
            Categorical("backbone", tuple(backbones), backbones[0]),
            Categorical("ft_image_size_px", tuple(sizes_px), max(sizes_px)),
            Categorical("depth", DEPTHS, 0),
            Real(name="ft_learning_rate", low=5e-5, high=3e-3, default=1e-3, log=True),
            Real(name="lr_decay", low=0.4, high=1.0, default=1.0),
            Real(name="warmup", low=0.0, high=0.3, default=0.1),
            Categorical("bn", ("adapt", "frozen"), "adapt"),
            Categorical("flips", FLIPS, "horizontal"),
            Real(name="crop", low=0.25, high=1.0, default=0.5),
            Real(name="rotation_deg", low=0.0, high=30.0, default=0.0),
            Real(name="colour", low=0.0, high=0.5, default=0.2),
            Categorical("mix", MIXES, "none"),
            Real(name="ft_dropout", low=0.0, high=0.6, default=0.2),
            Real(name="ft_weight_decay", low=1e-3, high=0.3, default=3e-2, log=True),
            Real(name="ft_label_smoothing", low=0.0, high=0.2, default=0.1),
            Categorical("ft_class_weighting", ("none", "balanced"), "none"),
            Categorical(
                "ft_lr_schedule", tuple(lr_schedules), "cosine" if "cosine" in lr_schedules else lr_schedules[0]
            ),
            *patience,
            Categorical("ema", _EMA_DECAYS, 0.97),
            *aspect_dimension(aspects),
        )
    )


def fine_tune_settings(
    params: Params, taps: str, *, is_unit: bool = False, epochs: int, batch_size: int
) -> FineTuneSettings:
    """How to fine-tune: what a trial's parameters say.

    Args:
        taps: those of the head that the training starts from.
        is_unit: whether that head reads each tap divided by its norm.
        epochs: the most that each fold may have.
        batch_size: photos of a training step.
    """
    return FineTuneSettings(
        taps=taps,
        is_unit=is_unit,
        image_size_px=int(params["ft_image_size_px"]),
        depth=int(params["depth"]),
        learning_rate=float(params["ft_learning_rate"]),
        lr_decay=float(params["lr_decay"]),
        warmup=float(params["warmup"]),
        bn=str(params["bn"]),
        flips=str(params["flips"]),
        crop=float(params["crop"]),
        rotation_deg=float(params["rotation_deg"]),
        colour=float(params["colour"]),
        mix=str(params["mix"]),
        dropout=float(params["ft_dropout"]),
        weight_decay=float(params["ft_weight_decay"]),
        label_smoothing=float(params["ft_label_smoothing"]),
        class_weighting=str(params["ft_class_weighting"]),
        lr_schedule=str(params["ft_lr_schedule"]),
        epochs=epochs,
        patience=int(params["ft_patience"]) if "ft_patience" in params else None,
        ema=float(params["ema"]),
        batch_size=batch_size,
    )


def expert_settings(taps: str, image_size_px: int, *, epochs: int, batch_size: int) -> FineTuneSettings:
    """Where an expert would start: the space's defaults."""
    params = fine_tune_space(["mobilenet_v2"], [image_size_px]).defaults()
    return fine_tune_settings(params, taps, epochs=epochs, batch_size=batch_size)

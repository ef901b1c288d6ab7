"""What stage 2 may vary: which backbone to fine-tune, how much of it, and how."""

from collections.abc import Sequence

from automl.limits import LR_SCHEDULES
from automl.models.fine_tuning.augment import FLIPS, MIXES
from automl.models.fine_tuning.settings import FineTuneSettings
from automl.search.space import Choice, Params, Real, SearchSpace, Whole

DEPTHS = (0, 1, 2, 3, 4)
_EMA_DECAYS = (0.0, 0.9, 0.97, 0.99)


def fine_tune_space(
    backbones: Sequence[str], sizes_px: Sequence[int], lr_schedules: Sequence[str] = LR_SCHEDULES
) -> SearchSpace:
    """The defaults are where an expert would start.

    Args:
        backbones: to choose from, the most promising one first.
        sizes_px: what the network may see; the largest one is the default.
        lr_schedules: to choose from.
    """
    return SearchSpace(
        (
            Choice("backbone", tuple(backbones), backbones[0]),
            Choice("ft_image_size_px", tuple(sizes_px), max(sizes_px)),
            Choice("depth", DEPTHS, 0),
            Real("ft_learning_rate", 5e-5, 3e-3, 1e-3, log=True),
            Real("lr_decay", 0.4, 1.0, 1.0),
            Real("warmup", 0.0, 0.3, 0.1),
            Choice("bn", ("adapt", "frozen"), "adapt"),
            Choice("flips", FLIPS, "horizontal"),
            Real("crop", 0.25, 1.0, 0.5),
            Real("rotation_deg", 0.0, 30.0, 0.0),
            Real("colour", 0.0, 0.5, 0.2),
            Choice("mix", MIXES, "none"),
            Real("ft_dropout", 0.0, 0.6, 0.2),
            Real("ft_weight_decay", 1e-3, 0.3, 3e-2, log=True),
            Real("ft_label_smoothing", 0.0, 0.2, 0.1),
            Choice("ft_class_weighting", ("none", "balanced"), "none"),
            Choice("ft_lr_schedule", tuple(lr_schedules), "cosine" if "cosine" in lr_schedules else lr_schedules[0]),
            Whole("ft_patience", 2, 8, 4),
            Choice("ema", _EMA_DECAYS, 0.97),
        )
    )


def settings_of(params: Params, taps: str, epochs: int, batch_size: int) -> FineTuneSettings:
    """What a trial's `params` mean. `taps` are those of the head that it starts from."""
    return FineTuneSettings(
        taps=taps,
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
        patience=int(params["ft_patience"]),
        ema=float(params["ema"]),
        batch_size=batch_size,
    )


def expert_settings(taps: str, image_size_px: int, epochs: int, batch_size: int) -> FineTuneSettings:
    """The recipe to start with: the space's defaults."""
    params = fine_tune_space(["mobilenet_v2"], [image_size_px]).defaults()
    return settings_of(params, taps, epochs, batch_size)

"""How to fine-tune a backbone."""

from dataclasses import dataclass

from automl.models.fine_tuning.augment import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuneSettings:
    """How to fine-tune a backbone.

    Attributes:
        taps: "last" for the features of the last tap alone, or "several" for those of all taps.
        is_unit: whether the head reads each tap divided by its norm.
        image_size_px: the side of the photos that the network is given.
        depth: 0 trains the whole network. k >= 1 trains what is behind the k-th of `Backbone.cuts`, counted from the
            end, from activations that are stored at that cut.
        learning_rate: the peak of the learning rate of the deepest layers.
        lr_decay: the factor of the learning rate for each cut towards the image; 1 for the same rate everywhere.
        warmup: the share of the steps in which the learning rate rises to its peak, 0-1.
        bn: "frozen" keeps the statistics of batch norm; "adapt" normalises by the batch and moves the statistics.
        flips: see `augment.Policy`.
        crop: see `augment.Policy`.
        rotation_deg: see `augment.Policy`.
        colour: see `augment.Policy`.
        mix: see `augment.Policy`.
        dropout: the share of the head's inputs that is dropped, 0-1.
        weight_decay: the decoupled weight decay of matrices and filters.
        label_smoothing: the share of each target that is spread evenly over all classes, 0-1.
        class_weighting: "none", or "balanced" to give each class the same weight in the loss.
        lr_schedule: one of `records.LR_SCHEDULES`.
        epochs: the largest number of epochs; see `fine_tuner.STEPS_PER_EPOCH`.
        patience: early stopping ends the training after this many epochs without a lower held-out loss; None trains all
            `epochs`, and the last one counts.
        ema: the decay of the running average of the weights; 0 for no average.
        batch_size: the number of photos in a batch; halved where memory does not suffice.
    """

    taps: str
    is_unit: bool
    image_size_px: int
    depth: int
    learning_rate: float
    lr_decay: float
    warmup: float
    bn: str
    flips: str
    crop: float
    rotation_deg: float
    colour: float
    mix: str
    dropout: float
    weight_decay: float
    label_smoothing: float
    class_weighting: str
    lr_schedule: str
    epochs: int
    patience: int | None
    ema: float
    batch_size: int

    @property
    def policy(self) -> Policy:
        """How the photos are augmented."""
        return Policy(
            flips=self.flips,
            crop=self.crop,
            rotation_deg=self.rotation_deg,
            colour=self.colour,
            mix=self.mix,
        )

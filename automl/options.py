"""What a run can be asked for, in words: one line of help each, the same on the page, the command line and in the docs.

The values themselves are `records.RunSettings`, and what they may be is in `limits`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """`name`: the field of forms and of the API. `title`: the same in plain words."""

    name: str
    title: str
    help: str

    @property
    def sentences(self) -> str:
        """The title and the help, one after the other."""
        return f"{self.title}{'' if self.title.endswith('?') else '.'} {self.help}"

    @property
    def flag(self) -> str:
        """On the command line."""
        return "--" + self.name.removesuffix("_px").replace("_", "-")


_OPTIONS = (
    Option("budget", "How long may it take?", "From the start to the finished download."),
    Option("goal", "What counts", "The most photos right, or every kind of photo equally well."),
    Option("max_trials", "Most tries", "Ends the search after this many, even if time is left."),
    Option("max_model_mb", "Largest model", "Megabytes; nothing larger is delivered. For phones and small devices."),
    Option(
        "max_latency_ms",
        "Slowest answer",
        "Milliseconds for one photo on this machine's processor; nothing slower is delivered.",
    ),
    Option("fine_tuning", "Fine-tuning", "Also train the inner layers of the best networks, where the time allows it."),
    Option("backbones", "Networks to build on", "Only these; if you choose none, all of them are tried."),
    Option("max_image_size_px", "Largest picture size to try", "Larger shows finer details and takes longer."),
    Option("tuner", "Search method", "Both search among the same settings."),
    Option("sampler", "Sampling strategy", "The default learns from earlier tries; random does not."),
    Option("pruner", "Stop weak trials early", "Compares a try with earlier ones at the same point of their training."),
    Option("early_stopping", "Early stopping", "End a training once it stops improving on validation photos."),
    Option("lr_scheduler", "Learning-rate schedule", "How the size of the learning steps changes while it trains."),
    Option("epochs", "Most epochs", "How often one training may go through the photos."),
    Option("head_layers", "Hidden layers of the head", "Units of each, such as 256 or 256,64; none for a plain head."),
    Option("seed", "Seed", "The same number gives the same split of your photos."),
)

RUN_OPTIONS: dict[str, Option] = {option.name: option for option in _OPTIONS}
"""By name, the simple ones first."""

"""What a run may be asked for. The web form, the API and the command line all keep to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from automl.errors import BadSetting
from automl.records import RunSettings, Sampler, TunerKind
from automl.text.durations import duration_in_words

MIN_BUDGET_S = 30

LR_SCHEDULES = ("constant", "cosine", "one_cycle", "exponential", "reduce_on_plateau")

SAMPLERS: Mapping[TunerKind, tuple[Sampler, ...]] = {
    TunerKind.OPTUNA: (Sampler.TPE, Sampler.RANDOM, Sampler.CMA_ES),
    TunerKind.KERAS_TUNER: (Sampler.BAYESIAN, Sampler.RANDOM, Sampler.HYPERBAND),
}
"""What each tuner can propose with; the first one is its default."""

MAX_HEAD_LAYERS = 3


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """Whole numbers from `low` to `high`, both included, in steps of `step`. `title`: begins the message."""

    title: str
    low: int
    high: int
    step: int = 1

    def refusal(self) -> BadSetting:
        """What to raise for anything else."""
        steps = f", a multiple of {self.step}" if self.step > 1 else ""
        return BadSetting(f"{self.title} must be a whole number from {self.low} to {self.high:,}{steps}.")

    def check(self, number: int) -> None:
        """Raises BadSetting."""
        if not self.low <= number <= self.high or number % self.step:
            raise self.refusal()


@dataclass(frozen=True, slots=True)
class Amount:
    """Numbers from `low` to `high`, both included. `title`: begins the message; `unit`: ends it."""

    title: str
    low: float
    high: float
    unit: str

    def refusal(self) -> BadSetting:
        """What to raise for anything else."""
        return BadSetting(f"{self.title} must be a number from {self.low:g} to {self.high:,g} {self.unit}.")

    def check(self, number: float) -> None:
        """Raises BadSetting."""
        if not self.low <= number <= self.high:
            raise self.refusal()


SEED = WholeNumber("Seed", 0, 2**31 - 1)
MAX_TRIALS = WholeNumber("Max trials", 1, 1_000_000)
MAX_IMAGE_SIZE_PX = WholeNumber("Max image size", 96, 320, step=32)
EPOCHS = WholeNumber("Epochs", 1, 1_000)
HEAD_UNITS = WholeNumber("Each of the head layers", 2, 2_048)
MAX_MODEL_MB = Amount("Max model size", 0.1, 10_000, "MB")
MAX_LATENCY_MS = Amount("Max latency", 0.1, 60_000, "ms")


def check_limits(settings: RunSettings, max_budget_s: float, may_be_timeless: bool = False) -> None:
    """Refuses what no run can be made of.

    Args:
        max_budget_s: the longest budget that this installation allows.
        may_be_timeless: whether a run may have a trial limit in place of a budget.

    Raises:
        BadSetting: a value outside its limits, with what is allowed.
    """
    _check_budget(settings, max_budget_s, may_be_timeless)
    _check_choices(settings)
    SEED.check(settings.seed)
    MAX_IMAGE_SIZE_PX.check(settings.max_image_size_px)
    for number, whole in ((settings.max_trials, MAX_TRIALS), (settings.epochs, EPOCHS)):
        if number is not None:
            whole.check(number)
    for amount, limits in ((settings.max_model_mb, MAX_MODEL_MB), (settings.max_latency_ms, MAX_LATENCY_MS)):
        if amount is not None:
            limits.check(amount)
    layers = settings.head_layers or ()
    if len(layers) > MAX_HEAD_LAYERS:
        raise BadSetting(f"There may be {MAX_HEAD_LAYERS} head layers at most, not {len(layers)}.")
    for units in layers:
        HEAD_UNITS.check(units)


def parse_head_layers(text: str) -> tuple[int, ...] | None:
    """(256, 64) for "256,64"; () for "none", which is no hidden layer; None for nothing, which lets the search choose.

    Raises:
        BadSetting: anything else.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if [word.lower() for word in words] in (["none"], ["0"]):
        return ()
    try:
        return tuple(int(word) for word in words) or None
    except ValueError:
        raise BadSetting(
            f"Head layers are whole numbers with commas between, such as 256 or 256,64; not {text[:40]!r}."
        ) from None


def _check_budget(settings: RunSettings, max_budget_s: float, may_be_timeless: bool) -> None:
    if settings.budget_s is None:
        if not may_be_timeless:
            raise BadSetting("A run needs a length of time here, such as 2m.")
        if settings.max_trials is None:
            raise BadSetting("A run without a time limit needs a trial limit, or it would never end.")
    elif not MIN_BUDGET_S <= settings.budget_s <= max_budget_s:
        shortest, longest = duration_in_words(MIN_BUDGET_S), duration_in_words(max_budget_s)
        raise BadSetting(f"The time must be between {shortest} and {longest}.")


def _check_choices(settings: RunSettings) -> None:
    samplers = SAMPLERS[settings.tuner]
    if settings.sampler is not None and settings.sampler not in samplers:
        raise BadSetting(f"The sampler of {settings.tuner} must be {_any_of(samplers)}, not {settings.sampler}.")
    if settings.lr_scheduler is not None and settings.lr_scheduler not in LR_SCHEDULES:
        raise BadSetting(f"The learning-rate schedule must be {_any_of(LR_SCHEDULES)}.")


def _any_of(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"

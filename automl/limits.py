"""What a run may be asked for. The web form, the API and the command line all keep to it."""

from dataclasses import dataclass

from automl.durations import duration_in_words
from automl.errors import BadSetting
from automl.records import RunSettings

MIN_BUDGET_S = 30


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


SEED = WholeNumber("Seed", 0, 2**31 - 1)
MAX_TRIALS = WholeNumber("Max trials", 1, 1_000_000)
MAX_IMAGE_SIZE_PX = WholeNumber("Max image size", 96, 320, step=32)


def check_limits(settings: RunSettings, max_budget_s: float) -> None:
    """`max_budget_s`: the longest budget that this installation allows.

    Raises:
        BadSetting: a value outside its limits, with what is allowed.
    """
    if not MIN_BUDGET_S <= settings.budget_s <= max_budget_s:
        shortest, longest = duration_in_words(MIN_BUDGET_S), duration_in_words(max_budget_s)
        raise BadSetting(f"The time must be between {shortest} and {longest}.")
    SEED.check(settings.seed)
    if settings.max_trials is not None:
        MAX_TRIALS.check(settings.max_trials)
    MAX_IMAGE_SIZE_PX.check(settings.max_image_size_px)

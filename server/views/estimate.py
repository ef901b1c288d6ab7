"""What to expect of a run, from what earlier runs and the check have measured on this machine.

Nothing is guessed, and what was never measured is not said. There is one exception: before the first run, the time
until the first model is said from reading the photos here and, for the rest, from what `docs/benchmarks.md` has of two
processor cores, doubled.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from automl.store.tables import Dataset
from automl.text.durations import duration_in_words
from automl.text.messages import options as option_messages
from automl.text.messages import pages as page_messages
from server.views.past_runs import PastRun, past_runs

_START_S = 6.0
"""Of the time until the first model, what does not grow with the photos: a process starts, networks are timed."""

_RESERVE = 1.5
"""A run keeps back so many times as much for its end as that takes in the end."""

_FEWEST_TRIES, _FEW_TRIES = 10, 3
_MOST_TRIES = 300
"""More are not promised: a search ends when they bring nothing better, mostly after fewer."""

_LONG_S = 60.0
_NETWORK_S = 0.006
"""The quickest network on one photo of 224 px, on two processor cores."""

_MORE_THAN_NEEDED = option_messages.ROOM_FOR_MORE_THAN.format(n=_MOST_TRIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What to expect on one data set; None where it is not known.

    Attributes:
        n_photos: the photos of the data set.
        read_s: seconds to read all of them.
        past: the run from which the time until the first model is foreseen.
        searched: the run from which the number of tries is foreseen.
        fine_tuning_s: the shortest time that has room for fine-tuning.
        enough_s: the time after which most searches have ended by themselves.
    """

    n_photos: int
    read_s: float | None
    past: PastRun | None
    searched: PastRun | None
    fine_tuning_s: float | None
    enough_s: float | None = None

    @property
    def first_model_s(self) -> float | None:
        """Until the first model can be downloaded."""
        if self.past is None:
            return None
        start_s = min(self.past.first_model_s, _START_S)
        each_s = (self.past.first_model_s - start_s) / self.past.n_photos
        if self.read_s is None or self.past.look_s is None:
            return start_s + each_s * self.n_photos
        return start_s + max(0.0, each_s - self.past.look_s) * self.n_photos + self.read_s

    def n_tries(self, budget_s: float) -> int | None:
        """Tries that there may be room for, rounded down; None where it is not known."""
        if self.searched is None:
            return None
        search_s = budget_s - min(_RESERVE * self.searched.end_s, budget_s / 2)
        return _rounded_down(self.searched.n_ended(search_s / _longer(self.n_photos, self.searched)))

    @property
    def in_short(self) -> str:
        """A sentence that holds for every length; empty where nothing is known."""
        if self.past is not None:
            return option_messages.FIRST_MODEL_AS_BEFORE.format(time=_cautiously(self.first_model_s or 0.0))
        if self.read_s is None:
            return ""
        within_s = self.read_s + 2 * (_START_S + _NETWORK_S * self.n_photos)
        # A short run looks at smaller copies of the photos, which is quicker.
        words = option_messages.FIRST_MODEL_OR_SOONER if within_s > _LONG_S else option_messages.FIRST_MODEL
        return words.format(n=self.n_photos, reading=_about(self.read_s), within=_at_most(within_s))

    def words(self, budget_s: float) -> str:
        """What a run of this length has room for; empty where nothing is known."""
        first_s = self.first_model_s
        if first_s is None:
            return ""
        if first_s > budget_s / 2:
            return option_messages.TOO_SHORT_FOR_ALL_PHOTOS
        if self.fine_tuning_s is not None and budget_s >= self.fine_tuning_s:
            return option_messages.ROOM_FOR_FINE_TUNING
        tries = self.n_tries(budget_s) or 0
        if tries > _MOST_TRIES:
            return _MORE_THAN_NEEDED
        if tries >= _FEWEST_TRIES:
            return option_messages.ROOM_FOR_TRIES.format(n=tries)
        return option_messages.ROOM_FOR_A_FEW_TRIES if tries >= _FEW_TRIES else ""

    def words_of_each(self, budgets_s: Iterable[float]) -> dict[float, str]:
        """The same for lengths to choose from: a longer one says what it has beyond a shorter one."""
        said: dict[float, str] = {}
        for budget_s in sorted(budgets_s):
            words = self.words(budget_s)
            if words in (option_messages.ROOM_FOR_FINE_TUNING, _MORE_THAN_NEEDED) and words in said.values():
                is_enough = self.enough_s is not None and budget_s >= self.enough_s
                words = option_messages.ROOM_BUT_ENDS_BEFORE if is_enough else option_messages.ROOM_FOR_THAT_TOO
            said[budget_s] = words
        return said


def estimate(session: Session, dataset: Dataset) -> Estimate | None:
    """None for a data set that has not been checked."""
    n_photos = dataset.summary.n_images
    if not n_photos:
        return None
    runs = past_runs(session)
    near = sorted(runs, key=lambda run: _distance(run, dataset.id, n_photos))
    # One that was cut short says little of what would have come.
    free = sorted((run for run in near if not run.was_limited), key=lambda run: run.was_cut)
    look_s = dataset.summary.read_photo_s
    return Estimate(
        n_photos=n_photos,
        read_s=None if look_s is None else look_s * n_photos,
        past=near[0] if near else None,
        searched=free[0] if free else None,
        fine_tuning_s=_shortest_with_fine_tuning(runs, n_photos),
        enough_s=_enough_s(free, n_photos),
    )


def _distance(run: PastRun, dataset_id: str, n_photos: int) -> tuple[bool, bool, bool, float]:
    """Orders runs by how much they say of `n_photos` photos of a data set; smaller is better.

    The same photos say most. Of other photos, those say least that an earlier run had computed features of, and the
    nearest in number say most. Runs without limits come first, since what they had room for every other run has too.
    """
    is_other = run.dataset_id != dataset_id
    return is_other, run.was_limited, is_other and run.was_again, abs(math.log(run.n_photos / n_photos))


def _shortest_with_fine_tuning(runs: Sequence[PastRun], n_photos: int) -> float | None:
    """The time that a training takes grows with the photos, so budgets of other data sets are scaled by them."""
    return min((run.budget_s * _longer(n_photos, run) for run in runs if run.fine_tuned), default=None)


def _enough_s(runs: Sequence[PastRun], n_photos: int) -> float | None:
    """None where no search has ended by itself, or not most of those that had that much time."""
    ended_s = [run.used_s * _longer(n_photos, run) for run in runs if run.ended_by_itself]
    enough_s = max(ended_s, default=math.inf)
    went_on = [run for run in runs if not run.ended_by_itself and run.used_s * _longer(n_photos, run) >= enough_s]
    return enough_s if len(ended_s) > len(went_on) else None


def _longer(n_photos: int, run: PastRun) -> float:
    """How many times as long as in `run` everything takes. With fewer photos it is not counted on to be quicker."""
    return max(1.0, n_photos / run.n_photos)


def _about(seconds: float) -> str:
    """To what is worth saying: whole seconds below ten, then fives, then minutes."""
    step = 1 if seconds < 10 else 5 if seconds < 60 else 30 if seconds < 600 else 60
    return duration_in_words(max(1, step * round(seconds / step)))


def _cautiously(seconds: float) -> str:
    """The next five seconds, half minute or minute."""
    step = 5 if seconds < 60 else 30 if seconds < 600 else 60
    return duration_in_words(step * math.ceil(seconds / step))


def _at_most(seconds: float) -> str:
    """The next half minute, minute or number of minutes."""
    if seconds <= 30:
        return page_messages.HALF_A_MINUTE
    return page_messages.A_MINUTE if seconds <= 60 else duration_in_words(60 * math.ceil(seconds / 60))


def _rounded_down(n: float) -> int:
    """Whole below ten, then fives, tens and fifties."""
    step = 1 if n < 10 else 5 if n < 50 else 10 if n < 100 else 50
    return step * math.floor(n / step)

"""What to expect of a run, from what earlier runs and the check have measured on this machine. Nothing is guessed:
what was never measured is not told.

Before the first run there is one exception: within which time the first model usually comes is told from reading the
photos here, and from what `docs/benchmarks.md` has of two processor cores for the rest, doubled.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from automl.data.check import LOOK_S
from automl.durations import duration_in_words
from automl.records import RunState, Stage
from automl.store.database import Dataset, DatasetVersion, Run, TrialSummary

_N_RUNS = 20
_START_S = 4.0
"""Of the time until the first model, what does not grow with the photos: a process starts, the networks are timed."""

_MOST_TRIES_PER_S = 4.0
_FEWEST_TRIES = 10
_MOST_TRIES = 300
"""More are not promised: a search ends when they bring nothing better, mostly after fewer."""

_LONG_S = 60.0
_NETWORK_S = 0.006
"""The quickest network on one photo of 224 px, on two processor cores."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """What a finished run tells. `look_s`: seconds to read one of its photos, None where the check did not say.

    `tries_per_s`: heads tried; `end_s`: from the last try to the finished download. `fine_tuned`: whether it found room
    for that. `was_limited`: it sought a small or fast model, on fewer networks, so its tries were quicker than most.
    """

    dataset_id: str
    n_photos: int
    look_s: float | None
    budget_s: float
    first_model_s: float
    tries_per_s: float
    end_s: float
    fine_tuned: bool
    was_limited: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """What to expect on one data set; None where it is not known. `fine_tuning_s`: the shortest time that has room."""

    n_photos: int
    read_s: float | None
    past: PastRun | None
    fine_tuning_s: float | None

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
        """Heads that the search may try, to two digits; None where it is not known, or too few to promise."""
        first_s = self.first_model_s
        if self.past is None or first_s is None:
            return None
        # A try takes as long as there are photos to learn from; very few of them make it no quicker.
        per_s = min(self.past.tries_per_s * self.past.n_photos / self.n_photos, _MOST_TRIES_PER_S)
        n = per_s * (budget_s - first_s - self.past.end_s)
        return _two_digits(n) if n >= _FEWEST_TRIES else None

    @property
    def in_short(self) -> str:
        """A sentence that holds for every length; empty where nothing is known."""
        if self.past is not None:
            return f"About {_about(self.first_model_s or 0.0)} until the first model, going by an earlier run here."
        if self.read_s is None:
            return ""
        within_s = self.read_s + 2 * (_START_S + _NETWORK_S * self.n_photos)
        first = f"The first model usually comes within {_at_most(within_s)}"
        # A short run looks at smaller copies of the photos, which is quicker.
        sooner = ", sooner where you allow less time" if within_s > _LONG_S else ""
        return f"Reading these {self.n_photos:,} photos takes about {_about(self.read_s)} here. {first}{sooner}."

    def words(self, budget_s: float) -> str:
        """What a run of this length has room for; empty where nothing is known."""
        first_s = self.first_model_s
        if first_s is None:
            return ""
        if first_s > budget_s / 2:
            return "Too short to look at all these photos: the model learns from a part of them."
        if self.fine_tuning_s is not None and budget_s >= self.fine_tuning_s:
            return "Long enough to train the inner layers too (fine-tuning)."
        tries = self.n_tries(budget_s)
        if tries is not None and tries > _MOST_TRIES:
            return f"Room for more than {_MOST_TRIES} tries, more than most searches need."
        return f"Room for some {tries:,} tries." if tries else ""


def estimate(session: Session, dataset: Dataset) -> Estimate | None:
    """None for a data set that has not been checked."""
    n_photos = dataset.summary.get("n_images") or 0
    if not n_photos:
        return None
    runs = _past_runs(session)
    # The same photos tell most; then a run without limits, since what it had room for every other one has too; then the
    # nearest in number.
    near = sorted(
        runs,
        key=lambda run: (run.dataset_id != dataset.id, run.was_limited, abs(math.log(run.n_photos / n_photos))),
    )
    look_s = dataset.summary.get(LOOK_S)
    return Estimate(
        n_photos=n_photos,
        read_s=None if look_s is None else look_s * n_photos,
        past=near[0] if near else None,
        fine_tuning_s=_shortest_with_fine_tuning(runs, n_photos),
    )


def _shortest_with_fine_tuning(runs: Sequence[PastRun], n_photos: int) -> float | None:
    """The time that a training takes grows with the photos, so budgets of other data sets are scaled by them."""
    lengths = [run.budget_s * max(1.0, n_photos / run.n_photos) for run in runs if run.fine_tuned]
    return min(lengths, default=None)


def _past_runs(session: Session) -> list[PastRun]:
    """The latest that are done, as far as they tell something."""
    latest = select(Run.id).where(Run.state == RunState.DONE).order_by(Run.finished_at.desc()).limit(_N_RUNS)
    ids = list(session.scalars(latest))
    if not ids:
        return []
    end_s = func.max(TrialSummary.started_s + TrialSummary.duration_s)
    query = select(TrialSummary.run_id, TrialSummary.stage, func.count(), func.min(TrialSummary.started_s), end_s)
    stages: dict[str, dict[str, tuple[int, float, float]]] = {}
    for run_id, stage, n, first_s, last_s in session.execute(
        query.where(TrialSummary.run_id.in_(ids)).group_by(TrialSummary.run_id, TrialSummary.stage)
    ):
        stages.setdefault(run_id, {})[stage] = (n, first_s, last_s)
    # Only what is needed: results and summaries are long, and each view of a data set's page comes by here.
    told = select(
        Run.id,
        Run.dataset_id,
        Run.budget_s,
        Run.settings,
        Run.result["time"].label("time"),
        Dataset.summary[LOOK_S].as_float().label("look_s"),
        DatasetVersion.n_images,
    )
    runs = session.execute(told.join(Run.dataset).join(Run.version).where(Run.id.in_(ids)))
    return [past for run in runs if (past := _past_run(run, stages.get(run.id, {}))) is not None]


def _past_run(run: Row[Any], stages: dict[str, tuple[int, float, float]]) -> PastRun | None:
    time, heads = run.time or {}, stages.get(Stage.HEADS)
    if heads is None or not time.get("first_model_s") or not time.get("used_s"):
        return None
    n, first_s, last_s = heads
    if last_s <= first_s or not run.n_images:
        return None
    return PastRun(
        dataset_id=run.dataset_id,
        n_photos=run.n_images,
        look_s=run.look_s,
        budget_s=run.budget_s,
        first_model_s=time["first_model_s"],
        tries_per_s=n / (last_s - first_s),
        end_s=max(0.0, time["used_s"] - max(end_s for _, _, end_s in stages.values())),
        fine_tuned=Stage.FINE_TUNING in stages,
        was_limited=any(run.settings.get(name) for name in ("max_model_mb", "max_latency_ms")),
    )


def _about(seconds: float) -> str:
    """To what is worth saying: whole seconds below ten, then fives, then minutes."""
    step = 1 if seconds < 10 else 5 if seconds < 60 else 30 if seconds < 600 else 60
    return duration_in_words(max(1, step * round(seconds / step)))


def _at_most(seconds: float) -> str:
    """The next half minute, minute or number of minutes."""
    if seconds <= 30:
        return "half a minute"
    return "a minute" if seconds <= 60 else duration_in_words(60 * math.ceil(seconds / 60))


def _two_digits(n: float) -> int:
    step = int(10 ** max(0, math.floor(math.log10(n)) - 1))
    return round(n / step) * step

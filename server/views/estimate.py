"""What to expect of a run, from what earlier runs and the check have measured on this machine. Nothing is guessed:
what was never measured is not told.

Before the first run there is one exception: within which time the first model usually comes is told from reading the
photos here, and from what `docs/benchmarks.md` has of two processor cores for the rest, doubled.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from automl.records import RunSettings, RunState, Stage
from automl.records.dataset_summary import SPEED_KEY
from automl.store.results import part_of_report
from automl.store.tables import Dataset, DatasetVersion, Run, TrialSummary
from automl.text.durations import duration_in_words

_N_RUNS = 20
_START_S = 6.0
"""Of the time until the first model, what does not grow with the photos: a process starts, the networks are timed."""

_MARKS_S = (10, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 600, 900, 1200, 1800, 2700, 3600, 7200, 14_400, 28_800)
"""Seconds of an earlier run up to which its tries are counted: few at first, while networks look at the photos."""

_RESERVE = 1.5
"""A run keeps back more for its end than that takes in the end."""

_FEWEST_TRIES, _FEW_TRIES = 10, 3
_MOST_TRIES = 300
"""More are not promised: a search ends when they bring nothing better, mostly after fewer."""

_LIMITS = ("max_model_mb", "max_latency_ms", "backbones")
_MUCH_EARLIER_S = 30.0
_LONG_S = 60.0
_NETWORK_S = 0.006
"""The quickest network on one photo of 224 px, on two processor cores."""

_TOO_SHORT = "Too short to look at all these photos: the model learns from a part of them."
_FINE_TUNES = "Long enough to train the inner layers too (fine-tuning)."
_MORE_THAN_NEEDED = f"Room for more than {_MOST_TRIES} tries, more than most searches need."
_THAT_TOO = "Room for that too, and for more."
_ENDS_BEFORE = "Room for that too; searches here mostly end by themselves before."


@dataclass(frozen=True, slots=True)
class PastRun:
    """What a finished run tells. `look_s`: seconds to read one of its photos, None where the check did not say.

    `n_tries`: that had ended by each of `_MARKS_S`; `searched_s`: when the last of `n_all` had; `end_s`: from there to
    the finished download. `fine_tuned`: whether it found room for that. `was_limited`: its user wanted less than all
    networks and sizes, so its tries came sooner than in most. `was_again`: on photos that an earlier run had looked at.
    `was_cut`: stopped by hand or after so many tries. `ended_by_itself`: long before its time was over.
    """

    dataset_id: str
    n_photos: int
    look_s: float | None
    budget_s: float
    first_model_s: float
    n_tries: tuple[int, ...]
    n_all: int
    searched_s: float
    end_s: float
    fine_tuned: bool
    was_limited: bool = False
    was_again: bool = False
    was_cut: bool = False
    ended_by_itself: bool = False

    @property
    def used_s(self) -> float:
        return self.searched_s + self.end_s

    def n_ended(self, at_s: float) -> float:
        """Tries that had ended by then; beyond its end as many in a second as on average."""
        if at_s >= self.searched_s:
            return self.n_all * at_s / self.searched_s
        counted = [(0.0, 0), *zip(_MARKS_S, self.n_tries, strict=True)]
        told = [*(mark for mark in counted if mark[0] < self.searched_s), (self.searched_s, self.n_all)]
        (before_s, n_before), (after_s, n_after) = next(two for two in pairwise(told) if at_s < two[1][0])
        return n_before + (n_after - n_before) * max(0.0, at_s - before_s) / (after_s - before_s)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What to expect on one data set; None where it is not known.

    `past`: the run that tells of the first model; `searched`: the one that tells of tries. `fine_tuning_s`: the
    shortest time that has room for that; `enough_s`: after which most searches have ended by themselves.
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
            return (
                f"About {_cautiously(self.first_model_s or 0.0)} until the first model, going by an earlier run here."
            )
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
            return _TOO_SHORT
        if self.fine_tuning_s is not None and budget_s >= self.fine_tuning_s:
            return _FINE_TUNES
        tries = self.n_tries(budget_s) or 0
        if tries > _MOST_TRIES:
            return _MORE_THAN_NEEDED
        if tries >= _FEWEST_TRIES:
            return f"Room for some {tries:,} tries."
        return "Room for a few tries." if tries >= _FEW_TRIES else ""

    def words_of_each(self, budgets_s: Iterable[float]) -> dict[float, str]:
        """The same for lengths to choose from: a longer one says what it has beyond a shorter one."""
        said: dict[float, str] = {}
        for budget_s in sorted(budgets_s):
            words = self.words(budget_s)
            if words in (_FINE_TUNES, _MORE_THAN_NEEDED) and words in said.values():
                is_enough = self.enough_s is not None and budget_s >= self.enough_s
                words = _ENDS_BEFORE if is_enough else _THAT_TOO
            said[budget_s] = words
        return said


def estimate(session: Session, dataset: Dataset) -> Estimate | None:
    """None for a data set that has not been checked."""
    n_photos = dataset.summary.n_images
    if not n_photos:
        return None
    runs = _past_runs(session)

    def distance(run: PastRun) -> tuple[bool, bool, bool, float]:
        """The same photos tell most; else not those that had been looked at before; then the nearest in number.

        A run without limits comes first, since what it had room for every other one has too.
        """
        is_other = run.dataset_id != dataset.id
        return is_other, run.was_limited, is_other and run.was_again, abs(math.log(run.n_photos / n_photos))

    near = sorted(runs, key=distance)
    # One that was cut short tells little of what would have come.
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


_TOLD: WeakKeyDictionary[object, tuple[Sequence[str], Sequence[PastRun]]] = WeakKeyDictionary()
"""By database: the latest runs and what they tell. They have ended, so that it holds, and each view of a data set's
page asks for it: else that would be a quarter of its work."""


def _past_runs(session: Session) -> Sequence[PastRun]:
    """The latest that are done, as far as they tell something."""
    latest = select(Run.id).where(Run.state == RunState.DONE).order_by(Run.finished_at.desc()).limit(_N_RUNS)
    ids, database = session.scalars(latest).all(), session.get_bind()
    known_ids, known = _TOLD.get(database, ([], []))
    if ids != known_ids:
        known = _told_by(session, ids)
        _TOLD[database] = ids, known
    return known


def _told_by(session: Session, ids: Sequence[str]) -> list[PastRun]:
    """ids: the latest first."""
    ended_s = TrialSummary.started_s + TrialSummary.duration_s
    counts = [func.count().filter(ended_s <= mark_s) for mark_s in _MARKS_S]
    query = select(TrialSummary.run_id, TrialSummary.stage, func.count(), func.max(ended_s), *counts)
    stages: dict[str, dict[str, Sequence[Any]]] = {}
    for run_id, stage, *told in session.execute(
        query.where(TrialSummary.run_id.in_(ids)).group_by(TrialSummary.run_id, TrialSummary.stage)
    ):
        stages.setdefault(run_id, {})[stage] = told
    # Only what is needed: results and summaries are long, and each view of a data set's page comes by here.
    columns = select(
        Run.id,
        Run.dataset_id,
        Run.budget_s,
        Run.stop_requested,
        Run.settings,
        part_of_report("time").label("time"),
        Dataset.summary[SPEED_KEY].as_float().label("look_s"),
        DatasetVersion.n_images,
    )
    rows = session.execute(columns.join(Run.dataset).join(Run.version).where(Run.id.in_(ids)))
    by_id = {row.id: row for row in rows}
    seen: set[str] = set()
    runs = []
    for row in (by_id[run_id] for run_id in reversed(ids) if run_id in by_id):  # the oldest first
        past = _past_run(row, stages.get(row.id, {}), row.dataset_id in seen)
        seen.add(row.dataset_id)
        if past is not None:
            runs.append(past)
    return runs[::-1]


def _past_run(run: Row[Any], stages: dict[str, Sequence[Any]], was_again: bool) -> PastRun | None:
    """`stages`: of each its number of tries, when the last of them had ended, and how many had by each mark."""
    time = run.time or {}
    if Stage.HEADS not in stages or not time.get("first_model_s") or not time.get("used_s") or not run.n_images:
        return None
    n_all, ended_s, *n_by_mark = zip(*stages.values(), strict=True)
    searched_s, end_s = max(ended_s), max(0.0, time["used_s"] - max(ended_s))
    if searched_s <= 0:
        return None
    is_early = run.budget_s - time["used_s"] > max(_MUCH_EARLIER_S, 2 * end_s)
    was_cut = run.stop_requested or run.settings.get("max_trials") is not None
    return PastRun(
        dataset_id=run.dataset_id,
        n_photos=run.n_images,
        look_s=run.look_s,
        budget_s=run.budget_s,
        first_model_s=time["first_model_s"],
        n_tries=tuple(sum(counts) for counts in n_by_mark),
        n_all=sum(n_all),
        searched_s=searched_s,
        end_s=end_s,
        fine_tuned=Stage.FINE_TUNING in stages,
        was_limited=_was_limited(run.settings),
        was_again=was_again,
        was_cut=was_cut,
        ended_by_itself=is_early and not was_cut,
    )


def _was_limited(settings: dict[str, Any]) -> bool:
    usual = RunSettings()
    size_px = settings.get("max_image_size_px") or usual.max_image_size_px
    return size_px < usual.max_image_size_px or any(settings.get(name) for name in _LIMITS)


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
        return "half a minute"
    return "a minute" if seconds <= 60 else duration_in_words(60 * math.ceil(seconds / 60))


def _rounded_down(n: float) -> int:
    """Whole below ten, then fives, tens and fifties."""
    step = 1 if n < 10 else 5 if n < 50 else 10 if n < 100 else 50
    return step * math.floor(n / step)

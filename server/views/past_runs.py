"""What the latest finished runs show of the time that things take on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from automl.records import USUAL_SIZE_PX, RunSettings, RunState, Stage
from automl.records.dataset_summary import SPEED_KEY
from automl.store.results import part_of_report
from automl.store.tables import Dataset, DatasetVersion, Run, TrialSummary

MARKS_S = (10, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 600, 900, 1200, 1800, 2700, 3600, 7200, 14_400, 28_800)
"""Seconds of a run up to which its tries are counted: few at first, while the features of the photos are computed."""

_N_RUNS = 20
_MUCH_EARLIER_S = 30.0
"""A run that ended so long before its time was over, and long before its own end took, ended by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """What one finished run shows.

    Attributes:
        dataset_id: the data set that it ran on.
        n_photos: the photos of the version that it ran on.
        look_s: seconds to read one of its photos; None where the check did not measure it.
        budget_s: the time that it was given.
        first_model_s: seconds from its start to the first model that could be downloaded.
        n_tries: how many tries had ended by each of `MARKS_S`.
        n_all: how many tries ended in all.
        searched_s: seconds from its start to the end of the last try.
        end_s: seconds from there to the finished download.
        fine_tuned: whether it found room for fine-tuning.
        was_limited: whether its user allowed fewer networks or sizes than all, so that its tries came sooner than most.
        was_again: whether an earlier run had computed features of the same photos.
        was_cut: whether it was stopped by hand or after a number of tries.
        ended_by_itself: whether the search ended long before its time was over.
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
        """Seconds from its start to the finished download."""
        return self.searched_s + self.end_s

    def n_ended(self, at_s: float) -> float:
        """How many tries had ended by then; beyond the end of its search, as many in a second as on average."""
        if at_s >= self.searched_s:
            return self.n_all * at_s / self.searched_s
        counts = [(0.0, 0), *zip(MARKS_S, self.n_tries, strict=True)]
        known = [*(count for count in counts if count[0] < self.searched_s), (self.searched_s, self.n_all)]
        (before_s, n_before), (after_s, n_after) = next(two for two in pairwise(known) if at_s < two[1][0])
        return n_before + (n_after - n_before) * max(0.0, at_s - before_s) / (after_s - before_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tries:
    """The tries of one stage of a run.

    Attributes:
        n_all: how many ended.
        ended_s: when the last of them ended.
        n_by_mark: how many had ended by each of `MARKS_S`.
    """

    n_all: int
    ended_s: float
    n_by_mark: tuple[int, ...]


_KNOWN: WeakKeyDictionary[object, tuple[Sequence[str], Sequence[PastRun]]] = WeakKeyDictionary()
"""By database, the latest runs and what they show. Each view of a data set's page asks for it, which would be a quarter
of its work; runs that have ended do not change."""


def past_runs(session: Session) -> Sequence[PastRun]:
    """The latest that are done, the latest first, as far as they show something."""
    latest = select(Run.id).where(Run.state == RunState.DONE).order_by(Run.finished_at.desc()).limit(_N_RUNS)
    ids, database = session.scalars(latest).all(), session.get_bind()
    known_ids, known = _KNOWN.get(database, ([], []))
    if ids != known_ids:
        known = _read(session, ids)
        _KNOWN[database] = ids, known
    return known


def _read(session: Session, ids: Sequence[str]) -> list[PastRun]:
    """What the runs `ids` show, in their order, the latest first."""
    rows, tries = _rows(session, ids), _tries(session, ids)
    seen: set[str] = set()
    runs = []
    for row in (rows[run_id] for run_id in reversed(ids) if run_id in rows):  # the oldest first
        past = _past_run(row, tries.get(row.id, {}), row.dataset_id in seen)
        seen.add(row.dataset_id)
        if past is not None:
            runs.append(past)
    return runs[::-1]


def _rows(session: Session, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Only the columns that are needed: results and summaries are long, and each view of a data set's page asks."""
    columns = select(Run.id, Run.dataset_id, Run.budget_s, Run.stop_requested, Run.settings).add_columns(
        part_of_report("time").label("time"),
        Dataset.summary[SPEED_KEY].as_float().label("look_s"),
        DatasetVersion.n_images,
    )
    rows = session.execute(columns.join(Run.dataset).join(Run.version).where(Run.id.in_(ids)))
    return {row.id: row for row in rows}


def _tries(session: Session, ids: Sequence[str]) -> dict[str, dict[str, _Tries]]:
    """The tries of each stage, by run."""
    ended_s = TrialSummary.started_s + TrialSummary.duration_s
    counts = [func.count().filter(ended_s <= mark_s) for mark_s in MARKS_S]
    query = select(TrialSummary.run_id, TrialSummary.stage, func.count(), func.max(ended_s), *counts)
    stages: dict[str, dict[str, _Tries]] = {}
    for run_id, stage, n_all, last_s, *n_by_mark in session.execute(
        query.where(TrialSummary.run_id.in_(ids)).group_by(TrialSummary.run_id, TrialSummary.stage)
    ):
        tries = _Tries(n_all=n_all, ended_s=last_s, n_by_mark=tuple(n_by_mark))
        stages.setdefault(run_id, {})[stage] = tries
    return stages


def _past_run(run: Row[Any], stages: dict[str, _Tries], was_again: bool) -> PastRun | None:
    """None where the run shows nothing: it was recorded by an older version, or no try had ended."""
    time = run.time or {}
    if Stage.HEADS not in stages or not time.get("first_model_s") or not time.get("used_s") or not run.n_images:
        return None
    searched_s = max(tries.ended_s for tries in stages.values())
    if searched_s <= 0:
        return None
    end_s = max(0.0, time["used_s"] - searched_s)
    is_early = run.budget_s - time["used_s"] > max(_MUCH_EARLIER_S, 2 * end_s)
    was_cut = run.stop_requested or run.settings.max_trials is not None
    return PastRun(
        dataset_id=run.dataset_id,
        n_photos=run.n_images,
        look_s=run.look_s,
        budget_s=run.budget_s,
        first_model_s=time["first_model_s"],
        n_tries=tuple(map(sum, zip(*(tries.n_by_mark for tries in stages.values()), strict=True))),
        n_all=sum(tries.n_all for tries in stages.values()),
        searched_s=searched_s,
        end_s=end_s,
        fine_tuned=Stage.FINE_TUNING in stages,
        was_limited=_was_limited(run.settings),
        was_again=was_again,
        was_cut=was_cut,
        ended_by_itself=is_early and not was_cut,
    )


def _was_limited(settings: RunSettings) -> bool:
    limits = (settings.max_model_mb, settings.max_latency_ms, settings.backbones)
    return (settings.max_image_size_px or USUAL_SIZE_PX) < USUAL_SIZE_PX or any(limits)

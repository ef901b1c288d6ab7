"""Where a run is on its budget, worked out from its row: for pages, and for changes of the budget."""

import math
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import object_session

from automl.records import RunState
from automl.store.tables import LogEntry, Run, now

_MOST_SHOWN = 0.99
_END_S = 30.0
"""From the end of a search to the download, as long as no run here has shown how long that takes."""

_AT_FORESEEN_END = 0.9
_N_ENDS = 5
_UNTOLD_S = 1.5  # a worker writes `used_s` once a second; pages have gone on since
_AHEAD_S = 5.0
_ABOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunClock:
    """Where a run is on its budget.

    Attributes:
        progress: 0-1, and 1 only when it is done.
        used_s: Seconds of the budget that are used up.
        left_s: Seconds to the end of the budget, or to the end of an ending that is under way; None once it has ended.
        progress_per_s: How fast a page may move on by itself until it has the next clock.
        is_ending: Whether the best model is being tested and packed, or will be in a moment.
        is_foreseen: False where `left_s` is only a guess, since no run has shown here how long an ending takes.
    """

    progress: float
    used_s: float
    left_s: float | None
    progress_per_s: float = 0.0
    is_ending: bool = False
    is_foreseen: bool = True

    @property
    def about_left_s(self) -> float:
        """What is left of an ending, rounded up to five seconds."""
        return _ABOUT_S * math.ceil((self.left_s or 0.0) / _ABOUT_S)


def run_clock(run: Run, lease_s: float, at: datetime | None = None) -> RunClock:
    """Where a run is now.

    Progress never runs backwards, not even when a run gets more time, is asked to stop or its worker is lost. It goes
    evenly from where it was when that happened last (at first from 0) to the end of the budget, or of an ending that
    is under way. So a run that is given more time goes on from where it is, only slower.

    Args:
        run: Its row.
        lease_s: For how long a lease of a worker holds.
        at: The moment that is asked about, by default the present one.
    """
    used_s = (run.used_s or 0.0) + _since_renewal_s(run, lease_s, at or now())
    if run.state is RunState.DONE:
        return RunClock(progress=1.0, used_s=used_s, left_s=None)
    usual_s = _usual_end_s(run) if is_ending(run) else None
    end_s = _end_s(run, usual_s)
    left_s = None if run.state.is_finished() else max(0.0, end_s - used_s)
    is_foreseen = usual_s is not None or not is_ending(run)
    progress, soon = (_progress(run, at_s, end_s) for at_s in (used_s, used_s + _AHEAD_S))
    return RunClock(
        progress=progress,
        used_s=used_s,
        left_s=left_s,
        progress_per_s=(soon - progress) / _AHEAD_S,
        is_ending=is_ending(run),
        is_foreseen=is_foreseen,
    )


def is_ending(run: Run) -> bool:
    """True from the moment when a run is asked to stop, or its search is over, until the download is there."""
    return run.state is RunState.FINISHING or bool(run.stop_requested and run.state.is_running())


def hold_progress(run: Run, lease_s: float) -> None:
    """Keeps the progress that pages have shown, for a run that loses its worker.

    Seconds that the worker had used since it last wrote `used_s` are lost with it.
    """
    run.progress_from, run.progress_from_s = run_clock(run, lease_s).progress, run.used_s


def begin_ending(run: Run) -> None:
    """Must be called before a run begins to end: its progress goes on from what pages show now to the end of that."""
    shown_s = (run.used_s or 0.0) + _UNTOLD_S
    end_s = _end_s(run, _usual_end_s(run) if is_ending(run) else None)
    run.progress_from, run.progress_from_s = _progress(run, shown_s, end_s), shown_s


def _progress(run: Run, used_s: float, end_s: float) -> float:
    start, start_s = run.progress_from or 0.0, run.progress_from_s or 0.0
    share = max(0.0, (used_s - start_s) / max(end_s - start_s, 1e-9))
    if is_ending(run):
        # Nothing makes an ending keep to its time, so the bar has some way left to go on when that is over.
        share = _AT_FORESEEN_END * share if share < 1 else 1 - (1 - _AT_FORESEEN_END) / share
    return min(_MOST_SHOWN, start + (1 - start) * min(1.0, share))


def _end_s(run: Run, usual_s: float | None) -> float:
    """When the run will have ended, on its own clock.

    `usual_s`: how long an ending takes here, None where that is not known.
    """
    if not is_ending(run):
        return run.budget_s
    return (run.progress_from_s or 0.0) + (_END_S if usual_s is None else usual_s)


def _usual_end_s(run: Run) -> float | None:
    """Seconds from the end of the search to the download, of the latest runs; None where there was none."""
    session = object_session(run)
    if session is None:
        return None
    latest = select(Run.id).where(Run.state == RunState.DONE).order_by(Run.finished_at.desc()).limit(_N_ENDS)
    ends = select(Run.finished_at, LogEntry.at).join(LogEntry, LogEntry.run_id == Run.id).where(Run.id.in_(latest))
    began = ends.where(LogEntry.kind == "state", LogEntry.text == RunState.FINISHING.value)
    # A run that was interrupted in its ending has begun it twice; among five runs, one such hardly moves the median.
    seconds = [(end - begin).total_seconds() for end, begin in session.execute(began) if end is not None]
    return median(seconds) if seconds else None


def _since_renewal_s(run: Run, lease_s: float, at: datetime) -> float:
    """Seconds since the worker last renewed the lease, which is when it writes `used_s`.

    A living worker renews it at least each third of `lease_s`; what a dead one does not use is not counted.
    """
    if run.lease_until is None or not run.state.is_running():
        return 0.0
    renewed_s = lease_s - (run.lease_until - at).total_seconds()
    return min(max(0.0, renewed_s), lease_s / 3)

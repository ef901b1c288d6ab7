"""Where a run is on its budget, worked out from its row: for pages, and for whoever changes the budget."""

from dataclasses import dataclass
from datetime import datetime

from automl.records import RunState
from automl.store.database import Run, now

_MOST_SHOWN = 0.99


@dataclass(frozen=True, slots=True)
class RunClock:
    """Where a run is on its budget. `progress`: 0-1, and 1 only when it is done. `left_s`: None once it has ended."""

    progress: float
    used_s: float
    left_s: float | None


def run_clock(run: Run, lease_s: float, at: datetime | None = None) -> RunClock:
    """Progress never runs backwards, not even when a run gets more time or its worker is lost.

    It goes evenly from where it was when that happened last (at first: from nothing) to the end of the budget. So a
    run that is given more time goes on from where it is, only slower.
    """
    used_s = run.used_s + _since_renewal_s(run, lease_s, at or now())
    if run.state is RunState.DONE:
        return RunClock(1.0, used_s, None)
    start, start_s = run.progress_from or 0.0, run.progress_from_s or 0.0
    share = (used_s - start_s) / max(run.budget_s - start_s, 1e-9)
    progress = min(_MOST_SHOWN, start + (1 - start) * min(1.0, max(0.0, share)))
    left_s = None if run.state.is_finished() else max(0.0, run.budget_s - used_s)
    return RunClock(progress, used_s, left_s)


def hold_progress(run: Run, lease_s: float) -> None:
    """Keeps what pages have shown by now, for a run that loses its worker and what that had used since it said so."""
    run.progress_from, run.progress_from_s = run_clock(run, lease_s).progress, run.used_s


def _since_renewal_s(run: Run, lease_s: float, at: datetime) -> float:
    """Seconds since the worker last renewed the lease, which is when it writes `used_s`.

    A living worker renews it at least each third of `lease_s`; what a dead one does not use is not counted.
    """
    if run.lease_until is None or not run.state.is_running():
        return 0.0
    renewed_s = lease_s - (run.lease_until - at).total_seconds()
    return min(max(0.0, renewed_s), lease_s / 3)

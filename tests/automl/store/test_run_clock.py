"""Progress that never runs backwards, whatever happens to a run."""

from datetime import timedelta

import pytest

from automl.records import RunState
from automl.store.database import Run, now
from automl.store.run_clock import hold_progress, run_clock

LEASE_S = 30


def searching(used_s: float, **values: object) -> Run:
    return Run(state=RunState.SEARCHING, budget_s=100.0, used_s=used_s, **values)


def test_more_time_slows_progress_down_and_never_turns_it_back() -> None:
    run = searching(80.0)
    seen = [run_clock(run, LEASE_S).progress]
    run.progress_from, run.progress_from_s, run.budget_s = seen[0], 80.0, 400.0
    for used_s in (80.0, 90.0, 240.0, 399.0, 500.0):
        run.used_s = used_s
        seen.append(run_clock(run, LEASE_S).progress)
    assert seen == sorted(seen)
    assert seen[:2] == pytest.approx([0.8, 0.8])
    assert seen[3] == pytest.approx(0.9)
    assert seen[-1] < 1


def test_a_run_whose_worker_was_lost_keeps_what_was_shown() -> None:
    run = searching(40.0, lease_until=now() - timedelta(seconds=60))
    shown = run_clock(run, LEASE_S).progress
    hold_progress(run, LEASE_S)
    run.state, run.lease_until = RunState.QUEUED, None
    assert run_clock(run, LEASE_S).progress == pytest.approx(shown)
    assert run_clock(run, LEASE_S).left_s == 60.0
    run.used_s = 70.0
    assert run_clock(run, LEASE_S).progress > shown

"""Progress that never runs backwards, whatever happens to a run."""

from datetime import timedelta

import pytest

from automl.records import RunState
from automl.store.database import Database, find_run
from automl.store.run_clock import begin_ending, hold_progress, run_clock
from automl.store.runs import change_run_state, request_stop
from automl.store.tables import Dataset, LogEntry, Run, now

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


def test_a_stop_leads_from_where_it_is_to_the_end_of_test_and_packing() -> None:
    run = searching(40.0, best_score=0.9)
    seen = [run_clock(run, LEASE_S).progress]
    request_stop(run)
    for used_s in (40.0, 41.0, 50.0):
        run.used_s = used_s
        seen.append(run_clock(run, LEASE_S).progress)
    change_run_state(run, RunState.FINISHING)
    for used_s in (50.0, 51.0, 65.0, 80.0, 500.0):
        run.used_s = used_s
        seen.append(run_clock(run, LEASE_S).progress)
    assert seen == sorted(seen)
    assert seen[1] == pytest.approx(0.4, abs=0.02)
    assert 0.9 < seen[-2] < seen[-1]  # half a minute after the search, of a budget of 100 s
    assert seen[-1] < 1


def test_a_search_that_ends_long_before_its_time_does_so_too() -> None:
    run = searching(10.0)
    change_run_state(run, RunState.FINISHING)
    run.used_s = 38.0
    clock = run_clock(run, LEASE_S)
    assert clock.is_ending and not clock.is_foreseen
    assert clock.progress > 0.8
    assert clock.left_s == pytest.approx(3.5)
    assert clock.about_left_s == 5.0


def test_what_pages_have_shown_since_the_worker_wrote_it_is_kept() -> None:
    run = searching(40.0, lease_until=now() + timedelta(seconds=LEASE_S - 1.2))
    shown = run_clock(run, LEASE_S).progress
    begin_ending(run)
    run.stop_requested = True
    assert run_clock(run, LEASE_S).progress >= shown > 0.41


def test_a_second_stop_does_not_begin_the_end_anew() -> None:
    run = searching(40.0, best_score=0.9)
    request_stop(run)
    run.used_s = 50.0
    before = run_clock(run, LEASE_S)
    request_stop(run)
    assert run_clock(run, LEASE_S) == before


def test_how_long_the_end_takes_is_told_by_the_latest_runs(database: Database) -> None:
    with database.session() as session:
        dataset = Dataset(name="pets")
        for minutes_ago, took_s in ((60, 999.0), *((one, 10.0 * one) for one in (1, 2, 3, 4, 5))):
            done = Run(dataset=dataset, state=RunState.DONE, budget_s=60.0)
            done.finished_at = now() - timedelta(minutes=minutes_ago)
            session.add(done)
            at = done.finished_at - timedelta(seconds=took_s)
            done.log.add(LogEntry(kind="state", text="finishing", at=at))
            done.log.add(LogEntry(kind="state", text="done", at=done.finished_at))
        run = Run(dataset=dataset, state=RunState.SEARCHING, budget_s=600.0, used_s=100.0)
        session.add(run)
        session.flush()
        change_run_state(run, RunState.FINISHING)
        run_id = run.id
    with database.session() as session:
        clock = run_clock(find_run(session, run_id), LEASE_S)
    assert clock.is_foreseen
    assert clock.left_s == pytest.approx(30.0 + 1.5)

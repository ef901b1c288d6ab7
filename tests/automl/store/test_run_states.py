from itertools import product

import pytest

from automl.errors import NotAllowedNow, NotFound
from automl.records import RunState
from automl.store.database import Database, find_dataset, find_run
from automl.store.runs import LEGAL_RUN_CHANGES, change_run_state, request_cancel, request_stop
from automl.store.tables import Run

PATH = (RunState.QUEUED, RunState.PREPARING, RunState.SEARCHING, RunState.FINISHING, RunState.DONE)
FINISHED = [state for state in RunState if state.is_finished()]
RUNNING = [state for state in RunState if state.is_running()]


def a_run(state: RunState = RunState.QUEUED) -> Run:
    return Run(state=state, budget_s=60.0, stop_requested=False, cancel_requested=False, lease_owner="me")


def test_a_run_goes_from_queued_to_done_and_keeps_its_times() -> None:
    run = a_run()
    for state in PATH[1:]:
        change_run_state(run, state)
    assert run.started_at is not None and run.finished_at is not None
    assert run.started_at <= run.finished_at


@pytest.mark.parametrize(("old", "new"), list(product(RunState, RunState)))
def test_only_legal_changes_of_state_are_made(old: RunState, new: RunState) -> None:
    run = a_run(old)
    if new in LEGAL_RUN_CHANGES[old]:
        change_run_state(run, new)
        assert run.state is new
    else:
        with pytest.raises(NotAllowedNow, match=f"{old} cannot become {new}"):
            change_run_state(run, new)
        assert run.state is old


@pytest.mark.parametrize("state", list(RunState))
def test_a_finished_run_never_changes_and_every_other_can_fail_or_be_cancelled(state: RunState) -> None:
    changes = LEGAL_RUN_CHANGES[state]
    assert (changes == frozenset()) if state.is_finished() else ({RunState.FAILED, RunState.CANCELLED} <= changes)


@pytest.mark.parametrize("state", RUNNING)
def test_a_run_whose_worker_died_can_wait_again(state: RunState) -> None:
    assert RunState.QUEUED in LEGAL_RUN_CHANGES[state]


def test_a_run_that_starts_again_keeps_its_first_start() -> None:
    run = a_run()
    change_run_state(run, RunState.PREPARING)
    started = run.started_at
    change_run_state(run, RunState.QUEUED)
    change_run_state(run, RunState.PREPARING)
    assert run.started_at is started


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED])
def test_the_end_gives_the_lease_back_and_forgets_the_progress(state: RunState) -> None:
    run = a_run(RunState.SEARCHING)
    run.progress = 0.9
    change_run_state(run, state)
    assert run.lease_owner == "" and run.lease_until is None and run.progress is None


@pytest.mark.parametrize(("state", "words"), [(RunState.FAILED, "Failed"), (RunState.CANCELLED, "Cancelled")])
def test_an_ended_run_no_longer_says_that_something_is_going_on(state: RunState, words: str) -> None:
    run = a_run()
    run.activity = "Waiting for the worker"
    change_run_state(run, state)
    assert run.activity == words


@pytest.mark.parametrize("state", RUNNING)
def test_a_run_under_way_can_be_asked_to_stop(state: RunState) -> None:
    run = a_run(state)
    run.best_score = 0.9
    request_stop(run)
    assert run.stop_requested and run.state is state


@pytest.mark.parametrize("state", RUNNING)
def test_a_run_without_a_model_cannot_be_stopped(state: RunState) -> None:
    run = a_run(state)
    with pytest.raises(NotAllowedNow, match="no model to keep yet"):
        request_stop(run)
    assert not run.stop_requested


@pytest.mark.parametrize("state", [RunState.QUEUED, *FINISHED])
def test_a_run_that_is_not_under_way_cannot_be_stopped(state: RunState) -> None:
    with pytest.raises(NotAllowedNow):
        request_stop(a_run(state))


def test_a_waiting_run_is_cancelled_at_once_and_a_running_one_is_asked() -> None:
    waiting, running = a_run(), a_run(RunState.SEARCHING)
    request_cancel(waiting)
    request_cancel(running)
    assert waiting.state is RunState.CANCELLED
    assert running.state is RunState.SEARCHING and running.cancel_requested


@pytest.mark.parametrize("state", FINISHED)
def test_a_finished_run_cannot_be_cancelled(state: RunState) -> None:
    with pytest.raises(NotAllowedNow, match="already ended"):
        request_cancel(a_run(state))


def test_what_is_not_there_is_not_found(database: Database) -> None:
    with database.session() as session, pytest.raises(NotFound):
        find_run(session, "0" * 32)
    with database.session() as session, pytest.raises(NotFound):
        find_dataset(session, "0" * 32)

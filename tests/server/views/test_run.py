from datetime import timedelta

import pytest

from automl.records import RunState
from automl.settings import Settings
from automl.store.database import find_run
from automl.store.tables import Run, TrialSummary, now
from server.views.run import run_clock, view_run, with_tries

SETTINGS = Settings()
LEASE_S = SETTINGS.lease_s


def run_at(state: RunState, used_s: float = 0.0, renewed_s_ago: float | None = None) -> tuple[Run, object]:
    """A run with a budget of 100 s whose lease was renewed that long ago."""
    at = now()
    lease_until = None if renewed_s_ago is None else at + timedelta(seconds=LEASE_S - renewed_s_ago)
    return Run(state=state, budget_s=100.0, used_s=used_s, lease_until=lease_until), at


def test_a_waiting_run_has_used_nothing():
    run, at = run_at(RunState.QUEUED)
    clock = run_clock(run, LEASE_S, at)
    assert (clock.progress, clock.left_s) == (0.0, 100.0)


def test_time_goes_on_between_two_renewals_of_the_lease():
    run, at = run_at(RunState.SEARCHING, used_s=40.0, renewed_s_ago=4.0)
    assert run_clock(run, LEASE_S, at).used_s == pytest.approx(44.0)


def test_a_dead_worker_does_not_use_up_the_budget():
    run, at = run_at(RunState.SEARCHING, used_s=40.0, renewed_s_ago=1000.0)
    assert run_clock(run, LEASE_S, at).used_s == pytest.approx(50.0)


def test_progress_never_runs_backwards_while_a_worker_has_the_run():
    """The worker renews each five seconds and writes the time used so far; the page looks each second."""
    start, seen = now(), []
    for second in range(130):
        renewed = second - second % 5
        run = Run(
            state=RunState.PREPARING if second < 20 else RunState.SEARCHING if second < 90 else RunState.FINISHING,
            budget_s=100.0,
            used_s=float(renewed),
            lease_until=start + timedelta(seconds=renewed + LEASE_S),
        )
        seen.append(run_clock(run, LEASE_S, start + timedelta(seconds=second)).progress)
    assert seen == sorted(seen)
    assert max(seen) < 1


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.DONE])
def test_nothing_but_done_shows_100_percent(state):
    run, at = run_at(state, used_s=1000.0, renewed_s_ago=1.0)
    assert run_clock(run, LEASE_S, at).progress < 1


def test_done_is_100_percent_however_early():
    run, at = run_at(RunState.DONE, used_s=10.0)
    assert run_clock(run, LEASE_S, at).progress == 1


def add_trials(session, run_id, *scores):
    for number, score in enumerate(scores):
        state = "failed" if score is None else "complete"
        trial = TrialSummary(run_id=run_id, number=number, state=state, score=score, image_size_px=224)
        trial.started_s = trial.duration_s = 1.0
        session.add(trial)
    session.flush()


def test_a_live_run_shows_its_latest_trials_first(world):
    run_id = world.add_run(RunState.SEARCHING)
    with world.database.session() as session:
        add_trials(session, run_id, *(0.5 for _ in range(60)))
        view = with_tries(session, view_run(session, find_run(session, run_id), SETTINGS))
    assert [trial.number for trial in view.trials] == list(range(59, 9, -1))


def test_an_ended_run_shows_its_best_trials_first_and_failed_ones_last(world):
    run_id = world.add_run(RunState.DONE)
    with world.database.session() as session:
        add_trials(session, run_id, 0.8, None, 0.9, 0.9)
        view = with_tries(session, view_run(session, find_run(session, run_id), SETTINGS))
    assert [trial.number for trial in view.trials] == [2, 3, 0, 1]


@pytest.mark.parametrize("state", [RunState.SEARCHING, RunState.DONE])
def test_the_trial_of_the_best_score_is_marked_even_if_another_scored_more_on_other_photos(world, state):
    run_id = world.add_run(state, best_trial=0)
    with world.database.session() as session:
        add_trials(session, run_id, 0.8, 0.9)
        view = with_tries(session, view_run(session, find_run(session, run_id), SETTINGS))
    assert view.best == 0
    if state is RunState.DONE:
        assert [trial.number for trial in view.trials] == [0, 1]


def test_the_smaller_model_wins_a_tie(world):
    run_id = world.add_run(RunState.CANCELLED)
    with world.database.session() as session:
        add_trials(session, run_id, 0.9, 0.9)
        run = find_run(session, run_id)
        run.trials[0].n_bytes, run.trials[1].n_bytes = 20, 10
        session.flush()
        assert [trial.number for trial in with_tries(session, view_run(session, run, SETTINGS)).trials] == [1, 0]


def test_runs_that_were_asked_for_earlier_are_ahead(world):
    dataset_id = world.add_dataset()
    earlier = now() - timedelta(minutes=5)
    world.add_run(RunState.SEARCHING, dataset_id, created_at=earlier)
    world.add_run(RunState.DONE, dataset_id, created_at=earlier)
    run_id = world.add_run(RunState.QUEUED, dataset_id)
    with world.database.session() as session:
        assert view_run(session, find_run(session, run_id), SETTINGS).turn.n_ahead == 1


def test_the_final_bundle_replaces_the_best_so_far(world):
    run_id = world.add_run(RunState.DONE)
    world.add_artifact(run_id, "bundle", b"z", "model.zip", "application/zip")
    world.add_artifact(run_id, "best_so_far", b"z", "model.zip", "application/zip")
    with world.database.session() as session:
        assert view_run(session, find_run(session, run_id), SETTINGS).bundle.kind == "bundle"

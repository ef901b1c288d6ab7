"""A pruner ends trials that are losing and leaves the others alone."""

import time

import pytest

from automl.records import PrunerKind
from automl.search.pruner import Pruner

N_EPOCHS = 20
PRUNING = [kind for kind in PrunerKind if kind is not PrunerKind.NONE]


def train(pruner: Pruner, quality: float, n_epochs: int = N_EPOCHS) -> int:
    """A fake trial that rises towards `quality`; the epoch at which it was ended."""
    watched = pruner.watch()
    for epoch in range(1, n_epochs + 1):
        if watched.report(epoch, quality * (1 - 0.5**epoch)):
            watched.finish(None, pruned=True)
            return epoch
    watched.finish(quality, pruned=False)
    return n_epochs


def seasoned(kind: PrunerKind) -> Pruner:
    pruner = Pruner(kind, N_EPOCHS)
    for n in range(30):
        train(pruner, 0.7 + 0.2 * (n % 7) / 7)
    return pruner


@pytest.mark.parametrize("kind", PRUNING)
def test_a_losing_trial_is_ended_early(kind):
    pruner = seasoned(kind)
    assert min(train(pruner, 0.1) for _ in range(5)) < N_EPOCHS / 2


@pytest.mark.parametrize("kind", PrunerKind)
def test_the_best_trial_so_far_runs_to_its_end(kind):
    assert train(seasoned(kind), 0.99) == N_EPOCHS


def test_no_pruner_ends_nothing():
    assert train(seasoned(PrunerKind.NONE), 0.01) == N_EPOCHS


def test_the_median_waits_for_eight_trials():
    pruner = Pruner(PrunerKind.MEDIAN, N_EPOCHS)
    assert [train(pruner, 0.9) for _ in range(7)] + [train(pruner, 0.1)] == [N_EPOCHS] * 8
    assert train(pruner, 0.1) < N_EPOCHS


def test_the_median_leaves_a_trial_alone_while_it_warms_up():
    pruner = Pruner(PrunerKind.MEDIAN, 100)
    for _ in range(8):
        train(pruner, 0.9, 100)
    assert train(pruner, 0.1, 100) == 8


def test_failed_trials_are_not_compared_with():
    pruner = Pruner(PrunerKind.MEDIAN, N_EPOCHS)
    for _ in range(10):
        watched = pruner.watch()
        watched.report(1, 0.9)
        watched.finish(None, pruned=False)
    assert train(pruner, 0.1) == N_EPOCHS


@pytest.mark.parametrize("kind", PrunerKind)
def test_the_same_scores_are_pruned_at_the_same_epochs(kind):
    def ends() -> list[int]:
        pruner = Pruner(kind, N_EPOCHS)
        return [train(pruner, 0.3 + 0.6 * (n * 37 % 40) / 40) for n in range(40)]

    assert ends() == ends()


@pytest.mark.parametrize("kind", PrunerKind)
@pytest.mark.parametrize("max_epochs", [1, 2, 5])
def test_even_the_shortest_trainings_can_be_watched(kind, max_epochs):
    pruner = Pruner(kind, max_epochs)
    for _ in range(10):
        assert 1 <= train(pruner, 0.9, max_epochs) <= max_epochs


@pytest.mark.parametrize("kind", PrunerKind)
def test_a_report_stays_cheap_after_many_trials(kind):
    pruner = Pruner(kind, N_EPOCHS)
    for n in range(700):
        train(pruner, 0.9 + n / 10_000, 2)
    watched = pruner.watch()
    took_s = []
    for epoch in range(1, N_EPOCHS + 1):
        start_s = time.perf_counter()
        watched.report(epoch, 0.99)
        took_s.append(time.perf_counter() - start_s)
    assert sorted(took_s)[N_EPOCHS // 2] < 0.001

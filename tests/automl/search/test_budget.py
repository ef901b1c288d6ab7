"""One clock: what is left to search, what is kept back, and how the user stops it."""

import pytest

from automl.search.budget import Budget, SearchOver


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_search_time_is_what_the_reserve_leaves():
    clock = Clock()
    budget = Budget(120, reserve_s=20, clock=clock)
    clock.now += 30
    assert budget.search_left_s == pytest.approx(70)


def test_reserve_never_takes_more_than_half():
    budget = Budget(30, reserve_s=25, clock=Clock())
    assert budget.search_left_s == pytest.approx(15)


def test_check_raises_when_only_the_reserve_is_left():
    clock = Clock()
    budget = Budget(120, reserve_s=20, clock=clock)
    budget.check()
    clock.now += 100
    with pytest.raises(SearchOver):
        budget.check()


def test_stop_ends_the_search_at_once():
    budget = Budget(3600, clock=Clock())
    budget.stop()
    assert budget.search_left_s == 0
    with pytest.raises(SearchOver):
        budget.check()


def test_time_used_by_an_earlier_attempt_counts():
    budget = Budget(120, reserve_s=20, used_s=90, clock=Clock())
    assert budget.elapsed_s == pytest.approx(90)
    assert budget.search_left_s == pytest.approx(10)


def test_a_measured_reserve_replaces_the_guess():
    budget = Budget(120, reserve_s=20, clock=Clock())
    budget.reserve(40)
    assert budget.search_left_s == pytest.approx(80)


def test_without_a_clock_time_never_ends_but_stop_does():
    clock = Clock()
    budget = Budget(None, reserve_s=20, clock=clock)
    clock.now += 1e9
    budget.check()
    assert not budget.has_clock and budget.search_left_s == float("inf") and budget.elapsed_s == 1e9
    budget.stop()
    assert budget.search_left_s == 0
    with pytest.raises(SearchOver):
        budget.check()


def test_a_budget_that_an_earlier_attempt_used_up_leaves_nothing():
    budget = Budget(120, used_s=200, clock=Clock())
    assert budget.search_left_s == 0
    assert budget.has_clock and not budget.stopped_by_user


def test_more_time_is_searched_with_at_once():
    clock = Clock()
    budget = Budget(30, reserve_s=25, clock=clock)
    budget.extend(330)
    assert budget.search_left_s == pytest.approx(305)  # the reserve need not be halved any more


def test_more_time_ends_no_stop_and_less_of_it_is_ignored():
    budget = Budget(120, clock=Clock())
    budget.extend(60)
    assert budget.total_s == 120
    budget.stop()
    budget.extend(600)
    assert budget.search_left_s == 0


def test_a_run_without_a_clock_keeps_none():
    budget = Budget(None, clock=Clock())
    budget.extend(600)
    assert not budget.has_clock

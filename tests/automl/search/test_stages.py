"""The search with fake features, a fake objective and a fake clock."""

import numpy as np
import pytest

from automl.errors import RunFailed, TrialFailed
from automl.models.heads import Curves, HeadFit
from automl.records import RunSettings, RunState, TrialRecord, TrialState
from automl.search import stages
from automl.search.budget import Budget
from automl.search.space import head_space
from automl.search.stages import HeadSearch
from automl.search.trial import Candidate, Targets

SIZE = {"mobilenet_v2": 9, "mobilenet_v1": 12}
FEATURE_S, TRIAL_S = 5.0, 2.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Features:
    """Stands in for FrozenFeatures: time passes, nothing is computed."""

    backbones = ("mobilenet_v2", "mobilenet_v1")

    def __init__(self, clock: Clock, cached: bool = False) -> None:
        self.clock, self.cached, self.blocks, self.n_computed = clock, cached, set(), 0

    def seconds_per_image(self, backbone):
        return {"mobilenet_v2": 0.06, "mobilenet_v1": 0.05}[backbone]  # not in the order of `backbones`

    def is_computed(self, backbone, size):
        return self.cached

    def computed(self):
        return {(name, size) for name in self.backbones for size in (160, 224)} if self.cached else set()

    def decode_seconds(self):
        return 1.0

    def decode(self, blocks, on_progress):
        on_progress(1, 1)

    def compute(self, backbone, size, on_progress):
        if not self.cached:
            self.n_computed += 1
            self.clock.now += FEATURE_S
        on_progress(1, 1)
        self.blocks.add((backbone, size))

    def available(self):
        return self.blocks

    def release_pixels(self, sizes):
        pass


class Observer:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.states, self.records, self.notes, self.spaces = [], [], [], []

    def state(self, state):
        self.states.append(state)

    def activity(self, text, progress=None):
        pass

    def note(self, text):
        self.notes.append(text)

    def space(self, space):
        self.spaces.append(space)

    def trial(self, record, best):
        self.records.append(record)


def candidate(number, params, accuracy, loss=0.5, n_bytes=10) -> Candidate:
    curves = Curves((1.0,), (0.5,), (loss,), (accuracy,))
    fit = HeadFit(np.zeros((2, 2)), np.zeros(2), np.zeros((4, 2)), accuracy, loss, 1, curves)
    return Candidate(number, params, fit, np.zeros(2), np.ones(2), n_bytes)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world(clock, tmp_path, monkeypatch):
    """Builds a search; `objective` gives the accuracy for (number, params) or raises."""

    def build(objective, budget_s=120.0, max_trials=None, cached=False, earlier=()):
        def run_trial(number, params, features, targets, seed, on_epoch):
            clock.now += TRIAL_S
            on_epoch()
            return candidate(number, params, objective(number, params))

        monkeypatch.setattr(stages, "run_head_trial", run_trial)
        observer, budget = Observer(), Budget(budget_s, reserve_s=20, clock=clock)
        told = []
        search = HeadSearch(
            Features(clock, cached),
            Targets(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), 2, 2),
            RunSettings(budget_s=budget_s, max_trials=max_trials),
            budget,
            observer,
            tmp_path,
            told.append,
            earlier,
        )
        return search, budget, observer, told

    return build


def test_the_best_on_validation_wins(world):
    search, _, observer, _ = world(lambda number, params: 0.9 if number == 5 else 0.8)
    assert search.run(search.prepare()).number == 5
    assert observer.states == [RunState.SEARCHING]


def test_the_search_ends_before_the_reserve_begins(world, clock):
    search, budget, _, _ = world(lambda number, params: 0.8)
    search.run(search.prepare())
    assert 120 - 20 - 2 * TRIAL_S <= clock.now <= 120 - 20
    assert budget.search_left_s <= 2 * TRIAL_S


def test_after_each_trial_the_best_so_far_is_told(world):
    scores = [0.5, 0.4, 0.6, 0.6, 0.7]
    search, _, _, told = world(lambda number, params: scores[number], max_trials=5)
    search.run(search.prepare())
    assert [model.number for model in told] == [0, 0, 2, 2, 4]


def test_a_tiny_budget_still_gives_a_model(world):
    search, _, _, told = world(lambda number, params: 0.8, budget_s=4)
    assert search.run(search.prepare()) is told[0]


def test_stop_keeps_the_best_so_far(world):
    def objective(number, params):
        if number == 3:
            budget.stop()
        return 0.8 + number / 100

    search, budget, observer, _ = world(objective)
    assert search.run(search.prepare()).number == 3
    assert len(observer.records) == 4
    assert any("stopped by hand" in note for note in observer.notes)


def test_the_trial_limit_holds(world):
    search, _, observer, _ = world(lambda number, params: 0.8, max_trials=6)
    search.run(search.prepare())
    assert len(observer.records) == 6
    assert any("limit of 6 trials" in note for note in observer.notes)


def test_a_trial_limit_of_one_gives_one_trial(world):
    search, _, observer, _ = world(lambda number, params: 0.8, max_trials=1)
    search.run(search.prepare())
    assert len(observer.records) == 1


def test_a_failed_trial_is_recorded_and_the_search_goes_on(world):
    def objective(number, params):
        if number == 4:
            raise TrialFailed("not enough memory")
        return 0.8

    search, _, observer, _ = world(objective, max_trials=8)
    search.run(search.prepare())
    assert observer.records[4].state is TrialState.FAILED
    assert "not enough memory" in observer.records[4].message
    assert len(observer.records) == 8


def test_a_search_in_which_every_trial_fails_says_why(world):
    def objective(number, params):
        raise TrialFailed("the numbers are not finite")

    search, *_ = world(objective)
    with pytest.raises(RunFailed, match="the numbers are not finite"):
        search.run(search.prepare())


def test_every_trial_lies_in_the_space_that_was_told(world):
    search, _, observer, _ = world(lambda number, params: 0.8, max_trials=20)
    search.run(search.prepare())
    assert all(observer.spaces[0].contains(record.params) for record in observer.records)


def test_features_of_an_earlier_run_cost_nothing(world, clock):
    search, *_ = world(lambda number, params: 0.8, max_trials=1, cached=True)
    search.run(search.prepare())
    assert clock.now == TRIAL_S


def test_an_interrupted_run_goes_on_counting_and_retries_its_best(world):
    params = {"backbones": "mobilenet_v1", "taps": "last", "image_size_px": 224, "dropout": 0.11, "patience": 5}
    params |= {"learning_rate": 0.01, "weight_decay": 0.01, "label_smoothing": 0.0, "lr_schedule": "cosine"}
    earlier = (TrialRecord(0, TrialState.COMPLETE, ("mobilenet_v1",), 224, params, 0.95, 1.0, 2.0),)
    search, _, observer, _ = world(lambda number, p: 0.95 if p == params else 0.5, earlier=earlier)
    winner = search.run(search.prepare())
    assert winner.params == params
    assert winner.number == observer.records[0].number == 1


def test_an_interrupted_run_keeps_its_plan_however_little_time_is_left(world):
    params = head_space(("mobilenet_v2", "mobilenet_v1"), (192,)).defaults(backbones="mobilenet_v2+mobilenet_v1")
    earlier = (TrialRecord(0, TrialState.COMPLETE, ("mobilenet_v2", "mobilenet_v1"), 192, params, 0.95, 1.0, 2.0),)
    search, _, observer, _ = world(lambda number, p: 0.9, budget_s=30, earlier=earlier)
    plan = search.prepare()
    assert plan.blocks == (("mobilenet_v2", 192), ("mobilenet_v1", 192))
    assert search.run(plan).params == params
    assert all(observer.spaces[0].contains(record.params) for record in observer.records)


def test_an_interrupted_run_outlives_one_failure_of_its_first_trial(world):
    def objective(number, params):
        if number == 3:
            raise TrialFailed("not enough memory")
        return 0.8

    params = head_space(("mobilenet_v2", "mobilenet_v1"), (192,)).defaults()
    earlier = [TrialRecord(n, TrialState.COMPLETE, ("mobilenet_v2",), 192, params, 0.9, 1.0, 2.0) for n in range(3)]
    search, _, observer, _ = world(objective, earlier=earlier)
    assert search.run(search.prepare()).score == 0.8
    assert observer.records[0].state is TrialState.FAILED


def test_a_tie_goes_to_the_smaller_model():
    small, large = candidate(0, {}, 0.9, n_bytes=9), candidate(1, {}, 0.9, n_bytes=12)
    assert small.is_better_than(large)
    assert not large.is_better_than(small)


def test_among_equals_the_lower_loss_wins():
    assert candidate(0, {}, 0.9, loss=0.1).is_better_than(candidate(1, {}, 0.9, loss=0.2))

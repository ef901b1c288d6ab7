"""When models are packed, and what happens where one cannot be written."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from automl.delivery.exporter import ExportedModels
from automl.errors import DiskFull, RunFailed
from automl.pipeline import packing
from automl.pipeline.end_times import EndTimes
from automl.pipeline.packing import Packer
from automl.records import ImageRecord
from automl.search.budget import Budget
from automl.search.candidate import Branch
from automl.search.observer import Observer
from automl.serving.predict import RULES
from tests.automl.pipeline.fakes import SteadyPace
from tests.automl.search.fakes import V2, Clock, Features, branch_head, candidate

EXPORT_S = 0.5
TUNED = Branch(V2, 224, Path("tuned.weights.h5"))


class Exporter:
    """Takes half a second for `model.onnx`, four times that for both files. `broken`: numbers it cannot write."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.broken, self.differing = clock, set(), set()
        self.written = []

    def export(self, model, target, *, with_keras=True):
        self.clock.now += EXPORT_S * (4 if with_keras else 1)
        if model.number in self.broken:
            raise DiskFull("The disk is full.")
        target.mkdir(parents=True, exist_ok=True)
        self.written.append((model.number, with_keras))
        return ExportedModels(target / "model.onnx", target / "model.keras" if with_keras else None, contract="")

    def largest_difference(self, model, _models, _pictures):
        return 0.5 if model.number in self.differing else 0.0


class PackingObserver(Observer):
    """Remembers the notes and the score of each download."""

    def __init__(self) -> None:
        self.notes, self.packed = [], []

    def note(self, text):
        self.notes.append(text)

    def best_so_far(self, _bundle, score):
        self.packed.append(score)


class TensorFlow:
    """Is loaded once `loading_s` is None."""

    loading_s: float | None = 0.0


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A packer with 100 test photos and a budget of 600 seconds."""
    clock, observer, tensorflow = Clock(), PackingObserver(), TensorFlow()
    monkeypatch.setattr(packing, "load_image", lambda _path, size, _rules: np.zeros((size, size, 3), np.uint8))
    monkeypatch.setattr(packing, "write_bundle", lambda *_: None)
    budget, exporter = Budget(600, clock=clock), Exporter(clock)
    pool = [ImageRecord(path=Path("x"), name="x", label="a", sha256="0", width=9, height=9)] * 4
    pace = SteadyPace()
    times = EndTimes(Features(clock), n_test=100, budget=budget, pace=pace, kept=tmp_path / "measured.json")
    packer = Packer(
        exporter,
        describe=lambda _model: None,
        times=times,
        photos=pool,
        rules=RULES,
        budget=budget,
        observer=observer,
        workspace=tmp_path,
        tensorflow=tensorflow,
    )
    return SimpleNamespace(**locals())


def test_the_first_model_is_packed_at_once_and_the_same_one_never_again(world):
    best = candidate(0)
    for _ in range(3):
        world.packer.after_trial(best)
        world.clock.now += 100
    assert world.exporter.written == [(0, False)]
    assert world.packer.first.at_s == EXPORT_S


def test_the_file_of_the_first_model_stays_when_a_better_one_is_packed(world):
    first, better = candidate(0), candidate(1, 0.9)
    world.packer.after_trial(first)
    world.clock.now += 100
    world.packer.after_trial(better)
    assert world.exporter.written == [(0, False), (1, False)]
    assert world.packer.first.candidate is first
    assert world.packer.first.onnx.parent != world.packer.deliver([better]).models.onnx.parent


def test_a_first_model_that_could_not_be_packed_is_not_the_first(world):
    world.exporter.broken = {0}
    world.packer.after_trial(candidate(0))
    world.clock.now += 100
    assert world.packer.first is None and not world.packer.has_time_for_first(candidate(0))
    world.packer.after_trial(candidate(1))
    assert world.packer.first.candidate.number == 1


@pytest.mark.parametrize(("n_test", "left_s", "is_scored"), [(100, 0, True), (1000, 60, True), (1000, 30, False)])
def test_the_first_model_is_scored_where_that_is_quick_or_time_is_left(world, n_test, left_s, is_scored):
    """2 s of 600 are a small part; 20 s beside the winner's 20 are not, so they must be left."""
    world.times._n_test = n_test
    world.packer.after_trial(candidate(0))
    world.clock.now = 1000 + 600 - left_s
    assert world.packer.has_time_for_first(candidate(1)) is is_scored


def test_a_better_model_is_packed_as_soon_as_that_costs_a_twentieth_of_the_time(world):
    world.packer.after_trial(candidate(0))
    for number, (waited_s, n_packed) in enumerate([(14, 1), (2, 2), (14, 2), (2, 3)], 1):
        world.clock.now += waited_s
        world.packer.after_trial(candidate(number))
        assert len(world.exporter.written) == n_packed
    world.tensorflow.loading_s = None
    world.clock.now += 30  # with model.keras it takes 2 s, so 40 s must have passed
    world.packer.after_trial(candidate(9))
    assert len(world.exporter.written) == 3
    world.clock.now += 11
    world.packer.after_trial(candidate(10))
    assert world.exporter.written[-1] == (10, True)


def test_a_clearly_better_second_model_is_packed_early_once_and_without_tensorflow(world):
    world.tensorflow.loading_s = None
    world.packer.after_trial(candidate(0, 0.7))
    assert world.exporter.written == [(0, True)]
    for number, (waited_s, score, n_packed) in enumerate([(4, 0.9, 1), (2, 0.7, 1), (1, 0.9, 2), (20, 1.0, 2)], 1):
        world.clock.now += waited_s
        world.packer.after_trial(candidate(number, score))
        assert len(world.exporter.written) == n_packed
    assert world.exporter.written[-1] == (3, False)


@pytest.mark.parametrize(("left_s", "n_packed"), [(6, 2), (4, 1)])
def test_the_second_model_is_packed_early_only_where_that_takes_a_tenth_of_what_is_left(world, left_s, n_packed):
    world.packer.after_trial(candidate(0, 0.7))
    world.clock.now += world.budget.search_left_s - left_s - 10
    world.packer._tried_at_s = world.budget.elapsed_s  # as if the first one had come so late
    world.clock.now += 10
    world.packer.after_trial(candidate(1, 0.9))
    assert len(world.exporter.written) == n_packed


def test_a_tuned_model_is_never_packed_early(world):
    world.packer.after_trial(candidate(0, 0.7))
    world.clock.now += 10
    world.packer.after_trial(candidate(1, 0.9, heads=(branch_head(TUNED),)))
    assert len(world.exporter.written) == 1


def test_nothing_is_packed_when_the_search_is_over_or_will_be_by_then(world):
    world.packer.after_trial(candidate(0))
    world.clock.now += 100
    world.budget.stop()
    world.packer.after_trial(candidate(1))
    assert world.exporter.written == [(0, False)]


def test_a_short_budget_keeps_half_for_the_search(world):
    world.packer._budget = world.times._budget = Budget(30, clock=world.clock)
    world.packer.expect_fine_tuned()
    world.packer.after_trial(candidate(0))
    assert world.packer._budget.reserve_s == 15


def test_a_model_that_cannot_be_packed_is_noted_once_and_the_search_goes_on(world):
    world.exporter.broken = {0, 1}
    for number in range(3):
        world.packer.after_trial(candidate(number))
        world.clock.now += 100
    assert world.observer.notes == ["A model could not be packed while the search went on (The disk is full.)."]
    assert world.exporter.written == [(2, False)]


def test_where_the_best_cannot_be_written_the_best_head_is_delivered(world):
    best, head = candidate(3, heads=(branch_head(TUNED),)), candidate(1)
    world.exporter.differing = {3}
    packed = world.packer.deliver([best, head])
    assert packed.candidate is head and packed.models.keras is not None
    assert "try 4 could not be written" in world.observer.notes[0]
    assert "next best" in world.observer.notes[0]


def test_another_model_is_asked_for_only_where_the_best_one_cannot_be_written(world):
    """What completing it takes would be the user's time."""
    asked = []

    def in_order():
        for number in (1, 2, 3):
            asked.append(number)
            yield candidate(number)

    world.exporter.broken = {1}
    assert world.packer.deliver(in_order()).candidate.number == 2
    assert asked == [1, 2]


def test_the_model_of_the_last_download_is_the_last_resort(world):
    first = candidate(0)
    world.packer.after_trial(first)
    world.exporter.broken = {1, 2}
    assert world.packer.deliver([candidate(2), candidate(1)]).candidate is first


def test_where_no_model_can_be_written_the_run_fails(world):
    best = candidate(0)
    world.exporter.differing = {0}
    with pytest.raises(RunFailed, match="disagree"):
        world.packer.deliver([best, best])
    assert world.observer.notes == []


def test_files_that_are_complete_are_not_written_again(world):
    world.tensorflow.loading_s = None
    best = candidate(0)
    world.packer.after_trial(best)
    world.packer.deliver([best, best])
    refitted = replace(best, fold_layers=())
    world.packer.deliver([refitted, best])
    assert world.exporter.written == [(0, True), (0, True)]


@pytest.mark.parametrize("is_tuned", [True, False])
def test_only_a_tuned_model_is_packed_with_its_keras_file_before_tensorflow_is_there(world, is_tuned):
    """Without that file, what was written would be compared with pretrained parts."""
    world.packer.after_trial(candidate(0, heads=(branch_head(TUNED) if is_tuned else branch_head(),)))
    assert world.exporter.written == [(0, is_tuned)]

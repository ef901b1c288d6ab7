"""How long the end of a run is foreseen to take, from this run and from the machine's earlier ones."""

from pathlib import Path

import pytest

from automl.evaluation.other_pictures import N_PICTURES
from automl.pipeline.end_times import DISTANCE_S, EXPLAIN_S, PLOTS_AND_PACKING_S, EndTimes, Part
from automl.search.budget import Budget
from automl.search.candidate import Branch
from tests.automl.pipeline.fakes import SteadyPace
from tests.automl.search.fakes import LATENCY_S, V1, V2, Clock, Features, branch_head, candidate

EXPORT_S = 0.5
SAFETY, SPARE_S = 1.3, 2.0
N_TEST = 100
TEST_S = 1.0 + N_TEST * LATENCY_S[V2]
REST_S = DISTANCE_S + EXPLAIN_S + PLOTS_AND_PACKING_S + N_PICTURES * LATENCY_S[V2]
TUNED = Branch(V2, 224, Path("tuned.weights.h5"))
FUSED = candidate(1, heads=(branch_head(), branch_head(Branch(V1, 224))))
QUIET_S = {Part.DISTANCE: 0.2, Part.EXPORT: 3.0, Part.TEST: 2.0, Part.REST: 4.0}
"""What the parts of a made-up end take on the quiet machine."""


class TimedFeatures(Features):
    """Networks that are timed on a machine as busy as it is."""

    pace: SteadyPace

    def latency_s(self, backbone: str, image_size_px: int) -> float:
        return self.pace.times * super().latency_s(backbone, image_size_px)


class Machine:
    """Runs one after another on one machine. `slowness`: how many times as long all takes, as other work makes it."""

    def __init__(self, folder: Path, slowness: float = 1.0) -> None:
        self.clock, self.folder, self.pace = Clock(), folder, SteadyPace(slowness)
        self.budget = Budget(120, clock=self.clock)

    def times(self, *, n_test: int = N_TEST, budget_s: float = 600) -> EndTimes:
        """Those of a new run, after its first model was exported."""
        self.budget = Budget(budget_s, clock=self.clock)
        features = TimedFeatures(self.clock)
        features.pace = self.pace
        times = EndTimes(
            features,
            n_test=n_test,
            budget=self.budget,
            pace=self.pace,
            kept=self.folder / "measured.json",
        )
        times.learn_export(candidate(0), self.pace.times * EXPORT_S, with_keras=False)
        return times

    def short_run(self) -> tuple[float, float]:
        """A run of two minutes: the seconds that its end was foreseen to take, and those that it took."""
        times = self.times(budget_s=120)
        foreseen_s = times.end_s(candidate(0), None, loading_s=None)
        began_s = self.clock.now
        for part, seconds in QUIET_S.items():
            with times.timed(part, candidate(0)):
                self.clock.now += self.pace.times * seconds
        return foreseen_s, self.clock.now - began_s


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_before_anything_is_known_of_the_machine_each_part_is_foreseen_with_some_doubt(machine):
    end_s = machine.times().end_s(candidate(0), None, loading_s=None)
    assert end_s == pytest.approx(SAFETY * (4 * EXPORT_S + TEST_S + REST_S) + SPARE_S)


def test_a_quiet_machine_foresees_its_second_end_to_a_few_seconds(machine):
    machine.short_run()
    foreseen_s, took_s = machine.short_run()
    assert took_s < foreseen_s < took_s + 4


def test_a_busy_machine_foresees_that_the_end_takes_longer(machine):
    machine.short_run()
    machine.pace.times = 4.0
    foreseen_s, took_s = machine.short_run()
    assert took_s == pytest.approx(4 * sum(QUIET_S.values()))
    assert took_s < foreseen_s < 1.2 * took_s


def test_the_first_run_on_a_machine_teaches_nothing_since_it_may_have_been_busy(machine):
    machine.pace.is_known = False
    before_s, _ = machine.short_run()
    machine.pace.is_known = True
    assert machine.short_run()[0] == pytest.approx(before_s)


def test_a_busy_run_does_not_mislead_a_later_one_on_a_quiet_machine(machine):
    machine.pace.times = 4.0
    machine.short_run()
    machine.pace.times = 1.0
    foreseen_s, took_s = machine.short_run()
    assert took_s < foreseen_s < took_s + 4


def test_load_that_comes_during_the_search_is_foreseen_as_soon_as_the_machine_is_slower(machine):
    machine.short_run()
    times = machine.times(budget_s=120)
    quiet_s = times.end_s(candidate(0), None, loading_s=None)
    machine.pace.times = 3.0
    assert times.end_s(candidate(0), None, loading_s=None) - SPARE_S == pytest.approx(3 * (quiet_s - SPARE_S))


def test_one_strange_run_among_others_changes_nothing(machine):
    for _ in range(2):
        machine.short_run()
    before_s = machine.times().end_s(candidate(0), None, loading_s=None)
    with machine.times().timed(Part.EXPORT, candidate(0)):
        machine.clock.now += 500
    assert machine.times().end_s(candidate(0), None, loading_s=None) == pytest.approx(before_s)


def test_a_part_inside_another_counts_once(machine):
    times = machine.times()
    with times.timed(Part.REST, candidate(0)):
        machine.clock.now += 4
        with times.timed(Part.MAPS, candidate(0)):
            machine.clock.now += EXPLAIN_S
    later = machine.times()
    plain_s = PLOTS_AND_PACKING_S + N_PICTURES * LATENCY_S[V2]
    assert later._corrected_s(Part.REST, plain_s) == pytest.approx(1.1 * 4, rel=0.01)
    assert later.drawing_s(candidate(0)) == pytest.approx(1.1 * (4 + EXPLAIN_S), rel=0.01)


def test_the_seconds_of_a_first_model_that_is_tested_too_are_not_taken_for_slowness(machine):
    times = machine.times()
    with times.timed(Part.TEST, candidate(0), first=candidate(0)):
        machine.clock.now += TEST_S + N_TEST * LATENCY_S[V2]
    assert machine.times()._corrected_s(Part.TEST, TEST_S) == pytest.approx(1.1 * TEST_S, rel=0.01)


def test_what_ends_a_part_is_not_kept(machine):
    times = machine.times()
    with pytest.raises(OSError, match="full"), times.timed(Part.REST, candidate(0)):
        machine.clock.now += 100
        raise OSError("full")
    assert machine.times()._corrected_s(Part.REST, 1.0) == pytest.approx(SAFETY)


@pytest.mark.parametrize(("loading_s", "foreseen_s"), [(0.0, 8.0), (3.0, 8.0), (30.0, 30.0)])
def test_what_has_been_loading_for_long_is_foreseen_to_take_as_long_again(machine, loading_s, foreseen_s):
    times = machine.times()
    loaded_s, loading_s = (times.end_s(candidate(0), None, loading_s=one) for one in (None, loading_s))
    assert loading_s - loaded_s == pytest.approx(SAFETY * foreseen_s)


def test_a_mean_of_networks_that_may_be_chosen_at_the_end_takes_longer_to_pack_than_the_best_one(machine):
    times = machine.times()
    one_s = times.end_s(candidate(0), None, loading_s=None)
    times.most_branches = 3
    assert times.end_s(candidate(0), None, loading_s=None) - one_s == pytest.approx(SAFETY * 1.6 * 4 * EXPORT_S)


@pytest.mark.parametrize(("n_test", "is_tested_too"), [(100, True), (1000, False)])
def test_no_time_is_kept_for_the_first_model_where_that_would_be_much(machine, n_test, is_tested_too):
    times = machine.times(n_test=n_test)
    alone_s, both_s = (times.end_s(candidate(0), first, loading_s=None) for first in (None, candidate(0)))
    assert both_s - alone_s == pytest.approx(SAFETY * n_test * LATENCY_S[V2] * is_tested_too)


def test_a_short_run_keeps_no_time_for_heat_maps(machine):
    long_s, short_s = (
        machine.times(budget_s=budget_s).end_s(candidate(0), None, loading_s=None) for budget_s in (600, 120)
    )
    assert long_s - short_s == pytest.approx(SAFETY * EXPLAIN_S)


def test_the_end_is_longer_with_a_tuned_network_and_its_mean_with_a_head_ahead(machine):
    times = machine.times()
    before_s = times.end_s(candidate(0), None, loading_s=None)
    times.may_be_tuned = True
    tuned_s = SAFETY * (0.8 * 4 * EXPORT_S + 20)
    assert times.end_s(candidate(0), None, loading_s=None) - before_s == pytest.approx(tuned_s)
    asked_s = SAFETY * (N_TEST + N_PICTURES) * LATENCY_S[V1]
    assert times.end_s(FUSED, None, loading_s=None) - before_s == pytest.approx(tuned_s + asked_s)


def test_converting_a_network_with_weights_of_its_own_is_foreseen_as_the_longest_so_far(machine):
    times = machine.times()
    tuned = candidate(1, heads=(branch_head(TUNED),))
    times.learn_export(tuned, 4 * EXPORT_S + 40, with_keras=True)
    times.learn_export(tuned, 4 * EXPORT_S + 5, with_keras=True)
    assert times.pack_s(tuned, with_keras=True) == pytest.approx(4 * EXPORT_S + 40)

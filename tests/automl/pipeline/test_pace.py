"""How busy the machine is, by a small piece of work whose quickest time is kept."""

from pathlib import Path

import pytest

from automl.pipeline.pace import Pace
from tests.automl.search.fakes import Clock


class Machine:
    """The work takes `work_s`; other work makes it longer."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.file, self.work_s, self.n_looks = Clock(), folder / "measured.json", 0.01, 0

    def work(self) -> None:
        self.n_looks += 1
        self.clock.now += self.work_s

    def pace(self, start_s: float = 0.0, *, is_disturbed: bool = False) -> Pace:
        return Pace(self.file, is_disturbed=lambda: is_disturbed, start_s=start_s, work=self.work, clock=self.clock)

    def looks(self, pace: Pace, n: int = 10) -> float:
        """What the pace says after some seconds."""
        for _ in range(n):
            self.clock.now += 2
            found = pace.slowness()
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def run(machine: Machine) -> None:
    pace = machine.pace()
    machine.looks(pace)
    pace.keep()


@pytest.mark.parametrize(("start_s", "expected"), [(0.0, 1.0), (1.0, 1.0), (2.5, 1.0), (5.0, 2.0), (90.0, 3.0)])
def test_the_first_run_on_a_machine_goes_by_what_its_start_took(machine, start_s, expected):
    assert machine.looks(machine.pace(start_s)) == expected


def test_a_later_run_goes_by_the_quickest_time_of_the_earlier_ones(machine):
    assert not machine.pace().is_known
    run(machine)
    pace = machine.pace(start_s=50)
    assert pace.is_known
    assert machine.looks(pace) == pytest.approx(1.0)
    machine.work_s = 0.04  # longer work suffers less from others than this
    assert machine.looks(pace) == pytest.approx(2.0)


def test_a_single_slow_moment_is_not_taken_for_load(machine):
    run(machine)
    pace = machine.pace()
    machine.looks(pace)
    machine.work_s = 1.0
    assert machine.looks(pace, 1) == pytest.approx(1.0)


def test_however_busy_it_is_the_end_is_not_foreseen_to_take_the_whole_time(machine):
    run(machine)
    machine.work_s = 10.0
    assert machine.looks(machine.pace()) == 3.0


def test_it_looks_once_a_second_at_most(machine):
    pace = machine.pace()
    for _ in range(10):
        machine.clock.now += 0.4
        pace.slowness()
    assert machine.n_looks == 4


def test_work_of_the_run_itself_is_not_taken_for_that_of_others(machine):
    """TensorFlow is imported beside the search, which takes seconds."""
    run(machine)
    machine.work_s, machine.n_looks = 0.05, 0
    assert machine.looks(machine.pace(is_disturbed=True)) == 1.0
    assert machine.n_looks == 0


def test_a_busy_first_run_does_not_make_later_ones_believe_that_the_machine_is_slow(machine):
    machine.work_s = 0.04
    run(machine)
    machine.work_s = 0.01
    run(machine)
    machine.work_s = 0.04
    run(machine)
    assert machine.looks(machine.pace()) == pytest.approx(2.0, rel=0.06)


def test_the_piece_of_work_takes_time_and_says_nothing(tmp_path):
    pace = Pace(tmp_path / "measured.json")
    assert pace.slowness() == 1.0
    pace.keep()
    assert Pace(tmp_path / "measured.json").slowness() >= 1.0

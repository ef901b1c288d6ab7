"""Only the first run on a machine times every network; a busier machine makes all of them slower."""

from pathlib import Path

import pytest

from automl.search.relative_times import RelativeTimes
from tests.automl.search.fakes import weights_of

SECONDS = {"first": 2.0, "slow": 6.0, "slower": 8.0}


class Machine:
    """Times networks. `slowness`: how many times as long all take, as other work makes them."""

    def __init__(self, file: Path, slowness: float = 1.0) -> None:
        self.file, self.slowness = file, slowness
        self.timed: list[str] = []

    def measure(self, name: str) -> float:
        self.timed.append(name)
        return self.slowness * SECONDS[name]

    def times(self, *, names: tuple[str, ...] = tuple(SECONDS), device: str = "2 of a", sha256: str = "0", **options):
        weights = weights_of(*names, sha256=sha256)
        return RelativeTimes(
            "features", self.measure, weights=weights, device=lambda: device, kept=self.file, **options
        )


def twice(_name: str, _first: str) -> float:
    """What a table says that no machine has measured."""
    return 2.0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "measured.json")


def test_the_next_run_times_one_network_only(machine: Machine) -> None:
    times = machine.times()
    assert [times.seconds(name) for name in SECONDS] == pytest.approx(list(SECONDS.values()))
    machine.timed.clear()
    times = machine.times()
    assert [times.seconds(name) for name in SECONDS] == pytest.approx(list(SECONDS.values()))
    assert machine.timed == ["first"]


def test_a_busier_machine_makes_all_slower_by_as_much(machine: Machine) -> None:
    machine.times().seconds("slow")
    machine.slowness = 3.0
    times = machine.times()
    assert (times.seconds("first"), times.seconds("slow")) == pytest.approx((6.0, 18.0))
    assert machine.timed[-1] == "first"


def test_other_work_that_came_while_networks_were_timed_is_not_kept(machine: Machine) -> None:
    busy = machine.times()
    busy.seconds("first")
    machine.slowness = 5.0
    busy.seconds("slow")
    machine.slowness = 1.0
    assert machine.times().seconds("slow") == pytest.approx(6.0)


@pytest.mark.parametrize("changed", [{"device": "8 of b"}, {"sha256": "1"}, {"names": ("slower", "slow")}])
def test_another_device_other_weights_or_another_first_network_are_timed_anew(machine: Machine, changed) -> None:
    machine.times().seconds("slow")
    machine.timed.clear()
    machine.times(**changed).seconds("slow")
    assert "slow" in machine.timed


def test_where_a_table_says_what_networks_take_only_the_first_one_is_timed(machine: Machine) -> None:
    times = machine.times(expected=twice)
    assert [times.seconds(name) for name in SECONDS] == [2.0, 4.0, 4.0]
    assert machine.timed == ["first"]


def test_what_the_work_took_replaces_what_the_table_says(machine: Machine) -> None:
    times = machine.times(expected=twice)
    times.learn("first", 1.0)
    assert times.seconds("slow") == 2.0
    times.learn("slow", 3.0)
    assert times.seconds("slow") == 3.0
    assert machine.times(expected=twice).seconds("slow") == pytest.approx(3.0 * SECONDS["first"])


def test_a_busy_run_misleads_only_a_little_and_until_a_run_has_seen_the_network_quicker(machine: Machine) -> None:
    """Other work came after the first network was timed, so the second one seemed to take ten times as long."""
    busy = machine.times(expected=twice)
    busy.learn("first", SECONDS["first"])
    busy.learn("slow", 10 * SECONDS["slow"])
    assert machine.times(expected=twice).seconds("slow") == pytest.approx(1.6 * 2 * SECONDS["first"])
    calm = machine.times(expected=twice)
    calm.learn("slow", SECONDS["slow"])
    assert machine.times(expected=twice).seconds("slow") == pytest.approx(SECONDS["slow"])


def test_what_the_first_network_took_in_this_run_counts_for_the_others(machine: Machine) -> None:
    quiet = machine.times()
    quiet.learn("first", 2.0)
    quiet.learn("slow", 6.0)
    times = machine.times()
    times.learn("first", 4.0)
    assert times.seconds("slow") == pytest.approx(12.0, rel=0.06)
    assert machine.timed == []

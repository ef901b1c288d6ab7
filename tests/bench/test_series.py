"""A benchmark of hours is made in pieces: what has ended is kept, and the rest is made another time."""

import json
from pathlib import Path

import pytest

from bench.series import Series
from tests.automl.search.fakes import Clock

KEYS = [{"data": "beans", "seed": seed} for seed in range(3)]


class Bench:
    """Each run takes 60 seconds."""

    def __init__(self, file: Path | None) -> None:
        self.clock, self.file, self.made = Clock(), file, []

    def series(self, at_most_s: float | None = None) -> Series:
        return Series(self.file, at_most_s, self.clock)

    def make(self, key):
        self.made.append(key["seed"])
        self.clock.now += 60
        return {"score": key["seed"] / 2}

    def runs(self, series: Series):
        return series.runs(KEYS, self.make, takes_s=lambda _key: 60)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "kept" / "runs.jsonl")


def test_runs_that_are_kept_are_not_made_again(bench):
    first = bench.runs(bench.series())
    assert first == [{**key, "score": key["seed"] / 2} for key in KEYS]
    assert bench.runs(bench.series()) == first
    assert bench.made == [0, 1, 2]


def test_what_does_not_fit_into_the_time_is_left_for_the_next_time(bench):
    piece = bench.series(at_most_s=130)
    assert [run["seed"] for run in bench.runs(piece)] == [0, 1]
    assert piece.n_missing == 1 and not piece.is_whole
    rest = bench.series(at_most_s=130)
    assert len(bench.runs(rest)) == 3
    assert rest.is_whole and bench.made == [0, 1, 2]


def test_each_run_is_kept_as_soon_as_it_has_ended(bench):
    def fails(key):
        if key["seed"] == 1:
            raise RuntimeError("the machine was switched off")
        return bench.make(key)

    with pytest.raises(RuntimeError, match="switched off"):
        bench.series().runs(KEYS, fails, takes_s=lambda _key: 60)
    assert [json.loads(line)["key"]["seed"] for line in bench.file.read_text().splitlines()] == [0]


def test_a_line_that_was_cut_off_counts_as_not_there(bench):
    bench.runs(bench.series())
    bench.file.write_text(bench.file.read_text()[:-5])
    bench.made.clear()
    assert len(bench.runs(bench.series())) == 3
    assert bench.made == [2]
    assert len(bench.runs(bench.series())) == 3
    assert bench.made == [2]


def test_without_a_file_nothing_is_kept():
    bench = Bench(None)
    for _ in range(2):
        bench.runs(bench.series())
    assert bench.made == [0, 1, 2] * 2

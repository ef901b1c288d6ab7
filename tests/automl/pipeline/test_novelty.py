"""Which models know how far a photo is from what they learned from, and what is said of the others."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from automl.pipeline.novelty import learned_novelty, why_unable
from automl.search.block import Block
from automl.search.candidate import Branch
from tests.automl.evaluation.candidates import candidate, member

WIDTHS = (4, 6)
WEIGHTS = {name: SimpleNamespace(name=name, taps=("low", "high"), tap_widths=WIDTHS) for name in ("one", "two")}
FROZEN, TUNED = Branch("one", 96), Branch("two", 96, Path("tuned.weights.h5"))


class Features:
    """Random taps; those of a block are there once it was computed."""

    def __init__(self) -> None:
        self.there: set[Block] = set()

    def available(self) -> set[Block]:
        return self.there

    def compute(self, block, on_progress) -> None:
        self.there.add(block)

    def tap(self, block, number, rows) -> np.ndarray:
        assert block in self.there
        return np.random.default_rng(number).uniform(1, 2, (2_000, WIDTHS[number]))[rows].astype(np.float16)


def found(n: int, *branches: Branch, taps: str = "last"):
    model = candidate([member(WEIGHTS, [branch], taps) for branch in branches], 96)
    plan = SimpleNamespace(pool=range(n), folds=[(i % 5,) for i in range(n)])
    return learned_novelty(model, features=Features(), weights=WEIGHTS, plan=plan), why_unable(model, WEIGHTS)


@pytest.mark.parametrize(("taps", "widths"), [("last", (6,)), ("several", (4, 6))])
def test_the_taps_that_the_heads_read_say_how_far_a_photo_is(taps, widths):
    novelty, _ = found(60, FROZEN, taps=taps)
    assert novelty.distance.widths == widths
    assert novelty.distance.taps == tuple(f"one_96_tap_{number}" for number in range(2 - len(widths), 2))
    assert len(novelty.held_out) == 60


def test_of_many_photos_some_are_enough():
    assert len(found(1_500, FROZEN)[0].held_out) == 1_000


def test_beside_a_fine_tuned_network_the_others_tell():
    assert found(60, TUNED, FROZEN)[0].distance.taps == ("one_96_tap_1",)


def test_who_cannot_tell_says_why():
    assert found(60, TUNED)[0] is found(20, FROZEN)[0] is None
    assert "trained through and through" in found(60, TUNED)[1]
    assert "at least 30 photos" in found(20, FROZEN)[1]

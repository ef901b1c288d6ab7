"""The learning rate of a training: no schedule exceeds its peak, and a plateau lowers it."""

import numpy as np
import pytest

from automl.models.head.schedule import LearningRate, max_epochs, schedule_factor


def test_large_sets_train_fewer_epochs():
    assert max_epochs(100) == max_epochs(1_000) == 60
    assert max_epochs(4_000) == 30
    assert max_epochs(1_000_000) == 15


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "exponential", "reduce_on_plateau"])
def test_no_schedule_exceeds_its_peak(schedule):
    rate = LearningRate(schedule=schedule, peak=0.1, steps_per_epoch=5, max_epochs=10, patience=4)
    rates = np.concatenate([rate.epoch(epoch) for epoch in range(10)])
    assert rates.max() == pytest.approx(0.1, rel=0.05)
    assert rates.min() >= 0
    assert schedule in ("constant", "reduce_on_plateau") or rates[-1] < 0.01


def test_the_plateau_schedule_falls_only_while_nothing_improves():
    rate = LearningRate(schedule="reduce_on_plateau", peak=0.1, steps_per_epoch=1, max_epochs=10, patience=4)
    rate.after_epoch(improved=True)
    assert rate.epoch(1)[0] == pytest.approx(0.1)
    rate.after_epoch(improved=False)
    rate.after_epoch(improved=False)
    assert rate.epoch(3)[0] == pytest.approx(0.03)


def test_an_unknown_schedule_is_an_error():
    with pytest.raises(ValueError, match="sometimes"):
        schedule_factor("sometimes", np.zeros(1))

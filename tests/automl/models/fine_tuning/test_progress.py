"""A fine-tuning's learning rate, its best epoch, the order of its photos and the weights of its classes."""

import math

import numpy as np
import pytest

from automl.models.fine_tuning.progress import Progress, ShuffledRows, class_weights, loss_and_accuracy

TRAIN = (1.0, 0.5)


def test_the_rate_rises_to_its_peak_and_then_follows_the_schedule() -> None:
    progress = Progress(learning_rate=0.1, warmup=0.2, lr_schedule="cosine", patience=3)
    rates = [progress.rate(done) for done in (0.0, 0.1, 0.2, 0.6, 1.0)]
    assert 0 < rates[0] < 0.001
    assert rates[1:] == pytest.approx([0.05, 0.1, 0.05, 0.0], abs=1e-3)


def test_a_plateau_lowers_the_rate_after_half_of_the_patience() -> None:
    progress = Progress(learning_rate=0.1, warmup=0.0, lr_schedule="reduce_on_plateau", patience=4)
    for epoch, loss in enumerate([1.0, 2.0, 2.0], start=1):
        progress.add(epoch, TRAIN, (loss, 0.5))
    assert progress.rate(0.5) == pytest.approx(0.03)


def test_the_epoch_with_the_lowest_held_out_loss_is_the_best() -> None:
    progress = Progress(learning_rate=0.1, warmup=0.0, lr_schedule="constant", patience=2)
    improved = [progress.add(epoch, TRAIN, (loss, 0.5)) for epoch, loss in enumerate([1.0, 0.5, 0.7, 0.6], start=1)]
    assert improved == [True, True, False, False]
    assert not progress.is_over(3)
    assert progress.is_over(4)
    assert progress.curves.validation_loss == (1.0, 0.5, 0.7, 0.6)


def test_a_loss_that_is_not_a_number_is_never_the_best() -> None:
    assert not Progress(learning_rate=0.1, warmup=0.0, lr_schedule="constant", patience=2).add(
        1, TRAIN, (math.nan, 0.0)
    )


def test_where_nothing_is_held_out_the_last_epoch_is_the_best() -> None:
    progress = Progress(learning_rate=0.1, warmup=0.0, lr_schedule="constant", patience=1, has_held_out=False)
    assert all(progress.add(epoch, TRAIN, (math.nan, math.nan)) for epoch in (1, 2, 3))
    assert not progress.is_over(3)


def test_every_photo_comes_once_before_any_comes_again() -> None:
    photos = ShuffledRows(np.arange(5, 15), np.random.default_rng(0))
    taken = np.concatenate([photos.take(4) for _ in range(5)])
    assert sorted(taken[:10]) == sorted(taken[10:]) == list(range(5, 15))


def test_class_weights_undo_the_imbalance() -> None:
    one_hot = np.eye(3, dtype=np.float32)[[0, 0, 0, 1]]
    weights = class_weights(one_hot, "balanced")
    assert (one_hot @ weights).mean() == pytest.approx(1)
    assert weights[1] == pytest.approx(3 * weights[0])
    assert list(class_weights(one_hot, "none")) == [1, 1, 1]


def test_loss_and_accuracy_are_over_the_held_out_photos() -> None:
    loss, accuracy = loss_and_accuracy(np.array([[1000.0, 0.0], [0.0, 0.0]]), np.array([0, 1]))
    assert loss == pytest.approx(math.log(2) / 2)
    assert accuracy == 0.5
    assert all(math.isnan(value) for value in loss_and_accuracy(np.zeros((0, 2)), np.zeros(0, int)))

"""Heads: folds and the final model are trained side by side, and early stopping looks at held-out rows only."""

import numpy as np
import pytest

from automl.errors import TrialFailed
from automl.models.heads import HeadSettings, LearningRate, fit_head

SETTINGS = HeadSettings(
    dropout=0.1, learning_rate=0.05, weight_decay=0.01, label_smoothing=0.0, lr_schedule="cosine", patience=10
)


def problem(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three classes that a linear model tells apart, in rows of about unit norm, and three folds."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    features = random.normal(size=(n, 20))
    features[np.arange(n), labels] += 4
    return (features / np.sqrt(20)).astype(np.float32), labels, random.integers(0, 3, n)


def test_a_separable_problem_is_learnt():
    features, labels, folds = problem()
    fit = fit_head(features, labels, folds, 3, 3, SETTINGS, seed=0)
    assert fit.accuracy > 0.9
    assert ((features @ fit.kernel + fit.bias).argmax(axis=1) == labels).mean() > 0.95


def test_accuracy_is_that_of_the_held_out_probabilities():
    features, labels, folds = problem()
    fit = fit_head(features, labels, folds, 3, 3, SETTINGS, seed=0)
    assert fit.accuracy == pytest.approx((fit.held_out_probabilities.argmax(axis=1) == labels).mean())
    assert fit.held_out_probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_held_out_rows_teach_their_fold_nothing():
    features, _, folds = problem()
    noise = np.random.default_rng(1).integers(0, 3, len(folds))
    fit = fit_head(features[:, 3:], noise, folds, 3, 3, SETTINGS, seed=0)
    assert fit.accuracy < 0.55  # a leak would learn these random labels by heart


def test_rows_that_no_fold_holds_out_have_no_score():
    features, labels, folds = problem()
    folds[:10] = -1
    fit = fit_head(features, labels, folds, 3, 3, SETTINGS, seed=0)
    assert np.isnan(fit.held_out_probabilities[:10]).all()
    assert not np.isnan(fit.held_out_probabilities[10:]).any()


def test_one_seed_gives_one_model():
    features, labels, folds = problem()
    first, second = (fit_head(features, labels, folds, 3, 3, SETTINGS, seed=4) for _ in range(2))
    assert np.array_equal(first.kernel, second.kernel)


def test_early_stopping_keeps_the_epoch_of_the_lowest_validation_loss():
    features, labels, folds = problem(n=30)
    fit = fit_head(features, labels, folds, 3, 3, SETTINGS, seed=0)
    losses = fit.curves.validation_loss
    assert losses[fit.best_epoch - 1] == min(losses) == fit.loss
    assert len(losses) <= fit.best_epoch + SETTINGS.patience


def test_an_exception_from_the_callback_ends_the_training():
    features, labels, folds = problem()

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_head(features, labels, folds, 3, 3, SETTINGS, seed=0, on_epoch=stop)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "exponential", "reduce_on_plateau"])
def test_no_schedule_exceeds_its_peak(schedule):
    settings = HeadSettings(0.0, 0.1, 0.0, 0.0, schedule, patience=4, max_epochs=10)
    rates = np.concatenate([LearningRate(settings, 5).epoch(epoch) for epoch in range(10)])
    assert rates.max() == pytest.approx(0.1, rel=0.05)
    assert rates.min() >= 0
    assert schedule in ("constant", "reduce_on_plateau") or rates[-1] < 0.01


def test_the_plateau_schedule_falls_only_while_nothing_improves():
    settings = HeadSettings(0.0, 0.1, 0.0, 0.0, "reduce_on_plateau", patience=4)
    rate = LearningRate(settings, 1)
    rate.after_epoch(improved=True)
    assert rate.epoch(1)[0] == pytest.approx(0.1)
    rate.after_epoch(improved=False)
    rate.after_epoch(improved=False)
    assert rate.epoch(3)[0] == pytest.approx(0.03)


def test_features_that_are_not_numbers_fail_the_trial():
    features, labels, folds = problem()
    features[3, 3] = np.nan
    with pytest.raises(TrialFailed, match="diverged"):
        fit_head(features, labels, folds, 3, 3, SETTINGS, seed=0)


def test_an_unknown_schedule_is_an_error():
    features, labels, folds = problem()
    settings = HeadSettings(0.0, 0.1, 0.0, 0.0, "sometimes", patience=4)
    with pytest.raises(ValueError, match="sometimes"):
        fit_head(features, labels, folds, 3, 3, settings, seed=0)

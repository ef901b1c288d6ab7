"""Heads: folds and the final model are trained side by side, and early stopping looks at held-out rows only."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from automl.errors import HeadTooLarge, TrialFailed
from automl.models.head import training
from automl.models.head.settings import HeadSettings, Targets
from automl.models.head.training import HeadFit, fit_head

SETTINGS = HeadSettings(
    dropout=0.1, learning_rate=0.05, weight_decay=0.01, label_smoothing=0.0, lr_schedule="cosine", patience=10
)


@dataclass
class Rows:
    """Features in memory. `most`: rows that fit into memory at once."""

    values: np.ndarray
    mirrored: np.ndarray | None = None
    most: int = 1_000_000

    @property
    def n_rows(self) -> int:
        return len(self.values)

    @property
    def n_features(self) -> int:
        return self.values.shape[1]

    def take(self, rows: np.ndarray) -> np.ndarray:
        if len(rows) > self.most:
            raise MemoryError
        return self.values[rows]

    def take_mirrored(self, rows: np.ndarray) -> np.ndarray:
        assert self.mirrored is not None
        return self.mirrored[rows]


def problem(n: int = 120, n_repeats: int = 1) -> tuple[Rows, Targets]:
    """Three classes that a linear model tells apart, in rows of about unit norm, and three folds."""
    random = np.random.default_rng(0)
    labels = np.arange(n) % 3
    features = random.normal(size=(n, 20))
    features[np.arange(n), labels] += 4
    folds = random.integers(0, 3, (n, n_repeats))
    return Rows((features / np.sqrt(20)).astype(np.float32)), Targets(
        labels=labels, folds=folds, n_folds=3, n_classes=3
    )


def answers(fit: HeadFit, features: np.ndarray) -> np.ndarray:
    """What the delivered head says."""
    for depth, (kernel, bias) in enumerate(fit.layers):
        features = (np.maximum(features, 0) if depth else features) @ kernel + bias
    return features.argmax(axis=1)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("hidden_units", [(), (16,), (16, 8)])
def test_a_separable_problem_is_learned(optimizer, hidden_units):
    features, targets = problem()
    fit = fit_head(features, targets, replace(SETTINGS, optimizer=optimizer, hidden_units=hidden_units), seed=0)
    assert fit.accuracy > 0.9
    assert (answers(fit, features.values) == targets.labels).mean() > 0.95
    assert [len(bias) for _, bias in fit.layers] == [*hidden_units, 3]


def test_hidden_layers_learn_what_no_linear_head_can():
    """Two classes in opposite corners of a square."""
    random = np.random.default_rng(0)
    corners = random.choice([-1.0, 1.0], (300, 2))
    features = Rows(np.float32(corners + random.normal(0, 0.2, (300, 2))) / np.float32(1.4))
    targets = Targets(
        labels=(corners.prod(axis=1) > 0).astype(int), folds=np.arange(300)[:, None] % 3, n_folds=3, n_classes=2
    )
    settings = replace(SETTINGS, dropout=0.0, patience=None)
    assert fit_head(features, targets, settings, seed=0).accuracy < 0.7
    assert fit_head(features, targets, replace(settings, hidden_units=(32,)), seed=0).accuracy > 0.95


@pytest.mark.parametrize("n_repeats", [1, 3])
def test_accuracy_and_loss_are_those_of_the_held_out_logits(n_repeats):
    features, targets = problem(n_repeats=n_repeats)
    fit = fit_head(features, targets, SETTINGS, seed=0)
    logits = fit.held_out_logits.astype(np.float64)
    logits -= np.log(np.exp(logits).sum(axis=2, keepdims=True))
    assert fit.held_out_logits.shape == (n_repeats, 120, 3)
    assert fit.accuracy == pytest.approx((logits.argmax(axis=2) == targets.labels).mean())
    assert fit.loss == pytest.approx(-logits[:, np.arange(120), targets.labels].mean(), abs=1e-5)


@pytest.mark.parametrize("hidden_units", [(), (8,)])
@pytest.mark.parametrize("n_repeats", [1, 3])
def test_held_out_rows_teach_their_fold_nothing(n_repeats, hidden_units):
    features, targets = problem(n_repeats=n_repeats)
    noise = replace(targets, labels=np.random.default_rng(1).integers(0, 3, 120))
    settings = replace(SETTINGS, hidden_units=hidden_units, patience=None)
    fit = fit_head(Rows(features.values[:, 3:]), noise, settings, seed=0)
    learnt = (answers(fit, features.values[:, 3:]) == noise.labels).mean()
    assert fit.accuracy < 0.45 < learnt  # the last model learns these random labels by heart, as a leak would


def test_the_repeats_hold_out_different_rows_and_so_answer_differently():
    features, targets = problem(n_repeats=2)
    logits = fit_head(features, targets, SETTINGS, seed=0).held_out_logits
    assert not np.allclose(logits[0], logits[1])


def test_the_heads_of_the_folds_are_those_that_gave_the_held_out_answers():
    rows, targets = problem()
    fit = fit_head(rows, targets, SETTINGS, seed=0)
    for fold, ((kernel, bias),) in enumerate(fit.fold_layers):
        held_out = targets.folds[:, 0] == fold
        np.testing.assert_allclose(
            rows.values[held_out] @ kernel + bias, fit.held_out_logits[0, held_out], rtol=1e-4, atol=1e-4
        )


def test_rows_that_no_fold_holds_out_have_no_answer():
    features, targets = problem()
    targets.folds[:10] = -1
    logits = fit_head(features, targets, SETTINGS, seed=0).held_out_logits
    assert np.isnan(logits[:, :10]).all()
    assert not np.isnan(logits[:, 10:]).any()


def test_a_plain_hold_out_is_a_single_fold():
    features, targets = problem()
    held_out = replace(targets, folds=np.where(np.arange(120) % 4 == 0, 0, -1)[:, None], n_folds=1)
    fit = fit_head(features, held_out, SETTINGS, seed=0)
    assert fit.accuracy > 0.9
    assert (~np.isnan(fit.held_out_logits[0, :, 0])).tolist() == (np.arange(120) % 4 == 0).tolist()


def test_one_seed_gives_one_model():
    features, targets = problem()
    settings = replace(SETTINGS, hidden_units=(8,))
    first, second, other = (fit_head(features, targets, settings, seed=seed) for seed in (4, 4, 5))
    assert all(np.array_equal(a, b) for a, b in zip(first.layers[0], second.layers[0], strict=True))
    assert not np.array_equal(first.layers[0][0], other.layers[0][0])


def test_the_features_are_not_changed():
    features, targets = problem()
    before = features.values.copy()
    fit_head(features, targets, replace(SETTINGS, dropout=0.5, hidden_units=(8,)), seed=0)
    assert np.array_equal(features.values, before)


def test_early_stopping_keeps_the_epoch_of_the_lowest_validation_loss():
    features, targets = problem(n=30)
    fit = fit_head(features, targets, replace(SETTINGS, lr_schedule="constant", patience=4), seed=0)
    losses = fit.curves.validation_loss
    assert losses[fit.best_epoch - 1] == min(losses) == fit.loss
    assert len(losses) == min(fit.best_epoch + 4, SETTINGS.max_epochs)


def test_without_early_stopping_every_epoch_is_trained_and_the_last_one_counts():
    features, targets = problem(n=30)
    fit = fit_head(features, targets, replace(SETTINGS, patience=None, max_epochs=25), seed=0)
    assert [len(curve) for curve in (fit.curves.train_loss, fit.curves.validation_accuracy)] == [25, 25]
    assert fit.best_epoch == 25
    assert fit.loss == fit.curves.validation_loss[-1]


def test_balanced_weights_raise_the_recall_of_a_rare_class():
    random = np.random.default_rng(0)
    labels = (np.arange(400) % 20 == 0).astype(int)
    values = random.normal(size=(400, 5)).astype(np.float32) / 2
    values[:, 0] += 1.5 * labels
    targets = Targets(labels=labels, folds=random.integers(0, 4, (400, 1)), n_folds=4, n_classes=2)

    def recall(weighting: str) -> float:
        fit = fit_head(Rows(values), targets, replace(SETTINGS, class_weighting=weighting), seed=0)
        return float((fit.held_out_logits[0].argmax(axis=1)[labels == 1] == 1).mean())

    assert recall("balanced") > recall("none") + 0.2


def test_the_mirrored_view_is_learned_from_and_not_validated_on():
    """What tells the classes apart lies elsewhere in the mirrored photos."""
    features, targets = problem()
    mirrored = features.values[:, ::-1].copy()
    both = Rows(features.values, mirrored)
    plain = fit_head(both, targets, SETTINGS, seed=0)
    with_mirrored = fit_head(both, targets, replace(SETTINGS, mirrored=True), seed=0)
    assert (answers(plain, mirrored) == targets.labels).mean() < 0.6
    assert (answers(with_mirrored, mirrored) == targets.labels).mean() > 0.85
    seen = features.values @ with_mirrored.layers[0][0] + with_mirrored.layers[0][1]
    assert with_mirrored.accuracy == pytest.approx((seen.argmax(axis=1) == targets.labels).mean(), abs=0.1)


def test_too_little_memory_halves_the_batch_and_the_training_begins_anew():
    features, targets = problem()
    epochs = []
    fit = fit_head(
        replace(features, most=40), targets, SETTINGS, seed=0, on_epoch=lambda epoch, _logits: epochs.append(epoch)
    )
    assert fit.accuracy > 0.9
    assert epochs == list(range(1, len(fit.curves.train_loss) + 1))  # what did not fit never finished an epoch


def test_not_even_memory_for_one_row_fails_the_trial():
    features, targets = problem()
    with pytest.raises(TrialFailed, match="memory"):
        fit_head(replace(features, most=0), targets, SETTINGS, seed=0)


def test_every_epoch_is_told_with_the_held_out_logits_so_far():
    features, targets = problem()
    told = []
    fit = fit_head(
        features, targets, SETTINGS, seed=0, on_epoch=lambda epoch, logits: told.append((epoch, logits.copy()))
    )
    assert [epoch for epoch, _ in told] == list(range(1, len(fit.curves.train_loss) + 1))
    assert np.array_equal(told[fit.best_epoch - 1][1], fit.held_out_logits)


def test_an_exception_from_the_callback_ends_the_training():
    features, targets = problem()

    def stop(epoch: int, _logits: np.ndarray) -> None:
        assert epoch == 1
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_head(features, targets, SETTINGS, seed=0, on_epoch=stop)


def test_features_that_are_not_numbers_fail_the_trial():
    features, targets = problem()
    features.values[3, 3] = np.nan
    with pytest.raises(TrialFailed, match="diverged"):
        fit_head(features, targets, SETTINGS, seed=0)


def test_a_fixed_number_of_epochs_learns_the_same_whatever_the_held_out_labels_of_other_folds_are():
    """With `patience` None nothing of the held-out answers goes back into the training, the learning rate neither."""
    features, targets = problem(n=60)
    settings = replace(SETTINGS, patience=None, lr_schedule="reduce_on_plateau", max_epochs=12)
    fold = targets.folds[:, 0] == 0
    others = replace(targets, labels=np.where(fold, (targets.labels + 1) % targets.n_classes, targets.labels))
    one, other = (fit_head(features, some, settings, seed=0).fold_layers[0] for some in (targets, others))
    assert all(
        np.array_equal(a, b) for layer, same in zip(one, other, strict=True) for a, b in zip(layer, same, strict=True)
    )


def test_a_training_that_diverges_later_keeps_what_it_had():
    features, targets = problem()

    def spoil(epoch: int, _logits: np.ndarray) -> None:
        if epoch == 3:
            features.values[:] = np.nan

    fit = fit_head(features, targets, replace(SETTINGS, patience=None), seed=0, on_epoch=spoil)
    assert fit.best_epoch == 3
    assert np.isfinite(fit.layers[0][0]).all()
    assert len(fit.curves.validation_loss) == 4


def test_a_training_that_is_cut_short_gives_what_it_has():
    rows, targets = problem()
    fit = fit_head(rows, targets, SETTINGS, seed=0, on_step=lambda: True)
    assert (fit.best_epoch, len(fit.curves.train_loss)) == (1, 1)
    assert np.isfinite(fit.held_out_logits).all()


def test_a_head_that_is_too_large_is_refused_before_it_takes_the_memory(monkeypatch):
    rows, targets = problem()
    monkeypatch.setattr(training, "_MOST_BYTES", 1000)
    with pytest.raises(HeadTooLarge, match="GB"):
        fit_head(rows, targets, SETTINGS, seed=0)

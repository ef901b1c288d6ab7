"""The regression is scikit-learn's, in every fold, whatever the shape of the features."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from automl.errors import HeadTooLarge, TrialFailed
from automl.models.head import logistic
from automl.models.head.logistic import fit_logistic
from automl.models.head.settings import HeadSettings, Targets, balanced_weights

COMMON = 0.7


class Rows:
    """Features of `n_rows` photos, multiplied by the common factor; the mirrored ones differ a little."""

    def __init__(self, n_rows: int, n_features: int, n_classes: int = 3) -> None:
        random = np.random.default_rng(n_features)
        self.labels = np.arange(n_rows) % n_classes
        centres = random.normal(size=(n_classes, n_features))
        self.plain = (centres[self.labels] * 0.3 + random.normal(size=(n_rows, n_features))) / n_features**0.5
        self.other = self.plain + random.normal(size=self.plain.shape) * 0.1 / n_features**0.5
        self.common = COMMON

    @property
    def n_rows(self) -> int:
        return len(self.plain)

    @property
    def n_features(self) -> int:
        return self.plain.shape[1]

    def take(self, rows):
        return (COMMON * self.plain[rows]).astype(np.float32)

    def take_mirrored(self, rows):
        return (COMMON * self.other[rows]).astype(np.float32)


def targets_of(rows: Rows, n_folds: int = 3, n_repeats: int = 2) -> Targets:
    folds = np.stack([np.random.default_rng(n).permutation(rows.n_rows) % n_folds for n in range(n_repeats)], axis=1)
    return Targets(labels=rows.labels, folds=folds, n_folds=n_folds, n_classes=int(rows.labels.max()) + 1)


def settings_of(**changes) -> HeadSettings:
    values = {
        "dropout": 0.2,
        "learning_rate": 0.03,
        "weight_decay": 0.01,
        "label_smoothing": 0.0,
        "lr_schedule": "cosine",
        "patience": 8,
        "optimizer": "lbfgs",
    }
    return HeadSettings(**(values | changes))


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("n_rows", "n_features"), [(60, 200), (200, 40)])
@pytest.mark.parametrize("strength", [1.0, 100.0, 10_000.0])
def test_probabilities_are_those_of_scikit_learn_in_every_fold_and_of_all_rows(n_rows, n_features, n_classes, strength):
    rows = Rows(n_rows, n_features, n_classes)
    targets = targets_of(rows)
    fit = fit_logistic(rows, targets, settings_of(inverse_regularisation=strength))
    near = 1e-3 if strength <= 100 else 5e-3
    peer = LogisticRegression(C=strength, max_iter=10_000, tol=1e-9)
    for repeat in range(2):
        for fold in range(3):
            held_out = targets.folds[:, repeat] == fold
            peer.fit(rows.plain[~held_out], rows.labels[~held_out])
            found = softmax(fit.held_out_logits[repeat, held_out])
            np.testing.assert_allclose(found, peer.predict_proba(rows.plain[held_out]), atol=near)
    peer.fit(rows.plain, rows.labels)
    ((kernel, bias),) = fit.layers
    seen = rows.take(np.arange(n_rows)) @ kernel + bias
    np.testing.assert_allclose(softmax(seen), peer.predict_proba(rows.plain), atol=near)
    assert fit.loss == pytest.approx(-np.log(softmax(fit.held_out_logits)[:, np.arange(n_rows), rows.labels]).mean())
    assert (fit.best_epoch, fit.curves.train_loss) == (0, ())


def test_class_weights_are_those_of_scikit_learn():
    rows = Rows(90, 30)
    rows.labels = np.repeat([0, 1, 2], [60, 20, 10])
    fit = fit_logistic(rows, targets_of(rows), settings_of(class_weighting="balanced"))
    weights = balanced_weights(rows.labels, 3)[rows.labels]
    peer = LogisticRegression(C=100.0, max_iter=10_000, tol=1e-9).fit(rows.plain, rows.labels, sample_weight=weights)
    ((kernel, bias),) = fit.layers
    np.testing.assert_allclose(
        softmax(rows.take(np.arange(90)) @ kernel + bias), peer.predict_proba(rows.plain), atol=1e-3
    )


def test_mirrored_photos_are_rows_of_half_the_weight():
    rows = Rows(60, 30)
    fit = fit_logistic(rows, targets_of(rows), settings_of(mirrored=True))
    peer = LogisticRegression(C=100.0, max_iter=10_000, tol=1e-9)
    both, weights = np.concatenate([rows.plain, rows.other]), np.full(120, 0.5)
    peer.fit(both, np.tile(rows.labels, 2), sample_weight=weights)
    ((kernel, bias),) = fit.layers
    np.testing.assert_allclose(
        softmax(rows.take(np.arange(60)) @ kernel + bias), peer.predict_proba(rows.plain), atol=1e-3
    )


@pytest.mark.parametrize("n_features", [200, 40])
def test_the_layers_of_a_fold_give_its_held_out_answers(n_features):
    rows = Rows(60, n_features)
    targets = targets_of(rows)
    fit = fit_logistic(rows, targets, settings_of(label_smoothing=0.1))
    seen = rows.take(np.arange(60))
    assert len(fit.fold_layers) == targets.n_models - 1
    for model, ((kernel, bias),) in enumerate(fit.fold_layers):
        repeat, fold = divmod(model, targets.n_folds)
        held_out = targets.folds[:, repeat] == fold
        np.testing.assert_allclose(seen[held_out] @ kernel + bias, fit.held_out_logits[repeat, held_out], atol=1e-4)


def test_a_held_out_label_has_no_say_in_its_own_answer():
    rows = Rows(40, 100, 2)
    targets = targets_of(rows, n_repeats=1)
    other = targets_of(rows, n_repeats=1)
    other.labels[:] = np.where(targets.folds[:, 0] == 0, 1 - targets.labels, targets.labels)
    held_out = targets.folds[:, 0] == 0
    first, second = (fit_logistic(rows, one, settings_of()).held_out_logits[0, held_out] for one in (targets, other))
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_the_same_photos_twice_and_constant_features_do_no_harm():
    rows = Rows(40, 100)
    rows.plain[1::2] = rows.plain[::2]
    rows.plain[:, 0] = 3.0
    assert np.isfinite(fit_logistic(rows, targets_of(rows), settings_of()).held_out_logits).all()
    rows.plain[:] = 0.0
    assert np.isfinite(fit_logistic(rows, targets_of(rows), settings_of()).layers[0][0]).all()


def test_smoothed_targets_make_the_answers_less_sure():
    rows = Rows(60, 200)
    plain, smoothed = (
        softmax(fit_logistic(rows, targets_of(rows), settings_of(label_smoothing=value)).held_out_logits)
        for value in (0.0, 0.2)
    )
    assert smoothed.max(axis=2).mean() < plain.max(axis=2).mean()


def test_features_that_are_no_numbers_fail_the_trial():
    rows = Rows(20, 10)
    rows.plain[0, 0] = np.nan
    with pytest.raises(TrialFailed, match="diverged"):
        fit_logistic(rows, targets_of(rows), settings_of())


def test_what_would_not_fit_into_memory_is_not_begun(monkeypatch):
    monkeypatch.setattr(logistic, "_MOST_BYTES", 1_000)
    rows = Rows(20, 10)
    with pytest.raises(HeadTooLarge):
        fit_logistic(rows, targets_of(rows), settings_of())


def test_what_on_step_raises_ends_it():
    rows = Rows(20, 10)

    def stop() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_logistic(rows, targets_of(rows), settings_of(), on_step=stop)

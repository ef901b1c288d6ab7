"""Scores of a selection: unbiased by the choice, as a nested cross-validation is, with intervals that hold for few."""

import numpy as np
import pytest

from automl.evaluation.bias_corrected import bias_corrected, intervals_of
from automl.evaluation.intervals import clustered_interval, wilson_interval
from automl.search.objective import Objective
from automl.search.selection import AskedPhotos, ModelParts, TrialAnswers, chosen_counts, mean_answers

N_CLASSES, N_FOLDS, N_REPEATS = 2, 5, 2


def apart(labels: np.ndarray) -> AskedPhotos:
    return AskedPhotos(labels=labels, groups=np.arange(len(labels)), n_classes=int(labels.max()) + 1)


def answers_of(logits: np.ndarray, recipe: tuple[tuple[int, ...], ...] = ()) -> TrialAnswers:
    n = len(logits)
    parts = ModelParts(uses=np.eye(n, dtype=bool), n_bytes=np.ones(n), latency_s=np.zeros(n))
    return TrialAnswers(numbers=tuple(range(n)), logits=logits.astype(np.float32), parts=parts, recipe=recipe)


def dealt(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The fold of each photo, dealt out class by class."""
    folds = np.empty(len(labels), int)
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        folds[rows] = np.arange(len(rows)) % N_FOLDS
    return folds


def centroid_logits(x: np.ndarray, labels: np.ndarray, asked: np.ndarray, features: np.ndarray) -> np.ndarray:
    """(n_trials, len(asked), 2): one nearest-centroid classifier for each pair of features."""
    centres = np.stack([x[labels == label].mean(axis=0) for label in range(N_CLASSES)])
    distances = np.square(asked[:, None] - centres)[:, :, features].sum(axis=-1)
    return -distances.transpose(2, 0, 1)


def out_of_fold(x: np.ndarray, labels: np.ndarray, features: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(n_trials, n_repeats, n_rows, 2)."""
    logits = np.empty((len(features), N_REPEATS, len(x), N_CLASSES))
    for repeat in range(N_REPEATS):
        folds = dealt(labels, random)
        for fold in range(N_FOLDS):
            rows = folds == fold
            logits[:, repeat, rows] = centroid_logits(x[~rows], labels[~rows], x[rows], features)
    return logits


def chosen_by(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    (counts,) = chosen_counts(answers_of(logits), apart(labels), Objective(), np.ones((1, len(labels))))
    return np.asarray(counts / counts.sum())


def nested(x: np.ndarray, labels: np.ndarray, features: np.ndarray, random: np.random.Generator) -> float:
    """The accuracy by brute force: trials, folds and selection are repeated without each outer fold."""
    is_right = np.zeros(len(x))
    outer = dealt(labels, random)
    for fold in range(N_FOLDS):
        rows = outer == fold
        shares = chosen_by(out_of_fold(x[~rows], labels[~rows], features, random), labels[~rows])
        logits = np.tensordot(shares, centroid_logits(x[~rows], labels[~rows], x[rows], features), axes=1)
        is_right[rows] = logits.argmax(axis=-1) == labels[rows]
    return float(is_right.mean())


def test_it_is_as_high_as_a_nested_cross_validation_and_the_choosing_score_is_higher():
    """60 photos and 50 trials that read two of 40 features each, of which three tell a little."""
    naive, corrected, brute = [], [], []
    for seed in range(8):
        random = np.random.default_rng(seed)
        labels = np.arange(60) % N_CLASSES
        x = random.normal(size=(60, 40))
        x[:, :3] += 0.6 * labels[:, None]
        features = np.stack([random.choice(40, 2, replace=False) for _ in range(50)])
        logits = out_of_fold(x, labels, features, random)
        answers = answers_of(logits)
        counts = np.round(chosen_by(logits, labels) * 1000).astype(int)
        naive.append((mean_answers(answers, counts).argmax(axis=-1) == labels).mean())
        corrected.append(bias_corrected(answers, apart(labels), Objective(), seed=seed).accuracy)
        brute.append(nested(x, labels, features, random))
    error = np.std(np.subtract(corrected, brute)) / np.sqrt(len(brute))
    assert np.mean(corrected) == pytest.approx(np.mean(brute), abs=max(0.02, 2 * error))
    assert np.mean(naive) > np.mean(corrected) + 0.04


def test_the_best_of_many_guesses_scores_like_a_guess():
    random = np.random.default_rng(0)
    labels = np.arange(80) % 4
    answers = answers_of(random.normal(size=(150, 1, 80, 4)))
    best = (answers.logits.argmax(axis=-1) == labels).mean(axis=(1, 2)).max()
    found = bias_corrected(answers, apart(labels), Objective(), seed=0)
    assert best > 0.36
    assert found.accuracy == pytest.approx(0.25, abs=0.06)
    assert found.accuracy_interval[0] < 0.25 < found.accuracy_interval[1]


def test_one_trial_is_scored_by_its_own_answers():
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    logits = random.normal(size=(1, 2, 60, 3)) + 1.5 * np.eye(3)[labels]
    found = bias_corrected(answers_of(logits), apart(labels), Objective(), seed=0)
    assert found.correctness == pytest.approx((logits[0].argmax(axis=-1) == labels).mean(axis=0))
    assert found.accuracy == pytest.approx(found.correctness.mean())


def test_copies_are_drawn_together():
    """A trial that knows one photo by heart gains nothing by its copies: they are out of the bag with it."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(20) % 2, 3)
    photos = AskedPhotos(labels=labels, groups=np.repeat(np.arange(20), 3), n_classes=2)
    answers = answers_of(np.repeat(random.normal(size=(100, 1, 20, 2)), 3, axis=2))
    grouped = bias_corrected(answers, photos, Objective(), seed=0)
    assert grouped.accuracy < bias_corrected(answers, apart(labels), Objective(), seed=0).accuracy
    assert grouped.accuracy_interval[1] - grouped.accuracy_interval[0] > 0.3


def test_the_only_photo_of_a_class_is_scored_by_the_selection_by_all():
    labels = np.array([0] * 10 + [1])
    logits = np.zeros((1, 1, 11, 2))
    logits[..., 0] = 1.0
    found = bias_corrected(answers_of(logits), apart(labels), Objective(), seed=0)
    assert found.correctness.tolist() == [1.0] * 10 + [0.0]
    assert (found.accuracy, found.balanced_accuracy) == (pytest.approx(10 / 11), 0.5)


def test_sure_answers_and_log_loss_are_those_of_photos_outside_the_bag():
    """Half of the photos are surely right, the others are guesses."""
    labels = np.arange(200) % 2
    strength = np.where(np.arange(200) < 100, 6.0, 0.1) * np.where(np.arange(200) % 10 < 9, 1, -1)
    strength[:100] = 6.0
    logits = (strength[:, None] * np.eye(2)[labels])[None, None]
    found = bias_corrected(answers_of(logits), apart(labels), Objective(), seed=0)
    assert found.coverage == pytest.approx(0.5, abs=0.1)
    assert found.accuracy_when_sure == pytest.approx(1.0, abs=0.03)
    assert 0 < found.log_loss < np.log(2)


def test_nothing_is_sure_where_few_photos_are_answered_by_luck():
    random = np.random.default_rng(0)
    labels = np.arange(12) % 2
    found = bias_corrected(answers_of(random.normal(size=(3, 1, 12, 2))), apart(labels), Objective(), seed=0)
    assert (found.coverage, found.accuracy_when_sure) == (0.0, None)


def test_the_interval_of_a_full_score_still_has_a_width():
    low, high = intervals_of(np.ones(20), apart(np.arange(20) % 2))[0]
    assert high == 1.0
    assert low < wilson_interval(20, 20)[0]


def test_the_interval_is_wider_where_photos_are_copies():
    labels, correctness = np.arange(40) // 4 % 2, np.repeat(np.arange(10) % 3 > 0, 4).astype(float)
    alone = intervals_of(correctness, apart(labels))[0]
    together = intervals_of(correctness, AskedPhotos(labels=labels, groups=np.arange(40) // 4, n_classes=2))[0]
    wilson = clustered_interval(correctness, np.arange(40) // 4)
    assert together[1] - together[0] > wilson[1] - wilson[0] > alone[1] - alone[0]


def test_uneven_classes_widen_the_interval_of_the_balanced_accuracy_only():
    labels, correctness = np.repeat([0, 1], [90, 10]), np.full(100, 0.8)
    accuracy, balanced = intervals_of(correctness, apart(labels))
    assert balanced[1] - balanced[0] > 1.4 * (accuracy[1] - accuracy[0])


def test_the_same_seed_gives_the_same_score():
    random = np.random.default_rng(0)
    labels = np.arange(30) % 2
    answers = answers_of(random.normal(size=(20, 2, 30, 2)))
    scores = [bias_corrected(answers, apart(labels), Objective(), seed=seed).accuracy for seed in (1, 1, 2)]
    assert scores[0] == scores[1] != scores[2]

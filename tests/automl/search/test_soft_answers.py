"""What a teacher says to a student, with real regressions on a few random features."""

from functools import cache

import numpy as np
import pytest

from automl.models.head.settings import HeadSettings, Targets
from automl.search.joined import Joined, Normalisation, View, moments_of
from automl.search.soft_answers import SoftAnswers, held_out_answers, nested_answers

N, N_FOLDS = 24, 4
LABELS = np.arange(N) % 3
FOLDS = np.stack([np.arange(N) // 3 % N_FOLDS, np.arange(N) // 6 % N_FOLDS], axis=1)
SETTINGS = HeadSettings(
    dropout=0.0,
    learning_rate=0.1,
    weight_decay=0.0,
    label_smoothing=0.0,
    lr_schedule="constant",
    patience=None,
    inverse_regularisation=1.0,
)


def features() -> Joined:
    raw = np.random.default_rng(0).normal(0, 1, (N, 5)).astype(np.float16)
    raw[:, :3] += np.eye(3, dtype=np.float16)[LABELS]
    return Joined(View([raw], Normalisation.standardised([moments_of(raw)]), in_memory=True))


@cache
def usual() -> SoftAnswers:
    return answers()


def answers(labels: np.ndarray = LABELS, folds: np.ndarray = FOLDS) -> SoftAnswers:
    targets = Targets(labels=labels, folds=folds, n_folds=N_FOLDS, n_classes=3)
    held_out = held_out_answers(features(), targets, SETTINGS)
    return nested_answers(features(), targets, SETTINGS, held_out=held_out)


@pytest.mark.parametrize("model", [0, 3, 5])
def test_what_a_model_learns_does_not_depend_on_photos_that_it_holds_out(model: int) -> None:
    repeat, fold = divmod(model, N_FOLDS)
    held_out = FOLDS[:, repeat] == fold
    other = np.where(held_out, (LABELS + 1) % 3, LABELS)
    np.testing.assert_array_equal(answers(other).logits[:, model], usual().logits[:, model])
    assert np.isnan(usual().logits[held_out, model]).all()
    assert not np.isnan(usual().logits[~held_out, model]).any()


@pytest.mark.parametrize("row", [0, 7, 23])
def test_no_teacher_has_learned_from_the_photo_that_it_is_asked_about(row: int) -> None:
    other = np.where(np.arange(N) == row, (LABELS + 1) % 3, LABELS)
    np.testing.assert_array_equal(answers(other).logits[row], usual().logits[row])


def test_the_labels_of_other_photos_do_matter() -> None:
    other = np.where(np.arange(N) == 0, (LABELS + 1) % 3, LABELS)
    assert not np.array_equal(answers(other).logits[1], usual().logits[1])


def test_photos_that_every_teacher_learned_from_keep_their_class() -> None:
    folds = FOLDS.copy()
    folds[:3] = -1
    found = answers(folds=folds)
    assert np.isnan(found.logits[:3]).all()
    targets = found.targets(LABELS, share=1.0, temperature=1.0)
    np.testing.assert_array_equal(targets[0], np.tile([1, 0, 0], (2 * N_FOLDS + 1, 1)))


def test_targets_mix_class_and_answer() -> None:
    soft = SoftAnswers(np.log(np.array([[[0.25, 0.75]]], np.float32)))
    labels = np.array([0])
    assert soft.targets(labels, share=0.0, temperature=1.0)[0, 0] == pytest.approx([1, 0])
    assert soft.targets(labels, share=1.0, temperature=1.0)[0, 0] == pytest.approx([0.25, 0.75])
    assert soft.targets(labels, share=0.5, temperature=1.0)[0, 0] == pytest.approx([0.625, 0.375])
    doubtful = soft.targets(labels, share=1.0, temperature=10.0)[0, 0]
    assert 0.25 < doubtful[0] < 0.5 and doubtful.sum() == pytest.approx(1)

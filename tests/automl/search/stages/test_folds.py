"""Which photos a fine-tuning learns from, and which it is scored on."""

import numpy as np

from automl.models.head.settings import Targets
from automl.search.stages import folds as module
from automl.search.stages.folds import FineTuningFolds, Fold
from tests.automl.search.fakes import N_ROWS, TARGETS


def numbers(folds: FineTuningFolds) -> list[int]:
    assert all(fold.repeat == 0 for fold in folds)
    return [fold.number for fold in folds]


def test_as_many_folds_are_trained_as_tell_two_models_apart(monkeypatch):
    five = Targets(labels=np.arange(400) % 2, folds=np.arange(400)[:, None] % 5, n_folds=5, n_classes=2)
    assert numbers(FineTuningFolds(TARGETS)) == [0, 1]
    assert numbers(FineTuningFolds(five)) == [0, 1]  # 80 photos in each of five folds
    monkeypatch.setattr(module, "_FEWEST_HELD_OUT", 80)
    assert numbers(FineTuningFolds(five)) == [0]


def test_photos_that_no_fold_holds_out_are_learned_from():
    fold_of = np.where(np.arange(N_ROWS)[:, None] % 4 < 2, 0, -1)
    folds = FineTuningFolds(Targets(labels=TARGETS.labels, folds=fold_of, n_folds=1, n_classes=2))
    assert len(folds) == 1
    assert set(folds.learnt(Fold(0, 0))) == set(np.flatnonzero(fold_of[:, 0] == -1))
    assert (folds.n_learnt, folds.n_held_out, folds.n_photos) == (N_ROWS // 2, N_ROWS // 2, N_ROWS)


def test_of_very_many_held_out_photos_some_from_all_over_the_fold_are_scored(monkeypatch):
    monkeypatch.setattr(module, "_MOST_HELD_OUT", 5)
    rows = FineTuningFolds(TARGETS).held_out(Fold(0, 0))
    assert len(rows) == 5 and rows.min() == 0 and rows.max() > 30


def test_where_every_photo_must_be_answered_for_all_folds_of_all_repeats_are_needed():
    thrice = Targets(labels=np.arange(400) % 2, folds=np.tile(np.arange(400)[:, None] % 5, 3), n_folds=5, n_classes=2)
    folds = FineTuningFolds(thrice, answers_all=True)
    assert folds.compared == (Fold(0, 0), Fold(0, 1))
    assert set(folds) == {Fold(repeat, number) for repeat in range(3) for number in range(5)}
    assert (len(folds), folds.n_trainings) == (15, 16)


def test_then_no_held_out_photo_is_passed_over(monkeypatch):
    monkeypatch.setattr(module, "_MOST_HELD_OUT", 5)
    assert len(FineTuningFolds(TARGETS, answers_all=True).held_out(Fold(0, 0))) == N_ROWS // 2

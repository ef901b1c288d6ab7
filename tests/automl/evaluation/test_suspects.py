import numpy as np
import pytest

from automl.evaluation.suspects import MAX_SUSPECTS, SuspectedLabel, suspected_labels


def sure_logits(classes: np.ndarray, n_classes: int = 3, strength: float = 4.0) -> np.ndarray:
    """float64 (1, n, n_classes): answers that are sure of `classes`."""
    return strength * np.eye(n_classes)[classes][None]


def test_a_photo_that_is_surely_of_another_class_is_suspected() -> None:
    labels = np.repeat([0, 1, 2], 10)
    truth = labels.copy()
    truth[3], truth[17] = 1, 2
    found = suspected_labels(sure_logits(truth), labels)
    assert {(one.row, one.suggested) for one in found} == {(3, 1), (17, 2)}
    assert all(one.confidence > 0.9 for one in found)


def test_right_and_merely_unsure_answers_are_not() -> None:
    labels = np.repeat([0, 1, 2], 10)
    logits = sure_logits(labels)
    logits[0, 5] = [0.4, 0.5, 0.0]
    assert list(suspected_labels(logits, labels)) == []


def test_the_surest_doubt_comes_first_and_there_are_only_so_many() -> None:
    labels = np.repeat([0, 1], 200)
    truth = labels.copy()
    truth[:80] = 1
    logits = sure_logits(truth, 2)
    logits[0, 7] *= 2
    found = suspected_labels(logits, labels)
    assert (found[0].row, len(found)) == (7, MAX_SUSPECTS)


def test_photos_that_were_never_held_out_are_passed_over_and_repeats_are_averaged() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    logits = np.concatenate([sure_logits(np.array([0, 0, 1, 1, 1, 1]), 2)] * 2)
    logits[0, 2] = np.nan
    logits[:, 1] = np.nan
    assert suspected_labels(logits, labels) == [SuspectedLabel(2, 1, pytest.approx(1 / (1 + np.exp(-4.0))))]
    assert list(suspected_labels(np.full_like(logits, np.nan), labels)) == []

import numpy as np
import pytest

from automl.evaluation.learning_curve import MAX_PHOTOS, SHARES, learning_curve
from automl.records.learning_curve import curve_table, read_curve


def drawn(n: int, *, n_features: int = 40, distance: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, classes and folds of `n` photos of two classes whose centres are so far apart."""
    random = np.random.default_rng(0)
    labels = np.arange(n) % 2
    features = random.normal(size=(n, n_features)) + 3.0
    features[:, 0] += distance * (2 * labels - 1)
    return features.astype(np.float16), labels, np.arange(n) // 2 % 5


def curve_of(n: int, groups: list[str] | None = None, **values: float):
    features, labels, folds = drawn(n, **values)
    return learning_curve(features, labels, folds=folds, groups=groups or [str(i) for i in range(n)], seed=1)


def test_what_is_hard_gains_by_more_photos_and_what_is_easy_does_not() -> None:
    hard, easy = curve_of(400, distance=1.0), curve_of(400, distance=30.0)
    assert hard[0].right < hard[1].right < hard[2].right
    assert hard[2].gain == pytest.approx(hard[2].right - hard[1].right) and hard[2].gain > hard[2].gain_error
    assert easy[2].gain == pytest.approx(0, abs=0.01) and easy[2].right > 0.97


def test_each_point_says_how_many_photos_were_learned_from() -> None:
    points = curve_of(200)
    assert [round(point.n_learned) for point in points] == [round(160 * share) for share in SHARES]
    assert points[0].gain == points[0].gain_error == 0


def test_the_same_seed_gives_the_same_curve() -> None:
    assert curve_of(60) == curve_of(60)


def test_photos_of_a_group_are_learned_from_together() -> None:
    """Each of eight clips looks like nothing else. Of single photos a quarter would show them all."""
    clips = np.arange(160) // 20
    features = np.random.default_rng(0).normal(size=(8, 400))[clips]
    folds, alone = np.arange(160) % 5, [str(i) for i in range(160)]
    for groups, is_known in ((alone, True), (list(map(str, clips)), False)):
        first = learning_curve(features, clips % 2, folds=folds, groups=groups, seed=0)[0]
        assert (first.right > 0.95) == is_known


def test_without_photos_that_are_held_out_or_with_too_many_there_is_none() -> None:
    features, labels, _ = drawn(20)
    groups = [str(i) for i in range(20)]
    assert learning_curve(features, labels, folds=np.full(20, -1), groups=groups, seed=0) == ()
    many = np.zeros((MAX_PHOTOS + 1, 2))
    assert learning_curve(many, np.zeros(len(many), int), folds=np.zeros(len(many), int), groups=[], seed=0) == ()


def test_a_class_that_a_fold_holds_out_whole_is_no_trouble() -> None:
    features, labels, _ = drawn(20)
    points = learning_curve(features, labels, folds=labels, groups=[str(i) for i in range(20)], seed=0)
    assert points[-1].right == 0


def test_the_table_comes_back_as_it_was_but_for_rounding() -> None:
    points = curve_of(60)
    read = read_curve(curve_table(points))
    assert [point.right for point in read] == pytest.approx([point.right for point in points], abs=1e-4)
    assert read_curve(curve_table(())) == ()

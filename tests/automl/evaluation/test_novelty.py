"""How far a photo is from all that was learned."""

import numpy as np
import pytest

from automl.evaluation.novelty import AIM, FEWEST_PHOTOS, learn_distance, threshold_of
from automl.evaluation.other_pictures import N_PICTURES, other_pictures
from automl.search.joined import unit
from automl.serving.predict import FeatureDistance

N, WIDTHS = 400, (30, 10)


def pooled(n: int, seed: int, centre: float = 0.0) -> np.ndarray:
    """Features that vary along few directions, as those of a network do. centre: of another kind of photos."""
    shape = np.random.default_rng(0)
    mixing, mean = shape.normal(size=(5, sum(WIDTHS))), shape.uniform(3, 5, sum(WIDTHS))
    mean = mean + centre * shape.normal(size=len(mean))
    random = np.random.default_rng(seed)
    return mean + random.normal(size=(n, 5)) @ mixing * 0.2 + random.normal(size=(n, len(mean))) * 0.05


def units(features: np.ndarray) -> np.ndarray:
    return np.concatenate([unit(part) for part in np.split(features, np.cumsum(WIDTHS)[:-1], axis=1)], axis=1)


def learned(n: int = N, folds: np.ndarray | None = None):
    folds = np.arange(n) % 5 if folds is None else folds
    return learn_distance(units(pooled(n, 1)), taps=("low", "high"), widths=WIDTHS, folds=folds)


def test_about_three_in_a_hundred_photos_of_the_same_kind_are_beyond_the_threshold_and_others_nearly_all():
    found = learned()
    assert found.flagged.mean() == pytest.approx(AIM, abs=0.02)
    same, other = (found.distance.of(pooled(1_000, 2, centre)) > 1 for centre in (0.0, 1.0))
    assert same.mean() == pytest.approx(AIM, abs=0.02)
    assert other.mean() > 0.95


def test_where_one_part_is_held_out_only_its_photos_say_how_far_true_photos_are():
    folds = np.where(np.arange(N) % 4, -1, 0)
    found = learned(folds=folds)
    assert len(found.held_out) == len(found.flagged) == N // 4
    assert found.held_out.max() >= 1 > np.median(found.held_out)


@pytest.mark.parametrize("n", [FEWEST_PHOTOS - 1, FEWEST_PHOTOS])
def test_too_few_photos_say_nothing(n):
    assert (learned(n) is None) == (n < FEWEST_PHOTOS)


def test_the_threshold_of_few_photos_is_their_farthest():
    assert threshold_of(np.arange(1.0, 31.0)) == 30
    assert threshold_of(np.arange(1.0, 101.0)) == 98


def test_photos_that_are_all_alike_give_numbers():
    found = learn_distance(np.ones((40, 4), np.float32) / 2, taps=("a",), widths=(4,), folds=np.arange(40) % 5)
    assert np.isfinite(found.distance.of(np.array([[1.0, 1, 1, 1], [9, 0, 0, 0]]))).all()


def test_what_is_stored_is_read_again():
    distance = learned().distance
    again = FeatureDistance.read(distance.stored())
    assert (again.taps, again.widths) == (("low", "high"), WIDTHS)
    assert again.of(pooled(5, 3)) == pytest.approx(distance.of(pooled(5, 3)), abs=1e-6)
    assert FeatureDistance.read(b"") is None


def test_features_of_whole_numbers_are_brought_back_first():
    distance, features = learned().distance, pooled(5, 3)
    scales, offsets = np.linspace(0.5, 2, sum(WIDTHS)), np.linspace(-1, 1, sum(WIDTHS))
    scaled = FeatureDistance(**{**distance.__dict__, "scales": scales, "offsets": offsets})
    again = FeatureDistance.read(scaled.stored())
    assert again.of((features - offsets) / scales) == pytest.approx(distance.of(features), rel=1e-3)


def test_the_stored_distance_stays_small():
    random = np.random.default_rng(0).normal(size=(60, 15_000)).astype(np.float32)
    found = learn_distance(random, taps=("all",), widths=(15_000,), folds=np.arange(60) % 3)
    assert len(found.distance.stored()) < 1_100_000


def test_other_pictures_are_many_and_in_colour():
    pictures = other_pictures()
    assert len(pictures) == N_PICTURES > 40
    assert {one.mode for one in pictures} == {"RGB"}
    assert all(np.asarray(one).std() > 1 for one in pictures)


@pytest.mark.parametrize("n", [60, 400])
def test_inner_products_give_the_distances_that_the_covariance_gives(n):
    """By its definition, with all directions of a matrix as large as the features."""
    features, folds = units(pooled(n, 1)), np.arange(n) % 5
    found, rank = learn_distance(features, taps=("low", "high"), widths=WIDTHS, folds=folds), 32
    expected = np.empty(n)
    for fold in range(5):
        learned, asked = features[folds != fold], features[folds == fold]
        squares, axes = np.linalg.eigh(np.cov(learned.T))
        rest = 0.3 * squares.sum() / len(squares)
        squares = np.where(np.arange(len(squares)) < len(squares) - rank, 0, squares)
        away = (asked - learned.mean(axis=0)) @ axes
        expected[folds == fold] = np.sqrt((away**2 / (0.7 * squares + rest)).sum(axis=1))
    assert found.held_out == pytest.approx(expected / threshold_of(expected), rel=1e-3)

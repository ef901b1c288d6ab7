import numpy as np
import pytest

from automl.evaluation.look_alikes import MAX_PAIRS, MAX_PHOTOS, look_alikes


def photos(n: int = 40, width: int = 64) -> np.ndarray:
    return np.random.default_rng(0).normal(3.0, 1.0, (n, width))


def test_two_views_of_one_photo_are_found_and_others_are_not() -> None:
    features = photos()
    features[30] = features[4] + 0.2 * np.random.default_rng(1).normal(size=64)
    ((one, other, likeness),) = look_alikes(features, [str(n) for n in range(40)])
    assert (one, other) == (4, 30)
    assert likeness > 0.9


def test_known_near_copies_are_passed_over() -> None:
    features = photos()
    features[30] = features[4]
    groups = ["same" if n in (4, 30) else str(n) for n in range(40)]
    assert look_alikes(features, groups) == []


def test_each_photo_is_in_one_pair_and_there_are_only_so_many() -> None:
    features = np.repeat(photos(150), 2, axis=0)
    pairs = look_alikes(features, [str(n) for n in range(300)])
    members = [row for pair in pairs for row in pair[:2]]
    assert len(pairs) == MAX_PAIRS
    assert len(set(members)) == len(members)


def test_nothing_is_like_nothing() -> None:
    assert look_alikes(np.zeros((0, 8)), []) == []
    with pytest.raises(ValueError, match="more than"):
        look_alikes(np.zeros((MAX_PHOTOS + 1, 1)), [])

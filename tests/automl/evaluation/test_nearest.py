import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import StandardScaler

import automl.evaluation.nearest
from automl.evaluation.nearest import nearest


def features(n: int, seed: int = 0, width: int = 24) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(3, 1, (n, width)) * np.linspace(0.5, 20, width)


def test_the_order_is_that_of_the_cosine_of_standardised_features() -> None:
    pool, queries = features(60), features(9, seed=1)
    scaler = StandardScaler().fit(pool)
    likeness = cosine_similarity(scaler.transform(queries), scaler.transform(pool))
    assert nearest(pool, queries, 5).tolist() == np.argsort(-likeness, axis=1)[:, :5].tolist()


def test_a_photo_of_the_pool_is_nearest_to_itself_and_its_copy_comes_next() -> None:
    pool = features(50)
    pool[41] = pool[17] * 1.001
    assert nearest(pool, pool[[17, 3]], 2)[:, 0].tolist() == [17, 3]
    assert nearest(pool, pool[[17]], 2).tolist() == [[17, 41]]


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, queries = features(60), features(20, seed=1)
    at_once = nearest(pool, queries, 10)
    monkeypatch.setattr(automl.evaluation.nearest, "_ROWS", 7)
    assert nearest(pool, queries, 10).tolist() == at_once.tolist()


def test_of_equals_the_earlier_row_comes_first() -> None:
    pool = np.repeat(features(4), 2, axis=0)
    assert nearest(pool, pool[[5]], 2).tolist() == [[4, 5]]


def test_a_small_pool_gives_all_that_it_has() -> None:
    found = nearest(features(3), features(2, seed=1), 8)
    assert found.shape == (2, 3)
    assert np.sort(found, axis=1).tolist() == [[0, 1, 2]] * 2


def test_no_query_and_no_pool_give_nothing() -> None:
    assert nearest(features(3), features(0), 2).shape == (0, 2)
    assert nearest(features(0), features(3), 2).shape == (3, 0)


def test_half_precision_features_that_are_large_do_not_overflow(tmp_path) -> None:
    pool = (600 * features(40)).astype(np.float16)
    np.save(tmp_path / "pool.npy", pool)
    mapped = np.load(tmp_path / "pool.npy", mmap_mode="r")
    assert nearest(mapped, pool[[8]], 1).tolist() == [[8]]


def test_features_that_are_the_same_in_all_photos_decide_nothing() -> None:
    pool = features(30)
    expected = nearest(pool, pool[:5], 3)
    constant = np.full((30, 4), 700.0)
    widened = np.hstack([pool, constant])
    assert nearest(widened, widened[:5], 3).tolist() == expected.tolist()


def test_other_layers_and_no_neighbour_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        nearest(features(3), features(3, width=5), 1)
    with pytest.raises(ValueError, match="at least 1"):
        nearest(features(3), features(3), 0)

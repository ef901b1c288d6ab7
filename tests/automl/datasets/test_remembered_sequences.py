"""A series that was searched is not searched again, and another one is."""

import numpy as np
import pytest

from automl.datasets import remembered_sequences as memory
from automl.images.fingerprint import FINGERPRINT_PX


@pytest.fixture
def searched(monkeypatch):
    """The lengths of the series that were really searched."""
    lengths: list[int] = []

    def find(fingerprints: np.ndarray, _others: np.ndarray) -> np.ndarray:
        lengths.append(len(fingerprints))
        return np.arange(len(fingerprints))

    monkeypatch.setattr(memory, "find_sequences", find)
    monkeypatch.setattr(memory, "_found", type(memory._found)())
    return lengths


def pictures(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, FINGERPRINT_PX**2), dtype=np.uint8)


def test_the_same_series_is_searched_once(searched):
    assert memory.remembered_sequences(pictures(9, 0), pictures(3, 1)).tolist() == list(range(9))
    assert memory.remembered_sequences(pictures(9, 0), pictures(3, 1)).tolist() == list(range(9))
    assert searched == [9]


def test_another_order_and_other_things_beside_it_are_searched_anew(searched):
    memory.remembered_sequences(pictures(9, 0), pictures(3, 1))
    memory.remembered_sequences(pictures(9, 0)[::-1], pictures(3, 1))
    memory.remembered_sequences(pictures(9, 0), pictures(3, 2))
    everything = np.concatenate([pictures(9, 0), pictures(3, 1)])
    memory.remembered_sequences(everything[:8], everything[8:])
    assert searched == [9, 9, 9, 8]


def test_only_the_latest_are_kept(searched, monkeypatch):
    monkeypatch.setattr(memory, "_MOST", 2)
    for n in (3, 4, 5, 5, 3):
        memory.remembered_sequences(pictures(n, 0), pictures(3, 1))
    assert searched == [3, 4, 5, 3]

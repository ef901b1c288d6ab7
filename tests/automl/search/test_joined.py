"""Features side by side: in memory or from disk, the numbers are the same."""

import numpy as np
import pytest

from automl.search import joined
from automl.search.joined import Joined, Normalisation, View, moments_of, unit, unit_mean

RANDOM = np.random.default_rng(0)
WIDE = RANDOM.normal(5, 3, (2500, 9)).astype(np.float16)
NARROW = RANDOM.normal(-1, 0.1, (2500, 4)).astype(np.float16)
ROWS = np.array([2499, 0, 7, 7])


def view(in_memory: bool, *parts: np.ndarray) -> View:
    return View(parts, Normalisation.standardised([moments_of(part) for part in (WIDE, NARROW)]), in_memory=in_memory)


def unit_view(in_memory: bool, *parts: np.ndarray) -> View:
    return View(parts, Normalisation.of_units([unit_mean(part) for part in (WIDE, NARROW)]), in_memory=in_memory)


def test_moments_are_those_of_the_whole_whatever_the_chunks(monkeypatch):
    monkeypatch.setattr(joined, "_CHUNK", 7)
    moments = moments_of(WIDE)
    np.testing.assert_allclose(moments.mean, WIDE.astype(np.float64).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(moments.deviation, WIDE.astype(np.float64).std(axis=0), rtol=1e-6)


def test_each_tap_is_standardised_and_weighs_as_much_as_its_width_allows():
    values = view(True, WIDE, NARROW).take(np.arange(2500))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-4)
    common = 1280**0.5 / (9**0.5 + 4**0.5)
    np.testing.assert_allclose(values.std(axis=0), [common / 3] * 9 + [common / 2] * 4, rtol=1e-4)


def test_the_last_layer_of_mobilenet_v2_alone_has_the_reach_of_one():
    moments = moments_of(RANDOM.normal(0, 1, (100, 1280)).astype(np.float16))
    scale = Normalisation.standardised([moments]).scale
    np.testing.assert_allclose(scale * moments.deviation, 1280**-0.5, rtol=1e-5)


def test_a_constant_column_becomes_zero():
    constant = np.full((10, 2), 3, np.float16)
    normalisation = Normalisation.standardised([moments_of(constant)])
    assert not View([constant], normalisation, in_memory=True).take(np.arange(len(constant))).any()


@pytest.mark.parametrize("in_memory", [True, False])
def test_values_are_raw_minus_mean_times_scale(in_memory):
    seen = Joined(view(in_memory, WIDE, NARROW))
    raw = np.concatenate([WIDE, NARROW], axis=1)[ROWS].astype(np.float32)
    how = seen.normalisation
    np.testing.assert_allclose(seen.take(ROWS), (raw - how.mean) * how.scale, rtol=1e-6)
    assert seen.take(ROWS).flags.c_contiguous and seen.take(ROWS).dtype == np.float32
    assert (seen.n_rows, seen.n_features) == (2500, 13)


def test_memory_and_disk_give_the_same_bits():
    rows = RANDOM.integers(0, 2500, 2000)
    in_memory, on_disk = view(True, WIDE, NARROW), view(False, WIDE, NARROW)
    assert np.array_equal(in_memory.take(rows), on_disk.take(rows))
    assert (in_memory.n_bytes, on_disk.n_bytes) == (2500 * 13 * 4, 0)


@pytest.mark.parametrize("in_memory", [True, False])
def test_each_tap_is_divided_by_its_norm_and_centred(in_memory):
    seen = Joined(unit_view(in_memory, WIDE, NARROW))
    taps = [part[ROWS].astype(np.float64) for part in (WIDE, NARROW)]
    units = np.concatenate([tap / np.linalg.norm(tap, axis=1, keepdims=True) for tap in taps], axis=1)
    how = seen.normalisation
    np.testing.assert_allclose(seen.take(ROWS), (units - how.mean) * seen.common, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(seen.take(np.arange(2500)).mean(axis=0), 0, atol=1e-5)
    assert how.is_unit and (how.scale == np.float32(seen.common)).all()


def test_a_tap_of_zeros_stays_one_of_zeros():
    assert not unit(np.zeros((2, 3), np.float16)).any()


def test_mirrored_photos_have_the_mean_and_scale_of_plain_ones():
    seen = Joined(view(True, WIDE, NARROW), view(False, WIDE + 1, NARROW))
    shifted = seen.take_mirrored(ROWS) - seen.take(ROWS)
    np.testing.assert_allclose(shifted[:, :9], np.tile(seen.normalisation.scale[:9], (4, 1)), rtol=0.02)
    assert not shifted[:, 9:].any()


def test_mirrored_features_that_are_not_there_are_an_error():
    with pytest.raises(ValueError, match="mirrored"):
        Joined(view(True, WIDE, NARROW)).take_mirrored(ROWS)

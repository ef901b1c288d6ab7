"""The network for one size gives the numbers of the delivered one, standardised features or not."""

import numpy as np
import pytest

from automl.delivery.fixed_size import (
    features_of,
    measured_spreads,
    outputs_of,
    with_fixed_size,
    with_shifts,
    with_standardised_features,
)
from automl.models.quiet_tensorflow import import_tensorflow
from tests.automl.delivery.delivered import SIZE_PX, delivered_model, pictures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "units"])
def model(request):
    import_tensorflow()
    return delivered_model(request.param)


@pytest.fixture(scope="module")
def fixed(model):
    return with_fixed_size(model, SIZE_PX)


def test_the_numbers_stay_also_those_of_a_branch_that_sees_less(model, fixed):
    images = pictures(5)
    (probabilities,) = outputs_of(fixed, images)
    assert probabilities == pytest.approx(np.asarray(model(images.astype(np.float32))), abs=1e-4)
    assert fixed.input.shape == (1, SIZE_PX, SIZE_PX, 3)


def test_what_is_standardised_is_taken_back_behind(fixed):
    images = pictures(20)
    spreads = measured_spreads(fixed, images)
    assert list(spreads) == ["tap_0", "tap_1", "tap_2"]
    (changed,) = outputs_of(with_standardised_features(fixed, spreads), images)
    assert changed == pytest.approx(outputs_of(fixed, images)[0], abs=1e-4)


def test_standardised_features_have_no_mean_and_no_long_tail(fixed):
    images = pictures(200)
    spreads = measured_spreads(fixed, images)
    (features,) = outputs_of(features_of(with_standardised_features(fixed, spreads), spreads), images)
    assert features.shape == (200, 8 + 16 + 8)
    assert features.mean(axis=0) == pytest.approx(np.zeros(32), abs=0.02)
    assert np.abs(features).max() < 6.01
    assert features.std(axis=0).max() < 1.01


def test_a_shift_is_taken_off_the_features_and_not_put_back(fixed):
    images = pictures(4)
    spreads = measured_spreads(fixed, images)
    shifts = np.linspace(-1, 1, 32, dtype=np.float32)
    (before,) = outputs_of(features_of(with_standardised_features(fixed, spreads), spreads), images)
    shifted = with_standardised_features(fixed, with_shifts(spreads, shifts))
    (after,) = outputs_of(features_of(shifted, spreads), images)
    assert before - after == pytest.approx(np.tile(shifts, (4, 1)), abs=1e-3)

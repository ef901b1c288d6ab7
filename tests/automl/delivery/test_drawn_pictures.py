"""Pictures of nothing are of many kinds, and always the same."""

import numpy as np
import pytest

from automl.delivery.drawn_pictures import drawn_pictures


def test_they_are_always_the_same_and_no_two_alike():
    pictures = drawn_pictures(12, 48)
    assert (pictures.shape, pictures.dtype) == ((12, 48, 48, 3), np.uint8)
    assert np.array_equal(pictures, drawn_pictures(12, 48))
    assert len({picture.tobytes() for picture in pictures}) == 12
    assert all(picture.std() > 1 for picture in pictures)


@pytest.mark.parametrize("size_px", [16, 224, 301])
def test_they_have_the_size_that_a_model_takes_and_both_ends_of_the_scale(size_px):
    pictures = drawn_pictures(12, size_px)
    assert pictures.shape == (12, size_px, size_px, 3)
    assert pictures.min() < 10 and pictures.max() > 245


def test_none_are_none():
    assert drawn_pictures(0, 48).shape == (0, 48, 48, 3)

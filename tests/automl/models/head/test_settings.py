"""What heads are trained on: the weights of unbalanced classes."""

import numpy as np
import pytest

from automl.models.head.settings import balanced_weights


def test_balanced_weights_give_each_class_the_same_sum_and_a_row_the_mean_one():
    labels = np.array([0] * 8 + [1] * 2)  # no row is of class 2
    weights = balanced_weights(labels, 3)
    assert weights[labels].mean() == pytest.approx(1)
    assert 8 * weights[0] == pytest.approx(2 * weights[1])

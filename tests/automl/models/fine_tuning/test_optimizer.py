"""The running average of weights, which stays on the device."""

import numpy as np
import tensorflow as tf

from automl.models.fine_tuning.optimizer import RunningAverage


def test_the_average_is_exchanged_with_the_weights_and_back() -> None:
    variables = [tf.Variable([1.0, 2.0]), tf.Variable(5.0)]
    average = RunningAverage(variables)
    with average.applied():
        assert variables[1].numpy() == 5
    average.update(0.9)
    variables[0].assign([3.0, 4.0])
    average.update(0.5)
    with average.applied():
        np.testing.assert_allclose(variables[0], [2, 3])
        assert variables[1].numpy() == 5
    np.testing.assert_allclose(variables[0], [3, 4])
    variables[0].assign_add([1.0, 1.0])  # must not change what the average holds
    with average.applied():
        np.testing.assert_allclose(variables[0], [2, 3])

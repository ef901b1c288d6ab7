"""TensorFlow's exactness is set inside a block only."""

import pytest
import tensorflow as tf
from tensorflow.python.framework import config

from automl.models.numerics import deterministic_ops, full_float32


def test_the_order_of_sums_is_fixed_inside_only():
    with deterministic_ops():
        assert config.is_op_determinism_enabled()
    assert not config.is_op_determinism_enabled()


def test_an_error_ends_it_too():
    with pytest.raises(RuntimeError), deterministic_ops(), full_float32():
        raise RuntimeError
    assert not config.is_op_determinism_enabled()
    assert tf.config.experimental.tensor_float_32_execution_enabled()


def test_what_was_fixed_before_stays_fixed():
    with deterministic_ops():
        with deterministic_ops():
            pass
        assert config.is_op_determinism_enabled()


def test_float32_is_whole_inside_only():
    with full_float32():
        assert not tf.config.experimental.tensor_float_32_execution_enabled()
    assert tf.config.experimental.tensor_float_32_execution_enabled()

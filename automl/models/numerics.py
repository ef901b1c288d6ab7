"""How exactly TensorFlow computes: the order of its sums, and how many bits a GPU gives to a product."""

from collections.abc import Iterator
from contextlib import contextmanager

from automl.models.quiet_tensorflow import import_tensorflow


@contextmanager
def deterministic_ops() -> Iterator[None]:
    """Inside, an operation adds up in the same order each time, so that the same seed gives the same numbers.

    An operation that has no such form on the device raises `tf.errors.UnimplementedError`.
    """
    import_tensorflow()
    from tensorflow.python.framework import config  # the public name can only switch it on, for ever

    before = config.is_op_determinism_enabled()
    config.enable_op_determinism()
    try:
        yield
    finally:
        if not before:
            config.disable_op_determinism()


@contextmanager
def full_float32() -> Iterator[None]:
    """Inside, a GPU multiplies float32 as such, not as TensorFloat-32, whose error of 1e-3 hides real differences."""
    import_tensorflow()
    import tensorflow as tf

    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)

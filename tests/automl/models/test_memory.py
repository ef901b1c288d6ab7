"""Too little memory is recognised in the words of every library."""

from automl.models.memory import is_out_of_memory


def test_out_of_memory_is_recognised_in_every_library() -> None:
    import tensorflow as tf
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException

    assert is_out_of_memory(tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"))
    assert is_out_of_memory(RuntimeException("Exception during initialization: std::bad_alloc"))
    assert is_out_of_memory(Fail("bfc_arena.cc Failed to allocate memory for requested buffer of size 154140672"))
    assert not is_out_of_memory(Fail("Non-zero status code returned while running Conv node"))
    assert not is_out_of_memory(ValueError("failed to allocate"))

"""How the libraries say that there is too little memory."""


def is_out_of_memory(error: Exception) -> bool:
    """Whether Python, NumPy, ONNX Runtime or TensorFlow raised `error` because there is too little memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return True
    is_onnx_runtime = type(error).__module__.startswith("onnxruntime")
    return is_onnx_runtime and any(sign in str(error).lower() for sign in ("bad_alloc", "bad alloc", "to allocate"))

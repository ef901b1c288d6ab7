"""Load a delivered model and predict: ONNX Runtime, NumPy and Pillow, nothing heavier."""

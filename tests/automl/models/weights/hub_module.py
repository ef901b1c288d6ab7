"""Makes small modules in TensorFlow Hub's own format: a .tar.gz with a SavedModel that lists its variables."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

QUERY = "?tf-hub-format=compressed"


def hub_module(variables: Mapping[str, np.ndarray], scratch: Path) -> bytes:
    """`variables` by their names in the module, such as `MobilenetV1/Conv2d_0/weights`."""
    module = tf.train.Checkpoint()  # a tf.Module would not let us name a list `variables`, as Hub's modules do
    module.variables = [tf.Variable(array, name=name) for name, array in variables.items()]
    tf.saved_model.save(module, str(scratch))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(scratch, arcname="./")
    return buffer.getvalue()


def slim_v1_names(variables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """From our names (`conv_dw_3_bn/gamma`) to TF-Slim's (`MobilenetV1/Conv2d_3_depthwise/BatchNorm/gamma`)."""
    renamed = {}
    for name, array in variables.items():
        layer, variable = name.split("/")
        scope = layer.removesuffix("_bn")
        kind = {"dw": "_depthwise", "pw": "_pointwise"}.get(scope.split("_")[1] if "_" in scope else "", "")
        number = scope.rsplit("_", 1)[1] if kind else "0"
        if layer.endswith("_bn"):
            variable = f"BatchNorm/{variable}"
        else:
            variable = "depthwise_weights" if kind == "_depthwise" else "weights"
        renamed[f"MobilenetV1/Conv2d_{number}{kind}/{variable}"] = array
    return renamed

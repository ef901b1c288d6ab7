"""Each backbone as an ONNX graph, several times faster than TensorFlow on a CPU.

Input `images`: float32 (batch, 3, height, width), RGB, 0-255, preprocessing inside. Outputs `tap_0` ... `tap_k`:
float32 (batch, channels), each tap averaged over its pixels. Batch, height and width are dynamic; every graph has the
same opset and IR version, so that graphs can be joined.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import TensorProto, helper

from automl.errors import BadWeights
from automl.models.numerics import full_float32

OPSET = 18
IR_VERSION = 10
MAX_DIFFERENCE = 1e-3
"""Largest difference between Keras and ONNX Runtime in any pooled feature, in units of the largest above 1."""


def export_onnx(model: keras.Model, target: Path) -> None:
    """Writes a network as an ONNX file.

    Args:
        model: as `build_backbone` makes it.
        target: the file.

    Raises:
        OSError: the file cannot be written.
    """
    graph_model = _convert(model)
    _add_pooling(graph_model.graph, [int(output.shape[-1]) for output in model.outputs])
    _name_dimensions(graph_model.graph)
    graph_model.ir_version = IR_VERSION
    graph_model.producer_name = "Darkroom"
    onnx.checker.check_model(graph_model)
    onnx.save(graph_model, target)


def check_onnx(model: keras.Model, path: Path, images: np.ndarray) -> None:
    """Compares the ONNX file of a network with the network itself.

    Args:
        model: the network.
        path: its ONNX file.
        images: float32 (batch, height, width, 3), 0-255.

    Raises:
        BadWeights: they do not agree.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    by_onnx = session.run(None, {"images": np.ascontiguousarray(images.transpose(0, 3, 1, 2))})
    with full_float32():
        by_keras = [np.asarray(maps).mean(axis=(1, 2)) for maps in model(images, training=False)]
    # Of features larger than 1, as activations without a ceiling give, the share of the largest counts.
    difference = max(
        float(np.abs(a - b).max() / max(1.0, np.abs(b).max())) for a, b in zip(by_onnx, by_keras, strict=True)
    )
    if not difference <= MAX_DIFFERENCE:
        raise BadWeights(f"the ONNX graph of {model.name} differs from Keras by {difference:.3g}")


def _convert(model: keras.Model) -> onnx.ModelProto:
    """Converts the network, with feature maps in channels-first order, which ONNX Runtime's convolutions want."""
    import tf2onnx

    signature = [tf.TensorSpec((None, None, None, 3), tf.float32, name="images")]
    names = [f"map_{i}" for i in range(len(model.outputs))]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def maps(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(names, model(images, training=False), strict=True))

    with _quiet_tf2onnx():
        converted: onnx.ModelProto
        converted, _ = tf2onnx.convert.from_function(
            maps, input_signature=signature, opset=OPSET, inputs_as_nchw=["images"], outputs_as_nchw=names
        )
    return converted


def _add_pooling(graph: onnx.GraphProto, widths: list[int]) -> None:
    """Replaces each feature map among the outputs by its average over height and width."""
    maps = [output.name for output in graph.output]
    del graph.output[:]
    for i, (name, width) in enumerate(zip(maps, widths, strict=True)):
        graph.node.append(helper.make_node("GlobalAveragePool", [name], [f"pooled_{i}"], name=f"pool_{i}"))
        graph.node.append(helper.make_node("Flatten", [f"pooled_{i}"], [f"tap_{i}"], name=f"flatten_{i}", axis=1))
        graph.output.append(helper.make_tensor_value_info(f"tap_{i}", TensorProto.FLOAT, ["batch", width]))


def _name_dimensions(graph: onnx.GraphProto) -> None:
    """Names the dynamic dimensions, for which tf2onnx invents names, and drops the shapes of inner values."""
    del graph.value_info[:]
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, "height", "width"]))


@contextmanager
def _quiet_tf2onnx() -> Iterator[None]:
    """Silences tf2onnx: it logs each optimizer pass and uses NumPy names that warn, which says nothing of the graph."""
    logger = logging.getLogger("tf2onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"tf2onnx\.")
            yield
    finally:
        logger.setLevel(before)

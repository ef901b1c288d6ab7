"""The delivered models: `model.keras` and `model.onnx`, photo in, probabilities out, preprocessing inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from automl.models.weights import InstalledWeights, load_backbone
from automl.search.space import LAST_TAP
from automl.search.trial import Candidate
from automl.serving.predict import Classifier


@dataclass(frozen=True, slots=True)
class ExportedModels:
    """Two files of one model."""

    keras: Path
    onnx: Path


def export(
    candidate: Candidate, labels: Sequence[str], weights: Mapping[str, InstalledWeights], folder: Path
) -> ExportedModels:
    """Writes both files into `folder`."""
    models = ExportedModels(folder / "model.keras", folder / "model.onnx")
    write_onnx(candidate, labels, weights, models.onnx)
    build_keras(candidate, weights).save(models.keras)
    return models


def largest_difference(models: ExportedModels, pictures: np.ndarray) -> float:
    """Loads both files again and compares their probabilities on `pictures`: uint8 (n, height, width, 3)."""
    import keras

    loaded = keras.models.load_model(models.keras)
    # Called as a user would, which is also quicker than `predict`: no graph is compiled for a handful of pictures.
    by_keras = np.asarray(loaded(pictures.astype(np.float32)))
    return float(np.abs(by_keras - Classifier(models.onnx).predict_arrays(pictures)).max())


def build_keras(candidate: Candidate, weights: Mapping[str, InstalledWeights]) -> Any:
    """A `keras.Model`: float32 (batch, height, width, 3) of 0-255 RGB in, float32 (batch, n_classes) out.

    Plain layers only, so that it loads anywhere with Keras 3. A picture of any size is resized inside.
    """
    import keras

    size = candidate.image_size_px
    pictures = keras.Input((None, None, 3), name="image")
    resize = keras.layers.Resizing(size, size, interpolation="bilinear", antialias=True, name="resize")
    # Its default is training=True, which Keras would hand on to every batch norm behind it in a plain model(x).
    resized = resize(pictures, training=False)
    pooled = []
    for name in candidate.backbones:
        maps = _backbone(weights[name])(resized)
        for tap in _used_taps(candidate, len(maps)):
            pooled.append(keras.layers.GlobalAveragePooling2D(name=f"{name}_tap_{tap}")(maps[tap]))
    features = keras.layers.Concatenate(name="features")(pooled) if len(pooled) > 1 else pooled[0]
    kernel, bias = candidate.folded_head()
    head = keras.layers.Dense(len(bias), activation="softmax", name="probabilities")
    model = keras.Model(pictures, head(features), name="darkroom")
    head.set_weights([kernel, bias])
    return model


@cache
def _backbone(weights: InstalledWeights) -> Any:
    """The first model and the final one usually share backbones; building one takes a second or more."""
    return load_backbone(weights)


def write_onnx(
    candidate: Candidate, labels: Sequence[str], weights: Mapping[str, InstalledWeights], target: Path
) -> None:
    """Joins the backbones' verified graphs with a resize in front and the head behind.

    The graphs were checked against Keras when they were installed, so nothing is converted again here.
    """
    import onnx
    from onnx import TensorProto, compose, helper, numpy_helper

    front = _front(candidate)
    nodes, initializers, value_info, taps = list(front.node), list(front.initializer), [], []
    ir_version = 0
    opsets: dict[str, int] = {}
    for name in candidate.backbones:
        graph_file = onnx.load(weights[name].onnx_path)
        prefixed = compose.add_prefix(graph_file, f"{name}/")
        graph = prefixed.graph
        nodes.append(helper.make_node("Identity", ["resized"], [graph.input[0].name]))
        nodes += graph.node
        initializers += graph.initializer
        value_info += graph.value_info
        outputs = [output.name for output in graph.output]
        taps += [outputs[tap] for tap in _used_taps(candidate, len(outputs))]
        ir_version = max(ir_version, graph_file.ir_version)
        opsets |= {opset.domain: opset.version for opset in graph_file.opset_import}
    kernel, bias = candidate.folded_head()
    initializers += [numpy_helper.from_array(kernel, "head/kernel"), numpy_helper.from_array(bias, "head/bias")]
    nodes += [
        helper.make_node("Concat", taps, ["features"], axis=1),
        helper.make_node("MatMul", ["features", "head/kernel"], ["head/product"]),
        helper.make_node("Add", ["head/product", "head/bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(labels)])
    graph = helper.make_graph(nodes, "darkroom", list(front.input), [output], initializers, value_info=value_info)
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    model = helper.make_model(graph, opset_imports=imports, ir_version=ir_version, producer_name="Darkroom")
    helper.set_model_props(model, {"labels": "\n".join(labels), "image_size_px": str(candidate.image_size_px)})
    onnx.checker.check_model(model)
    onnx.save(model, target)


def _front(candidate: Candidate) -> Any:
    """(batch, height, width, 3) of any size -> "resized": (batch, 3, size, size)."""
    from onnx import TensorProto, helper, numpy_helper

    size = np.array([candidate.image_size_px] * 2, dtype=np.int64)
    nodes = [
        helper.make_node("Transpose", ["image"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "Resize", ["channels_first", "", "", "size"], ["resized"], mode="linear", antialias=1, axes=[2, 3]
        ),
    ]
    picture = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", "height", "width", 3])
    return helper.make_graph(nodes, "front", [picture], [], [numpy_helper.from_array(size, "size")])


def _used_taps(candidate: Candidate, n_taps: int) -> Sequence[int]:
    return [n_taps - 1] if candidate.taps == LAST_TAP else range(n_taps)

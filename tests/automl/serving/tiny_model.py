"""A delivered model of a few hundred bytes, its parts named as by `automl.delivery.exporter`: which colour is most?"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from automl.records import DeliveredContract
from automl.serving.predict import CONTRACT

LABELS = ("red", "green", "blue")
SIZE_PX = 8


def tiny_model(sureness: float = 12.0, hidden: int = 0, has_taps: bool = True, has_distance: bool = False) -> bytes:
    """Bytes of a `model.onnx`. `sureness`: how much of a colour is needed for how much confidence.

    With `has_distance` it has learned colours only: the distance is twice the least of the three, so white is foreign.
    """
    joined = "features_0" if has_taps else "anything"
    nodes = [
        helper.make_node("Transpose", ["image"], ["colours"], perm=[0, 3, 1, 2]),
        helper.make_node("Div", ["colours", "white"], ["map_0"]),
        helper.make_node("GlobalAveragePool", ["map_0"], ["pooled_0"]),
        helper.make_node("Flatten", ["pooled_0"], ["tap_0"], axis=1),
        helper.make_node("Concat", ["tap_0"], [joined], axis=1),
    ]
    arrays = {"white": np.array(255, np.float32)}
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 3])]
    if has_distance:
        arrays |= {"two": np.array(2, np.float32), "axes": np.array([1], np.int64)}
        nodes.append(helper.make_node("ReduceMin", ["tap_0", "axes"], ["least"], keepdims=0))
        nodes.append(helper.make_node("Mul", ["least", "two"], ["distance"]))
        outputs.append(helper.make_tensor_value_info("distance", TensorProto.FLOAT, ["batch"]))
    widths = [3, *([hidden] if hidden else []), 3]
    values = joined
    for depth in range(len(widths) - 1):
        name = f"head_0_{depth}"
        if depth:
            nodes.append(helper.make_node("Relu", [values], [f"{name}/input"]))
            values = f"{name}/input"
        arrays[f"{name}/kernel"] = sureness * np.eye(widths[depth], widths[depth + 1], dtype=np.float32)
        arrays[f"{name}/bias"] = np.zeros(widths[depth + 1], np.float32)
        nodes.append(helper.make_node("MatMul", [values, f"{name}/kernel"], [f"{name}/product"]))
        nodes.append(helper.make_node("Add", [f"{name}/product", f"{name}/bias"], [name]))
        values = name
    nodes.append(helper.make_node("Softmax", [values], ["probabilities"], axis=1))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", "height", "width", 3])],
        outputs,
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    known = {"labels": "\n".join(LABELS), "image_size_px": str(SIZE_PX)}
    if has_distance:
        known[CONTRACT] = DeliveredContract(foreign=1.0).json_text()
    helper.set_model_props(model, known)
    onnx.checker.check_model(model)
    serialised: bytes = model.SerializeToString()
    return serialised

"""A candidate as one ONNX graph: photo in, probabilities out, preprocessing inside.

The names of some nodes are an agreement with `automl.serving.explained`, which finds the heads of any delivered model
by them: each head begins with a node that joins pooled taps under the name `features_N`, and its matrices are the
initializers `head_N_D/kernel` and `head_N_D/bias`. A tap that is divided by its norm is the output of a `Div`.

A model that knows how far a photo is from all that it learned from gives that as a second output, `distance`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl.delivery.tap_inputs import Tap, inputs_of, tap_name
from automl.models.weights.cache import InstalledWeights
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.joined import SMALLEST_NORM
from automl.serving.predict import CONTRACT, FeatureDistance


def onnx_model(
    candidate: Candidate,
    weights: Mapping[str, InstalledWeights],
    *,
    graphs: Mapping[Branch, Path],
    labels: Sequence[str],
    contract: str,
) -> Any:
    """An `onnx.ModelProto`: the backbones' verified graphs with a resize in front and the heads behind.

    Args:
        candidate: the model.
        weights: the pretrained backbones by name.
        graphs: the ONNX file of each branch, as `weights.onnx_export` writes it.
        labels: the class names in the order of the probabilities.
        contract: the JSON of the serving contract; empty for none.
    """
    joined = _JoinedGraph(candidate.image_size_px)
    for size in dict.fromkeys([candidate.image_size_px, *(branch.image_size_px for branch in candidate.branches)]):
        joined.add_square(size)
    for branch in candidate.branches:
        joined.add_backbone(branch, graphs[branch])
    logits = [joined.add_head(number, head, inputs_of(head, weights)) for number, head in enumerate(candidate.heads)]
    if candidate.distance is not None:
        joined.add_distance(candidate.distance)
    return joined.finish(logits, labels, contract)


class _JoinedGraph:
    """The nodes of a graph that is put together from others.

    Args:
        image_size_px: the side of the square that every picture is made first.
    """

    def __init__(self, image_size_px: int) -> None:
        from onnx import helper

        self._main_px = image_size_px
        self._nodes: list[Any] = [helper.make_node("Transpose", ["image"], ["channels_first"], perm=[0, 3, 1, 2])]
        self._initializers: list[Any] = []
        self._taps: dict[Tap, str] = {}
        self._units: dict[Tap, str] = {}
        self._has_distance = False
        self._ir_version = 0
        self._opsets: dict[str, int] = {}

    def add_square(self, size: int) -> None:
        """Resizes to `square_<size>`, (batch, 3, size, size). A smaller square is made from the model's own one."""
        from onnx import helper, numpy_helper

        source = "channels_first" if size == self._main_px else f"square_{self._main_px}"
        self._initializers.append(numpy_helper.from_array(np.array([size] * 2, dtype=np.int64), f"size_{size}"))
        inputs = [source, "", "", f"size_{size}"]
        self._nodes.append(
            helper.make_node("Resize", inputs, [f"square_{size}"], mode="linear", antialias=1, axes=[2, 3])
        )

    def add_backbone(self, branch: Branch, path: Path) -> None:
        """Takes in the graph of a branch, with the branch's name in front of all names."""
        import onnx
        from onnx import compose, helper

        model = onnx.load(path)
        graph = compose.add_prefix(model, f"{branch.name}/").graph
        self._nodes.append(helper.make_node("Identity", [f"square_{branch.image_size_px}"], [graph.input[0].name]))
        self._nodes += graph.node
        self._initializers += graph.initializer
        self._taps |= {(branch, number): output.name for number, output in enumerate(graph.output)}
        self._ir_version = max(self._ir_version, model.ir_version)
        self._opsets |= {opset.domain: opset.version for opset in model.opset_import}

    def add_head(self, number: int, head: BranchHead, taps: Sequence[Tap]) -> str:
        """Adds the dense layers of a head. Returns the name of its logits."""
        from onnx import helper, numpy_helper

        values = f"features_{number}"
        inputs = [self._unit(tap) if head.is_unit else self._taps[tap] for tap in taps]
        self._nodes.append(helper.make_node("Concat", inputs, [values], axis=1))
        for depth, (kernel, bias) in enumerate(head.layers):
            name = f"head_{number}_{depth}"
            if depth:
                self._nodes.append(helper.make_node("Relu", [values], [f"{name}/input"]))
                values = f"{name}/input"
            self._initializers += [
                numpy_helper.from_array(kernel, f"{name}/kernel"),
                numpy_helper.from_array(bias, f"{name}/bias"),
            ]
            self._nodes.append(helper.make_node("MatMul", [values, f"{name}/kernel"], [f"{name}/product"]))
            self._nodes.append(helper.make_node("Add", [f"{name}/product", f"{name}/bias"], [name]))
            values = name
        return values

    def add_distance(self, distance: FeatureDistance) -> None:
        """Adds the output `distance`, (batch,), which is what `FeatureDistance.of` gives."""
        from onnx import helper, numpy_helper

        named = {tap_name(tap): tap for tap in self._taps}
        units = [self._unit(named[name]) for name in distance.taps]
        arrays = {
            "mean": distance.mean,
            "directions": distance.directions,
            "weight": np.array(distance.weight, np.float32),
            "axes": np.array([1], np.int64),
        }
        self._initializers += [numpy_helper.from_array(array, f"distance/{name}") for name, array in arrays.items()]
        rows: tuple[tuple[str, list[str], str, dict[str, int]], ...] = (
            ("Concat", units, "units", {"axis": 1}),
            ("Sub", ["distance/units", "distance/mean"], "centred", {}),
            ("ReduceSumSquare", ["distance/centred", "distance/axes"], "squares", {"keepdims": 0}),
            ("Mul", ["distance/squares", "distance/weight"], "weighted", {}),
            ("MatMul", ["distance/centred", "distance/directions"], "along", {}),
            ("ReduceSumSquare", ["distance/along", "distance/axes"], "discount", {"keepdims": 0}),
            ("Sub", ["distance/weighted", "distance/discount"], "squared", {}),
            ("Relu", ["distance/squared"], "positive", {}),
        )
        node: Any = helper.make_node
        self._nodes += [node(kind, given, [f"distance/{made}"], **how) for kind, given, made, how in rows]
        self._nodes.append(helper.make_node("Sqrt", ["distance/positive"], ["distance"]))
        self._has_distance = True

    def _unit(self, tap: Tap) -> str:
        """The name of a pooled tap that is divided by its norm, once for all heads; one of zeros stays as it is."""
        from onnx import helper, numpy_helper

        if tap not in self._units:
            if not self._units:
                smallest = np.array(SMALLEST_NORM, np.float32)
                self._initializers += [
                    numpy_helper.from_array(smallest, "smallest_norm"),
                    numpy_helper.from_array(np.array([1], np.int64), "norm_axes"),
                ]
            pooled, number = self._taps[tap], len(self._units)
            norm, divisor, unit = f"norm_{number}", f"divisor_{number}", f"unit_{number}"
            self._nodes += [
                helper.make_node("ReduceL2", [pooled, "norm_axes"], [norm], keepdims=1),
                helper.make_node("Max", [norm, "smallest_norm"], [divisor]),
                helper.make_node("Div", [pooled, divisor], [unit]),
            ]
            self._units[tap] = unit
        return self._units[tap]

    def finish(self, logits: Sequence[str], labels: Sequence[str], contract: str) -> Any:
        """Adds up the logits, and returns the checked model with its labels, its size and its contract."""
        import onnx
        from onnx import TensorProto, helper

        nodes = [
            *self._nodes,
            helper.make_node("Sum", list(logits), ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        picture = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", "height", "width", 3])
        outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(labels)])]
        if self._has_distance:
            outputs.append(helper.make_tensor_value_info("distance", TensorProto.FLOAT, ["batch"]))
        graph = helper.make_graph(nodes, "darkroom", [picture], outputs, self._initializers)
        imports = [helper.make_opsetid(domain, version) for domain, version in self._opsets.items()]
        model = helper.make_model(graph, opset_imports=imports, ir_version=self._ir_version, producer_name="Darkroom")
        known = {"labels": "\n".join(labels), "image_size_px": str(self._main_px)}
        helper.set_model_props(model, known | ({CONTRACT: contract} if contract else {}))
        onnx.checker.check_model(model)
        return model

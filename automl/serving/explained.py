"""A delivered `model.onnx` that also shows where in a photo it found what speaks for its answer.

The names in the graph make that possible: each head begins with a node that joins pooled taps under the name
`features_N`, and its matrices are the initializers `head_N_D/kernel` and `head_N_D/bias`. A tap that is divided by its
norm is the output of a `Div` (see `automl.delivery.onnx_model`). So every model that Darkroom delivered can be
explained, and the file that users download gives no more than its answers.
"""

from collections.abc import Iterable
from itertools import count
from typing import Any

import numpy as np

from automl.errors import BadBundle
from automl.serving.heat import Evidence, ExplainedHead, evidence
from automl.text.messages import server as server_messages

_BATCH = 2  # more are no quicker on one thread, and their maps would fill the memory


class ExplainedModel:
    """A model that gives answers and heat maps in one pass.

    Args:
        model: the bytes of a `model.onnx`.
        n_threads: the number of threads that it computes with.

    Raises:
        BadBundle: it is not a graph that Darkroom wrote; it may still be able to answer.
    """

    def __init__(self, model: bytes, n_threads: int = 1) -> None:
        import onnx
        import onnxruntime

        proto = onnx.load_model_from_string(model)
        self._heads, maps = heads_of(proto.graph)
        # A name is enough: ONNX Runtime works out types and shapes.
        proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in maps)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # heat maps are rare: what one has needed is given back
        self._session = onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._input: str = self._session.get_inputs()[0].name
        self._outputs = [proto.graph.output[0].name, *maps]
        self._typical = [np.zeros((1, 1, 1, 1), np.float32) for _ in maps]

    def learn_typical(self, images: np.ndarray) -> None:
        """Subtracts from every feature map what these photos have on average; without a photo, nothing.

        images: uint8 (n, size, size, 3).
        """
        if not len(images):
            return
        means = [np.zeros((1, 1, 1, 1), np.float32) for _ in self._typical]
        for start in range(0, len(images), _BATCH):
            _, maps = self._run(images[start : start + _BATCH])
            parts = [values.sum(axis=0, keepdims=True) / np.float32(len(images)) for values in maps]
            means = [mean + part for mean, part in zip(means, parts, strict=True)]
        self._typical = means

    def explain(self, images: np.ndarray, said: int | None = None) -> tuple[np.ndarray, Evidence]:
        """The probabilities, float32 (n, n_classes), and what spoke for a class.

        Args:
            images: uint8 (n, size, size, 3).
            said: the class; None for the likeliest class of each photo.

        Raises:
            ValueError: the model has no such class.
        """
        probabilities, maps = self._run(images)
        if said is not None and not 0 <= said < probabilities.shape[1]:
            raise ValueError(f"Classes are 0 to {probabilities.shape[1] - 1}, not {said}.")
        classes = probabilities.argmax(axis=1) if said is None else np.full(len(images), said)
        return probabilities, evidence(self._heads, maps, typical=self._typical, classes=classes)

    def _run(self, images: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        probabilities, *maps = self._session.run(self._outputs, {self._input: images.astype(np.float32)})
        return probabilities, [values.transpose(0, 2, 3, 1) for values in maps]


def heads_of(graph: Any) -> tuple[list[ExplainedHead], list[str]]:
    """The heads of an `onnx.GraphProto`, and the names of the feature maps that their taps are the means of."""
    from onnx import numpy_helper

    makers = {name: node for node in graph.node for name in node.output}
    arrays = {one.name: one for one in graph.initializer}
    joined = list(_while_there(makers, "features_{}"))
    if not joined:
        raise BadBundle(server_messages.NO_HEAT_MAPS)
    pooled = [[_undivided(makers, tap) for tap in makers[name].input] for name in joined]
    inputs = [[_map_behind(makers, tap) for tap in taps] for taps in pooled]
    maps = list(dict.fromkeys(name for names in inputs for name in names))
    heads = []
    for number, names in enumerate(inputs):
        kernels = _while_there(arrays, f"head_{number}_{{}}/kernel")
        layers = [
            (numpy_helper.to_array(arrays[kernel]), numpy_helper.to_array(arrays[kernel.replace("/kernel", "/bias")]))
            for kernel in kernels
        ]
        is_unit = pooled[number] != list(makers[joined[number]].input)
        heads.append(ExplainedHead(tuple(maps.index(name) for name in names), layers, is_unit))
    return heads, maps


def _while_there(known: Iterable[str], pattern: str) -> Iterable[str]:
    """The names that `pattern` makes with 0, 1, 2 ..., up to the first that is not known."""
    for number in count():
        name = pattern.format(number)
        if name not in known:
            return
        yield name


def _undivided(makers: dict[str, Any], tap: str) -> str:
    """The name of a pooled tap before it was divided by its norm, or its own where it was not."""
    node = makers.get(tap)
    return str(node.input[0]) if node is not None and node.op_type == "Div" else tap


def _map_behind(makers: dict[str, Any], tap: str) -> str:
    """The name of the feature map whose mean over height and width is the value `tap`."""
    for kind in ("Flatten", "GlobalAveragePool"):
        node = makers.get(tap)
        if node is None or node.op_type != kind:
            raise BadBundle(server_messages.NO_HEAT_MAPS)
        tap = node.input[0]
    return tap

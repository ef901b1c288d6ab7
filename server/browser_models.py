"""Models as browsers run them: less to send than the file, and heat maps can be drawn of them.

The numbers of a network are shortened to 15 bits behind the point, of 23, so that they are packed to two thirds. What a
model says changes by some ten-thousandths, see docs/benchmarks.md. And a graph that can be explained gives its feature
maps, too; a browser fetches them only for a heat map.
"""

import json

import numpy as np

from automl.errors import BadBundle
from automl.serving.explained import heads_of

HEADS = "heads"
"""Metadata of the graph: for each head, its taps by their place among the maps, and whether they have norm 1 (JSON)."""

_KEPT_BITS = 15
_ALL_BITS = 23
_FEWEST_NUMBERS = 1024  # smaller tensors are sizes, axes and scales, which must stay what they are


def for_browsers(model: bytes) -> bytes:
    """The model file that is sent to browsers.

    Args:
        model: the bytes of a delivered `model.onnx`.
    """
    import onnx

    proto = onnx.load_model_from_string(model)
    for tensor in proto.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.raw_data) >= 4 * _FEWEST_NUMBERS:
            tensor.raw_data = shortened(tensor.raw_data)
    try:
        heads, maps = heads_of(proto.graph)
    except BadBundle:  # a graph that another program wrote still answers
        return bytes(proto.SerializeToString())
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in maps)
    known = [{"taps": head.taps, "is_unit": head.is_unit, "n_layers": len(head.layers)} for head in heads]
    proto.metadata_props.add(key=HEADS, value=json.dumps({"maps": maps, "heads": known}))
    return bytes(proto.SerializeToString())


def shortened(raw: bytes) -> bytes:
    """Numbers float32, each rounded to the nearest one whose last bits are zero."""
    n_cut = _ALL_BITS - _KEPT_BITS
    bits = np.frombuffer(raw, "<u4").astype(np.uint64) + (1 << (n_cut - 1))
    return (bits >> np.uint64(n_cut) << np.uint64(n_cut)).astype("<u4").tobytes()

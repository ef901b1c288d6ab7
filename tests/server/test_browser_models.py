"""The model file that is sent to browsers: shorter numbers, and feature maps where it can be explained."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from automl.serving.explained import ExplainedModel
from server.browser_models import HEADS, for_browsers, shortened
from tests.automl.serving.tiny_model import tiny_model


def session_of(model):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def test_numbers_keep_fifteen_bits_and_are_rounded():
    values = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    found = np.frombuffer(shortened(values.tobytes()), np.float32)
    assert np.all(found.view(np.uint32) & 0xFF == 0)
    assert np.abs(found / values - 1).max() <= 2**-16
    exact = np.array([0.0, 1.0, -2.5], np.float32)
    assert shortened(exact.tobytes()) == exact.tobytes()


@pytest.mark.parametrize("hidden", [0, 4])
def test_what_is_sent_gives_the_same_answers_and_its_feature_maps(hidden):
    model = tiny_model(hidden=hidden)
    pixels = np.random.default_rng(1).integers(0, 256, (1, 8, 8, 3)).astype(np.float32)
    sent = session_of(for_browsers(model))
    names = [output.name for output in sent.get_outputs()]
    assert names == ["probabilities", "map_0"]
    probabilities, maps = sent.run(None, {"image": pixels})
    assert np.array_equal(probabilities, session_of(model).run(None, {"image": pixels})[0])
    assert maps.shape == (1, 3, 8, 8)
    metadata = {one.key: one.value for one in onnx.load_model_from_string(for_browsers(model)).metadata_props}
    known = json.loads(metadata[HEADS])
    n_layers = 2 if hidden else 1
    assert known == {"maps": ["map_0"], "heads": [{"taps": [0], "is_unit": False, "n_layers": n_layers}]}
    ExplainedModel(model)  # the same models can be explained on the server


def test_only_large_tensors_are_shortened():
    proto = onnx.load_model_from_string(tiny_model(sureness=0.1))
    large = onnx.numpy_helper.from_array(np.full(2000, 0.1, np.float32), "large")
    proto.graph.initializer.append(large)
    found = {
        one.name: one.raw_data
        for one in onnx.load_model_from_string(for_browsers(proto.SerializeToString())).graph.initializer
    }
    before = {one.name: one.raw_data for one in proto.graph.initializer}
    assert [name for name in before if found[name] != before[name]] == ["large"]


def test_a_graph_that_cannot_be_explained_is_sent_without_maps():
    sent = onnx.load_model_from_string(for_browsers(tiny_model(has_taps=False)))
    assert [output.name for output in sent.graph.output] == ["probabilities"]
    assert HEADS not in {one.key for one in sent.metadata_props}

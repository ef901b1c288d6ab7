from pathlib import Path

import numpy as np
import onnx
import pytest

from automl.backbone_table import BACKBONES
from automl.errors import BadWeights
from automl.models.backbones.building import build_backbone
from automl.models.weights.cache import InstalledWeights, load_backbone
from automl.models.weights.onnx_export import check_onnx, export_onnx
from automl.models.weights.verification import photographs

NAMES = [name for name, row in BACKBONES.items() if row.has_known_statistics]


@pytest.mark.parametrize("name", NAMES)
def test_an_installed_graph_has_the_agreed_form(weights: dict[str, InstalledWeights], name: str) -> None:
    model = onnx.load(weights[name].onnx_path)
    (images,) = model.graph.input
    assert images.name == "images"
    assert [d.dim_param or d.dim_value for d in images.type.tensor_type.shape.dim] == ["batch", 3, "height", "width"]
    assert [output.name for output in model.graph.output] == [f"tap_{i}" for i in range(5)]
    assert model.ir_version == 10
    assert [opset.version for opset in model.opset_import if opset.domain == ""] == [18]


@pytest.mark.parametrize("name", NAMES)
def test_an_installed_graph_turns_no_tensor_around(weights: dict[str, InstalledWeights], name: str) -> None:
    """A Transpose in the middle of the network would cost more than a convolution."""
    operators = {node.op_type for node in onnx.load(weights[name].onnx_path).graph.node}
    assert not operators & {"Transpose", "BatchNormalization", "Reshape"}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_installed_graph_agrees_with_keras_at_other_sizes(weights: dict[str, InstalledWeights], name: str) -> None:
    model = load_backbone(weights[name])
    check_onnx(model, weights[name].onnx_path, photographs()[:2, :96, :160])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in BACKBONES if name not in NAMES])
def test_a_network_whose_weights_are_not_at_hand_converts(name: str, tmp_path: Path) -> None:
    model = build_backbone(name)
    export_onnx(model, tmp_path / "model.onnx")
    check_onnx(model, tmp_path / "model.onnx", photographs()[:1])
    assert len(onnx.load(tmp_path / "model.onnx").graph.output) == len(BACKBONES[name].taps)


@pytest.mark.slow
def test_a_graph_of_other_numbers_is_refused(weights: dict[str, InstalledWeights]) -> None:
    model = load_backbone(weights["mobilenet_v1"])
    layer = model.get_layer("conv_pw_13_bn")
    layer.set_weights([numbers * np.float32(1.01) for numbers in layer.get_weights()])
    with pytest.raises(BadWeights, match="differs from Keras"):
        check_onnx(model, weights["mobilenet_v1"].onnx_path, photographs())

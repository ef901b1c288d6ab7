from collections.abc import Iterable

import numpy as np
import pytest

from automl.backbone_table import BACKBONES, Naming
from automl.errors import BadWeights
from automl.models.backbones.building import build_backbone
from automl.models.weights.convert import assign, convert

LITE_BLOCKS = BACKBONES["efficientnet_lite0"].block_names
BN = ("gamma", "beta", "moving_mean", "moving_variance")


def slim_v2_names() -> Iterable[str]:
    """What tensorflow/models/research/slim/nets/mobilenet saves."""
    for layer in ("Conv", "Conv_1"):
        yield f"MobilenetV2/{layer}/weights:0"
        yield from (f"MobilenetV2/{layer}/BatchNorm/{variable}:0" for variable in BN)
    for number in range(17):
        block = f"MobilenetV2/expanded_conv{f'_{number}' if number else ''}"
        for part in ("expand", "depthwise", "project") if number else ("depthwise", "project"):
            yield f"{block}/{part}/{'depthwise_weights' if part == 'depthwise' else 'weights'}:0"
            yield from (f"{block}/{part}/BatchNorm/{variable}:0" for variable in BN)


def tpu_lite_names(size: int, n_blocks: int) -> Iterable[str]:
    """What tensorflow/tpu/models/official/efficientnet saves."""
    network = f"efficientnet-lite{size}"
    yield f"{network}/stem/conv2d/kernel:0"
    yield f"{network}/head/conv2d/kernel:0"
    scopes = ["stem/tpu_batch_normalization", "head/tpu_batch_normalization"]
    for number in range(n_blocks):
        block = f"blocks_{number}"
        yield f"{network}/{block}/depthwise_conv2d/depthwise_kernel:0"
        for layer in ("conv2d", "conv2d_1") if number else ("conv2d",):
            yield f"{network}/{block}/{layer}/kernel:0"
        scopes += [f"{block}/tpu_batch_normalization{suffix}" for suffix in ("", "_1", "_2")[: 3 if number else 2]]
    yield from (f"{network}/{scope}/{variable}:0" for scope in scopes for variable in BN)


@pytest.mark.parametrize(
    ("naming", "names", "backbone"),
    [
        (Naming.SLIM_V2, slim_v2_names(), "mobilenet_v2"),
        (Naming.TPU_LITE, tpu_lite_names(0, 16), "efficientnet_lite0"),
        (Naming.TPU_LITE, tpu_lite_names(4, 30), "efficientnet_lite4"),
    ],
)
def test_the_published_names_cover_every_variable(naming: Naming, names: Iterable[str], backbone: str) -> None:
    converted = convert({name: np.zeros(1) for name in names}, naming, BACKBONES[backbone].block_names)
    model = build_backbone(backbone)
    wanted = {f"{layer.name}/{variable.name}" for layer in model.layers for variable in layer.weights}
    assert set(converted.numbers) == wanted


@pytest.mark.parametrize(
    ("naming", "name", "ours"),
    [
        (Naming.SLIM_V1, "MobilenetV1/Conv2d_0/weights:0", "conv1/kernel"),
        (Naming.SLIM_V1, "MobilenetV1/Conv2d_7_depthwise/depthwise_weights", "conv_dw_7/kernel"),
        (Naming.SLIM_V1, "MobilenetV1/Conv2d_7_pointwise/BatchNorm/beta", "conv_pw_7_bn/beta"),
        (Naming.SLIM_V2, "MobilenetV2/expanded_conv_3/expand/weights:0", "block_3_expand/kernel"),
        (Naming.TPU_LITE, "efficientnet-lite0/blocks_1/conv2d_1/kernel:0", "block2a_project_conv/kernel"),
        (Naming.TORCH_LITE, "_blocks.5._bn1.running_var", "block4a_bn/moving_variance"),
        (Naming.KERAS, "block_3_expand/kernel", "block_3_expand/kernel"),
    ],
)
def test_a_variable_finds_its_layer(naming: Naming, name: str, ours: str) -> None:
    assert list(convert({name: np.zeros((1, 1, 1, 1))}, naming, LITE_BLOCKS).numbers) == [ours]


@pytest.mark.parametrize(
    ("naming", "name"),
    [
        (Naming.SLIM_V1, "final_training_ops/weights/final_weights"),
        (Naming.SLIM_V1, "MobilenetV1/MobilenetV1/Conv2d_1_depthwise/BatchNorm/batchnorm/add/y"),
        (Naming.TORCH_LITE, "_bn0.num_batches_tracked"),
        (Naming.TPU_LITE, "global_step:0"),
    ],
)
def test_what_belongs_to_no_layer_is_left_out(naming: Naming, name: str) -> None:
    assert convert({name: np.zeros(3)}, naming, LITE_BLOCKS).numbers == {}


def test_torch_kernels_are_turned_to_keras_order() -> None:
    variables = {
        "_conv_stem.weight": np.zeros((32, 3, 5, 7)),
        "_blocks.1._depthwise_conv.weight": np.zeros((96, 1, 5, 7)),
    }
    numbers = convert(variables, Naming.TORCH_LITE, LITE_BLOCKS).numbers
    assert numbers["stem_conv/kernel"].shape == (5, 7, 3, 32)
    assert numbers["block2a_dwconv/kernel"].shape == (5, 7, 96, 1)


def test_the_original_classifier_is_kept_apart() -> None:
    scope = "MobilenetV1/Logits/Conv2d_1c_1x1"
    variables = {f"{scope}/weights": np.ones((1, 1, 4, 1001)), f"{scope}/biases": np.ones(1001)}
    converted = convert(variables, Naming.SLIM_V1)
    assert converted.numbers == {}
    assert [layer.kernel.shape for layer in converted.head] == [(4, 1001)]


def test_half_a_classifier_is_refused() -> None:
    with pytest.raises(BadWeights, match="not complete"):
        convert({"_fc.weight": np.ones((10, 4))}, Naming.TORCH_LITE)


@pytest.fixture(scope="module")
def numbers() -> dict[str, np.ndarray]:
    model = build_backbone("mobilenet_v1")
    return {f"{layer.name}/{v.name}": np.asarray(v) for layer in model.layers for v in layer.weights}


@pytest.mark.parametrize(
    ("replacement", "told"),
    [
        (None, "nothing for conv_pw_3/kernel"),
        (np.zeros((1, 1, 128, 127), np.float32), "shape"),
        (np.full((1, 1, 128, 128), np.nan, np.float32), "finite"),
    ],
)
def test_numbers_that_do_not_fit_a_layer_are_refused(
    numbers: dict[str, np.ndarray], replacement: np.ndarray | None, told: str
) -> None:
    damaged = {name: array for name, array in numbers.items() if name != "conv_pw_3/kernel"}
    if replacement is not None:
        damaged["conv_pw_3/kernel"] = replacement
    with pytest.raises(BadWeights, match=told):
        assign(build_backbone("mobilenet_v1"), damaged)

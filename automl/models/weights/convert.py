"""From a source's variables to the layers of our networks, by name.

Every source is brought to one form: `layer/variable` in Keras' names, such as `block_6_expand/kernel`, plus the
original ImageNet classifier where the source still has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from automl.backbone_table import Naming
from automl.errors import BadWeights
from automl.text.messages import weights as weights_messages

if TYPE_CHECKING:
    import keras

Numbers = Mapping[str, np.ndarray]
"""Arrays by name."""


@dataclass(frozen=True, slots=True)
class Dense:
    """One layer of an original classifier.

    Attributes:
        kernel: float32 (n_in, n_out).
        bias: float32 (n_out,).
    """

    kernel: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A source's numbers in one form.

    Attributes:
        numbers: float32 arrays by `layer/variable`.
        head: the original ImageNet classifier, from pooled features on, with hard-swish between its layers; empty where
            the source has none.
    """

    numbers: dict[str, np.ndarray]
    head: tuple[Dense, ...]


def convert(variables: Numbers, naming: Naming, block_names: Sequence[str] = ()) -> Pretrained:
    """Renames variables to the names of Keras; what belongs to no layer is left out.

    Args:
        variables: arrays by the names of the source.
        naming: who named them.
        block_names: our names of the blocks, for a source that numbers them; see `Backbone.block_names`.

    Raises:
        BadWeights: the original classifier has numbers that do not belong together.
    """
    rename = _renaming(naming, block_names)
    numbers: dict[str, np.ndarray] = {}
    for name, array in variables.items():
        renamed = rename(name.removesuffix(":0"))
        if renamed is not None:
            numbers[renamed] = _keras_layout(array, renamed) if naming is Naming.TORCH_LITE else array
    head = tuple(
        _pop_dense(numbers, layer) for layer in _HEADS.get(naming, ("logits",)) if f"{layer}/kernel" in numbers
    )
    return Pretrained({name: np.asarray(array, np.float32) for name, array in numbers.items()}, head)


def assign(model: keras.Model, numbers: Numbers) -> None:
    """Sets every variable of `model` to the number of its name, `layer/variable`.

    Raises:
        BadWeights: a number is missing, has another shape or is not finite.
    """
    for layer in model.layers:
        for variable in layer.weights:
            name = f"{layer.name}/{variable.name}"
            if name not in numbers:
                raise BadWeights(weights_messages.NOTHING_FOR.format(name=name))
            array = numbers[name]
            if array.shape != tuple(variable.shape):
                raise BadWeights(
                    weights_messages.OTHER_SHAPE.format(name=name, shape=array.shape, wanted=tuple(variable.shape))
                )
            if not np.isfinite(array).all():
                raise BadWeights(weights_messages.NOT_FINITE.format(name=name))
            variable.assign(array)


def _pop_dense(numbers: dict[str, np.ndarray], layer: str) -> Dense:
    kernel, bias = numbers.pop(f"{layer}/kernel"), numbers.pop(f"{layer}/bias", None)
    kernel = kernel.reshape(kernel.shape[-2:])  # a 1 x 1 convolution on pooled features is a dense layer
    if bias is None or bias.shape != kernel.shape[1:]:
        raise BadWeights(weights_messages.CLASSIFIER_INCOMPLETE.format(layer=layer))
    return Dense(np.asarray(kernel, np.float32), np.asarray(bias, np.float32))


def _keras_layout(array: np.ndarray, renamed: str) -> np.ndarray:
    """PyTorch's (out, in, height, width) and (out, in) to Keras' (height, width, in, out) and (in, out)."""
    if array.ndim == 4:
        return array.transpose((2, 3, 0, 1) if renamed.endswith("_dwconv/kernel") else (2, 3, 1, 0))
    return array.T


def _keras_name(name: str) -> str | None:
    return name if name.count("/") == 1 else None


_SLIM_VARIABLES = {"weights": "kernel", "depthwise_weights": "kernel", "biases": "bias"}
_BN_VARIABLES = ("gamma", "beta", "moving_mean", "moving_variance")
_SLIM_V1 = re.compile(r"(?:^|/)MobilenetV1/(?:Conv2d_(\d+)(?:_(depthwise|pointwise))?|Logits/Conv2d_1c_1x1)/(.+)$")
_SLIM_V2 = re.compile(
    r"(?:^|/)MobilenetV2/(?:(Conv|Conv_1)|expanded_conv(?:_(\d+))?/(expand|depthwise|project)|Logits/Conv2d_1c_1x1)/(.+)$"
)


def _slim_v1_name(name: str) -> str | None:
    match = _SLIM_V1.search(name)
    if match is None:
        return None
    number, kind, variable = match.groups()
    if number is None:
        layer = "logits"
    elif kind is None:
        layer = "conv1"
    else:
        layer = f"conv_{'dw' if kind == 'depthwise' else 'pw'}_{number}"
    return _slim_variable(layer, f"{layer}_bn", variable)


def _slim_v2_name(name: str) -> str | None:
    match = _SLIM_V2.search(name)
    if match is None:
        return None
    plain, number, part, variable = match.groups()
    if plain is not None:
        layer, bn = ("Conv1", "bn_Conv1") if plain == "Conv" else ("Conv_1", "Conv_1_bn")
    elif part is not None:
        layer = f"block_{number}_{part}" if number else f"expanded_conv_{part}"
        bn = f"{layer}_BN"
    else:
        layer = bn = "logits"
    return _slim_variable(layer, bn, variable)


def _slim_variable(layer: str, bn: str, variable: str) -> str | None:
    if variable.startswith("BatchNorm/"):
        statistic = variable.removeprefix("BatchNorm/")
        return f"{bn}/{statistic}" if statistic in _BN_VARIABLES else None
    return f"{layer}/{_SLIM_VARIABLES[variable]}" if variable in _SLIM_VARIABLES else None


_TPU = re.compile(r"(?:^|/)(stem|head|blocks_(\d+))/(\w+)/(\w+)$")


def _tpu_lite_name(name: str, block_names: Sequence[str]) -> str | None:
    """`efficientnet-lite0/blocks_3/tpu_batch_normalization_1/gamma` and its like."""
    match = _TPU.search(name)
    if match is None:
        return None
    part, number, layer, variable = match.groups()
    variable = variable.removeprefix("depthwise_")
    if number is not None:
        known = _TPU_FIRST_BLOCK if number == "0" else _TPU_BLOCK
        return f"{block_names[int(number)]}_{known[layer]}/{variable}" if layer in known else None
    known = _TPU_STEM if part == "stem" else _TPU_HEAD
    return f"{known[layer]}/{variable}" if layer in known else None


_TPU_STEM = {"conv2d": "stem_conv", "tpu_batch_normalization": "stem_bn"}
_TPU_HEAD = {"conv2d": "top_conv", "tpu_batch_normalization": "top_bn", "dense": "logits"}
_TPU_FIRST_BLOCK = {
    "depthwise_conv2d": "dwconv",
    "tpu_batch_normalization": "bn",
    "conv2d": "project_conv",
    "tpu_batch_normalization_1": "project_bn",
}
_TPU_BLOCK = {
    "conv2d": "expand_conv",
    "tpu_batch_normalization": "expand_bn",
    "depthwise_conv2d": "dwconv",
    "tpu_batch_normalization_1": "bn",
    "conv2d_1": "project_conv",
    "tpu_batch_normalization_2": "project_bn",
}


_TORCH = re.compile(r"^(?:_blocks\.(\d+)\.)?_(\w+)\.(\w+)$")
_TORCH_STEM_AND_TOP = {
    "conv_stem": "stem_conv",
    "bn0": "stem_bn",
    "conv_head": "top_conv",
    "bn1": "top_bn",
    "fc": "logits",
}
_TORCH_BLOCK = {
    "expand_conv": "expand_conv",
    "bn0": "expand_bn",
    "depthwise_conv": "dwconv",
    "bn1": "bn",
    "project_conv": "project_conv",
    "bn2": "project_bn",
}
_TORCH_BN = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
_TORCH_LAYER = {"weight": "kernel", "bias": "bias"}


def _torch_lite_name(name: str, block_names: Sequence[str]) -> str | None:
    """`_blocks.3._bn1.running_mean` and its like."""
    match = _TORCH.match(name)
    if match is None:
        return None
    number, layer, variable = match.groups()
    known = _TORCH_STEM_AND_TOP if number is None else _TORCH_BLOCK
    variables = _TORCH_BN if layer.startswith("bn") else _TORCH_LAYER
    if layer not in known or variable not in variables:
        return None
    if number is not None and int(number) >= len(block_names):
        return None
    prefix = "" if number is None else f"{block_names[int(number)]}_"
    return f"{prefix}{known[layer]}/{variables[variable]}"


def _renaming(naming: Naming, block_names: Sequence[str]) -> Callable[[str], str | None]:
    """The function that gives our name for a variable of the source, or None where it belongs to no layer."""
    match naming:
        case Naming.KERAS:
            return _keras_name
        case Naming.SLIM_V1:
            return _slim_v1_name
        case Naming.SLIM_V2:
            return _slim_v2_name
        case Naming.TPU_LITE:
            return partial(_tpu_lite_name, block_names=block_names)
        case Naming.TORCH_LITE:
            return partial(_torch_lite_name, block_names=block_names)


_HEADS = {
    # MobileNetV1's classifier is the convolution conv_preds, V2's the dense layer predictions, V3's conv_2 and logits.
    Naming.KERAS: ("conv_preds", "predictions", "conv_2", "logits"),
}
"""The layers of the original classifier, in order, where they are not just `logits`."""

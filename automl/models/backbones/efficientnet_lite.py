"""EfficientNet-Lite in plain Keras 3 layers; `keras.applications` has no Lite variant.

The architecture is that of https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
(EfficientNet without squeeze-and-excitation, with ReLU6, with one stem and one head for all sizes); layers are named as
in `keras.applications.efficientnet`.
"""

from dataclasses import dataclass

import keras
from keras import layers

from automl.backbone_table import EfficientNetLite


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Blocks of one width, before multiplication; their number is in the table of backbones.

    Attributes:
        kernel_px: the side of the depthwise kernels.
        stride: the stride of the first block; that of the others is 1.
        expansion: how many times as wide a block is inside.
        filters: the number of output channels.
    """

    kernel_px: int
    stride: int
    expansion: int
    filters: int


_STAGES = (
    _Stage(kernel_px=3, stride=1, expansion=1, filters=16),
    _Stage(kernel_px=3, stride=2, expansion=6, filters=24),
    _Stage(kernel_px=5, stride=2, expansion=6, filters=40),
    _Stage(kernel_px=3, stride=2, expansion=6, filters=80),
    _Stage(kernel_px=5, stride=1, expansion=6, filters=112),
    _Stage(kernel_px=5, stride=2, expansion=6, filters=192),
    _Stage(kernel_px=3, stride=1, expansion=6, filters=320),
)
_STEM_FILTERS = 32
_TOP_FILTERS = 1280
_FILTERS_STEP = 8
_LEAST_SHARE = 0.9


def efficientnet_lite(pixels: keras.KerasTensor, architecture: EfficientNetLite) -> keras.Model:
    """The network without its classifier.

    pixels: symbolic float32 (batch, height, width, 3), -1 to 1. The output is the activation `top_activation`,
    float32 (batch, height / 32, width / 32, 1280).
    """
    x = layers.Conv2D(_STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(pixels)
    x = _normalise(x, "stem_bn", "stem_activation")
    names = iter(architecture.block_names)
    for stage, n_blocks in zip(_STAGES, architecture.blocks, strict=True):
        n_filters = _rounded_filters(architecture.width * stage.filters)
        for i in range(n_blocks):
            x = _block(x, next(names), stage=stage, n_filters=n_filters, stride=stage.stride if i == 0 else 1)
    x = layers.Conv2D(_TOP_FILTERS, 1, padding="same", use_bias=False, name="top_conv")(x)
    x = _normalise(x, "top_bn", "top_activation")
    return keras.Model(pixels, x)


def _rounded_filters(wanted: float) -> int:
    """The nearest multiple of eight, or the next one where that would be under nine tenths of what is wanted."""
    nearest = max(_FILTERS_STEP, int(wanted + _FILTERS_STEP / 2) // _FILTERS_STEP * _FILTERS_STEP)
    return nearest if nearest >= _LEAST_SHARE * wanted else nearest + _FILTERS_STEP


def _normalise(x: keras.KerasTensor, name: str, activation: str | None = None) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)(x)
    return x if activation is None else layers.ReLU(6.0, name=activation)(x)


def _block(x: keras.KerasTensor, name: str, *, stage: _Stage, n_filters: int, stride: int) -> keras.KerasTensor:
    """An inverted residual block; its layers are called `<name>_...`."""
    shortcut = x
    if stage.expansion > 1:
        width = x.shape[-1] * stage.expansion
        x = layers.Conv2D(width, 1, padding="same", use_bias=False, name=f"{name}_expand_conv")(x)
        x = _normalise(x, f"{name}_expand_bn", f"{name}_expand_activation")
    x = layers.DepthwiseConv2D(stage.kernel_px, strides=stride, padding="same", use_bias=False, name=f"{name}_dwconv")(
        x
    )
    x = _normalise(x, f"{name}_bn", f"{name}_activation")
    x = layers.Conv2D(n_filters, 1, padding="same", use_bias=False, name=f"{name}_project_conv")(x)
    x = _normalise(x, f"{name}_project_bn")
    if stride == 1 and shortcut.shape[-1] == n_filters:
        x = layers.Add(name=f"{name}_add")([shortcut, x])
    return x

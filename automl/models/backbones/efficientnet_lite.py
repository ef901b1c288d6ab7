"""EfficientNet-Lite0 in plain Keras 3 layers; `keras.applications` has no Lite variant.

The architecture is that of https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
(EfficientNet-B0 without squeeze-and-excitation, with ReLU6); layers are named as in `keras.applications.efficientnet`.
"""

from dataclasses import dataclass

import keras
from keras import layers


@dataclass(frozen=True, slots=True)
class _Stage:
    """`n_blocks` blocks of `filters` output channels; the first one has the stride."""

    n_blocks: int
    kernel_px: int
    stride: int
    expansion: int
    filters: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM_FILTERS = 32
_TOP_FILTERS = 1280

BLOCKS: tuple[str, ...] = tuple(
    f"block{number}{chr(ord('a') + i)}" for number, stage in enumerate(_STAGES, start=1) for i in range(stage.n_blocks)
)
"""Names of the 16 blocks from the image on: block1a, block2a, block2b, ..."""


def efficientnet_lite0(pixels: keras.KerasTensor) -> keras.Model:
    """The network without its classifier.

    pixels: symbolic float32 (batch, height, width, 3), -1 to 1. The output is the activation `top_activation`,
    float32 (batch, height / 32, width / 32, 1280).
    """
    x = layers.Conv2D(_STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(pixels)
    x = _normalise(x, "stem_bn", "stem_activation")
    names = iter(BLOCKS)
    for stage in _STAGES:
        for i in range(stage.n_blocks):
            x = _block(x, next(names), stage, stride=stage.stride if i == 0 else 1)
    x = layers.Conv2D(_TOP_FILTERS, 1, padding="same", use_bias=False, name="top_conv")(x)
    x = _normalise(x, "top_bn", "top_activation")
    return keras.Model(pixels, x, name="efficientnet_lite0")


def _normalise(x: keras.KerasTensor, name: str, activation: str | None = None) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)(x)
    return x if activation is None else layers.ReLU(6.0, name=activation)(x)


def _block(x: keras.KerasTensor, name: str, stage: _Stage, stride: int) -> keras.KerasTensor:
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
    x = layers.Conv2D(stage.filters, 1, padding="same", use_bias=False, name=f"{name}_project_conv")(x)
    x = _normalise(x, f"{name}_project_bn")
    if stride == 1 and shortcut.shape[-1] == stage.filters:
        x = layers.Add(name=f"{name}_add")([shortcut, x])
    return x

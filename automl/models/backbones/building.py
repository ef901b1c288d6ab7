"""Builds the networks of the table of backbones as plain Keras models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from automl.backbone_table import EfficientNetLite, KerasApplication, find_backbone

if TYPE_CHECKING:
    import keras


def build_backbone(name: str) -> keras.Model:
    """The network with random weights, its preprocessing inside.

    Input `images`: float32 (batch, height, width, 3), RGB, 0-255, both sides multiples of 32 pixels.
    Outputs: one feature map per tap, float32 (batch, height / stride, width / stride, channels), shallow to last.
    Made of plain Keras layers only, so that it saves and loads without custom objects.

    Raises:
        BadSetting: no backbone has this name.
    """
    import keras

    backbone = find_backbone(name)
    images = keras.Input((None, None, 3), name="images")
    pixels = keras.layers.Rescaling(backbone.scale, backbone.offset, name=f"{name}_preprocessing")(images)
    network = _bare_network(backbone.architecture, pixels)
    return keras.Model(images, [network.get_layer(tap).output for tap in backbone.taps], name=name)


def _bare_network(architecture: KerasApplication | EfficientNetLite, pixels: keras.KerasTensor) -> keras.Model:
    """The network without its preprocessing and its classifier, on an image tensor that is already preprocessed."""
    match architecture:
        case KerasApplication():
            return _keras_application(architecture, pixels)
        case EfficientNetLite():
            from automl.models.backbones.efficientnet_lite import efficientnet_lite

            return efficientnet_lite(pixels, architecture)


def _keras_application(architecture: KerasApplication, pixels: keras.KerasTensor) -> keras.Model:
    import keras

    options: dict[str, bool] = {"include_preprocessing": False} if architecture.preprocesses else {}
    build: Any = getattr(keras.applications, architecture.function)
    network = build(input_tensor=pixels, include_top=False, weights=None, **options)
    if architecture.names_its_output:
        return network
    return keras.Model(network.inputs, keras.layers.Activation("linear", name="top_activation")(network.output))

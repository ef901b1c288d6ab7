"""Trials in words, for people who watch."""

from automl.models.backbones import BACKBONES
from automl.search.space import SEVERAL_TAPS, Params, backbone_names


def describe(params: Params) -> str:
    """ "MobileNetV2 + EfficientNet-Lite0 at 224 px, several layers", whatever stage the trial belongs to."""
    if "members" in params:
        return f"the mean of tries {str(params['members']).replace('+', ', ')}"
    if "backbone" in params:
        part = "fine-tuned" if not params["depth"] else "its last blocks fine-tuned"
        return f"{BACKBONES[str(params['backbone'])].title} at {params['ft_image_size_px']} px, {part}"
    names = " + ".join(BACKBONES[name].title for name in backbone_names(params))
    taps = "several layers" if params["taps"] == SEVERAL_TAPS else "last layer"
    return f"{names} at {params['image_size_px']} px, {taps}"

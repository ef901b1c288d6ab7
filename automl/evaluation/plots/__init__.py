"""The plots of a run as PNG and SVG, readable for the colour-blind and in gray print."""

from automl.evaluation.plots.drawing import HeatMaps, draw_all
from automl.evaluation.plots.fonts import LegibleNames, legible_names
from automl.evaluation.plots.layers import LayerRow, layer_rows
from automl.evaluation.plots.style import Plot, shorten

__all__ = ["HeatMaps", "LayerRow", "LegibleNames", "Plot", "draw_all", "layer_rows", "legible_names", "shorten"]

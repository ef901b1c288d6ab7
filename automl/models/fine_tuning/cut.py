"""Cutting a network in two at a layer, and how many cuts lie behind each of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def cut_in_two(
    model: keras.Model, *, cuts: Sequence[str], taps: Sequence[str], depth: int
) -> tuple[keras.Model | None, keras.Model]:
    """The part of a network before a cut, the stem, and the part behind it, the body.

    The stem has as outputs the activations at the cut and then the taps before it; there is no stem for a depth of 0.
    The body has as outputs the taps behind the cut.

    Args:
        model: a network that `build_backbone` made.
        cuts: names of the layers where it may be cut, from shallow to deep.
        taps: names of the layers whose activations are features, from shallow to deep.
        depth: 0 for no cut, k for the k-th cut from the end.
    """
    import keras

    outputs = {tap: model.get_layer(tap).output for tap in taps}
    if depth == 0:
        return None, keras.Model(model.inputs, list(outputs.values()))
    at_cut = model.get_layer(cuts[-depth]).output
    behind = _names_behind(model, cuts[-depth])
    shallow = [tap for tap in taps if tap not in behind]
    deep = [tap for tap in taps if tap in behind]
    stem = keras.Model(model.inputs, [at_cut, *(outputs[tap] for tap in shallow)])
    return stem, keras.Model(at_cut, [outputs[tap] for tap in deep])


def cuts_behind(model: keras.Model, cuts: Sequence[str]) -> dict[str, int]:
    """For each layer, by its name, how many cuts lie between it and the head."""
    n = {layer.name: len(cuts) for layer in model.layers}
    for index, cut in enumerate(cuts):
        n |= dict.fromkeys(_names_behind(model, cut), len(cuts) - 1 - index)
    return n


def _names_behind(model: keras.Model, cut: str) -> set[str]:
    import keras

    layers = keras.Model(model.get_layer(cut).output, model.outputs[-1]).layers
    return {layer.name for layer in layers if not isinstance(layer, keras.layers.InputLayer)}

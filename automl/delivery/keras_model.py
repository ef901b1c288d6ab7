"""A candidate as one Keras model: photo in, probabilities out, preprocessing inside."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from automl.delivery.tap_inputs import Tap, inputs_of, tap_name, taps_of, unit_taps_of
from automl.models.weights.cache import InstalledWeights, load_backbone
from automl.search.candidate import Branch, BranchHead, Candidate


def keras_model(candidate: Candidate, weights: Mapping[str, InstalledWeights]) -> Any:
    """A `keras.Model`: float32 (batch, height, width, 3) of 0-255 RGB in, float32 (batch, n_classes) out.

    Plain layers only, so that it loads anywhere with Keras 3. A picture of any size is resized inside.

    Args:
        candidate: the model.
        weights: the pretrained backbones by name.
    """
    import keras

    pictures = keras.Input((None, None, 3), name="image")
    pooled = _pooled_taps(candidate, weights, pictures)
    units = {tap: _unit(tap, pooled[tap]) for tap in unit_taps_of(candidate, weights)}
    dense: list[Any] = []
    logits = []
    for number, head in enumerate(candidate.heads):
        values = [(units if head.is_unit else pooled)[tap] for tap in inputs_of(head, weights)]
        x = keras.layers.Concatenate(name=f"features_{number}")(values) if len(values) > 1 else values[0]
        layers = _dense_layers(head, number)
        for layer in layers:
            x = layer(x)
        dense += layers
        logits.append(x)
    total = keras.layers.Add(name="logits")(logits) if len(logits) > 1 else logits[0]
    model = keras.Model(pictures, keras.layers.Softmax(name="probabilities")(total), name="darkroom")
    for layer, arrays in zip(dense, (a for m in candidate.heads for a in m.layers), strict=True):
        layer.set_weights(list(arrays))
    return model


@lru_cache(maxsize=8)
def tuned_backbone(weights: InstalledWeights, branch: Branch) -> Any:
    """The `keras.Model` of a branch, with its fine-tuned weights if it has any.

    The first model and the final one usually share backbones, and building one takes a second or more. Each branch has
    a model of its own: two branches of one backbone would else share its weights and its name.
    """
    model = load_backbone(weights)
    if branch.tuned is not None:
        model.load_weights(branch.tuned)
    model.name = branch.name
    return model


def _pooled_taps(candidate: Candidate, weights: Mapping[str, InstalledWeights], pictures: Any) -> dict[Tap, Any]:
    """The mean over height and width of every tap that a head reads."""
    import keras

    squares = {candidate.image_size_px: _resized(pictures, candidate.image_size_px)}
    pooled: dict[Tap, Any] = {}
    for branch in candidate.branches:
        size = branch.image_size_px
        if size not in squares:
            squares[size] = _resized(squares[candidate.image_size_px], size)
        maps = tuned_backbone(weights[branch.backbone], branch)(squares[size])
        for tap in taps_of(candidate, branch, len(maps)):
            pool = keras.layers.GlobalAveragePooling2D(name=tap_name((branch, tap)))
            pooled[branch, tap] = pool(maps[tap])
    return pooled


def _unit(tap: Tap, pooled: Any) -> Any:
    """A pooled tap divided by its norm; one of zeros stays as it is."""
    import keras

    branch, number = tap
    return keras.layers.UnitNormalization(name=f"{branch.name}_unit_{number}")(pooled)


def _dense_layers(head: BranchHead, number: int) -> list[Any]:
    import keras

    last = len(head.layers) - 1
    return [
        keras.layers.Dense(len(bias), activation=None if depth == last else "relu", name=f"head_{number}_{depth}")
        for depth, (_, bias) in enumerate(head.layers)
    ]


def _resized(pictures: Any, size: int) -> Any:
    import keras

    resize = keras.layers.Resizing(size, size, interpolation="bilinear", antialias=True, name=f"resize_{size}")
    # Its default is training=True, which Keras would hand on to every batch norm behind it in a plain model(x).
    return resize(pictures, training=False)

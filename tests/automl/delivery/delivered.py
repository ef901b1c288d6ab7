"""A small real network with all that a delivered one has: two sizes, several taps, a hidden layer, two members.

With `has_units` its members read each tap divided by its norm.
"""

from typing import Any

import numpy as np

LABELS = ("ant", "bee 🐝", "c,d")
SIZE_PX, SMALLER_PX = 48, 32


def delivered_model(has_units: bool = False) -> Any:
    """A `keras.Model` built as `Exporter.build_keras` builds its own; weights are random and always the same."""
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    image = keras.Input((None, None, 3), name="image")
    square = _resized(image, SIZE_PX)
    low, high = _backbone("one")(square)
    (single,) = _backbone("two", taps=1)(_resized(square, SMALLER_PX))
    pools = [layers.GlobalAveragePooling2D(name=f"tap_{i}")(taps) for i, taps in enumerate((low, high, single))]
    if has_units:
        pools = [layers.UnitNormalization(name=f"unit_{i}")(pool) for i, pool in enumerate(pools)]
    x = layers.Concatenate(name="features_0")(pools)
    x = layers.Dense(8, activation="relu", name="head_0_0")(x)
    one, other = layers.Dense(3, name="head_0_1")(x), layers.Dense(3, name="head_1_0")(pools[1])
    logits = layers.Add(name="logits")([one, other])
    model = keras.Model(image, layers.Softmax(name="probabilities")(logits), name="darkroom")
    random = np.random.default_rng(3)
    model.set_weights([weights + random.normal(0, 0.1, weights.shape) for weights in model.get_weights()])
    return model


def pictures(n: int, size_px: int = SIZE_PX, seed: int = 1) -> np.ndarray:
    """uint8 (n, size_px, size_px, 3): soft blots of colour, so that neither a resize nor a step of 1/256 is all."""
    random = np.random.default_rng(seed)
    blots = random.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    return np.kron(blots, np.ones((1, size_px // 4, size_px // 4, 1), np.uint8))


def _resized(images: Any, size_px: int) -> Any:
    import keras

    resize = keras.layers.Resizing(size_px, size_px, antialias=True, name=f"resize_{size_px}")
    return resize(images, training=False)


def _backbone(name: str, taps: int = 2) -> Any:
    import keras

    layers = keras.layers
    image = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 127.5, -1.0)(image)
    maps = []
    for depth in range(taps):
        x = layers.Conv2D(8 * (depth + 1), 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
        x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(x)))
        maps.append(x)
    return keras.Model(image, maps, name=name)

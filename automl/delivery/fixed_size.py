"""The delivered network for one picture of one size, which is what phones and accelerators want.

LiteRT has no antialiased resize, so it goes: at the model's own size it does nothing, and from there to a branch's
smaller size it is two products with constant matrices. For whole numbers the pooled features are standardised too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

_SMALLEST_SPREAD = 1e-2
_WIDEST = 6.0
"""Largest standardised value: one feature that is hardly ever there must not widen the steps of all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the features of one pooling layer vary, float (n_features,) each.

    Attributes:
        mean: is subtracted from the features.
        deviation: is what they are then divided by.
        shift: how far the whole-number network is off on average, in deviations; is then subtracted, too.
        norm: the usual norm of a row of features, for heads that read them divided by it; a number.
    """

    mean: np.ndarray
    deviation: np.ndarray
    shift: np.ndarray
    norm: float


def with_fixed_size(model: Any, size_px: int) -> Any:
    """A `keras.Model` with the same numbers as the delivered `model` that takes (1, size_px, size_px, 3), 0-255."""
    import keras

    def replaced(layer: Any) -> Any:
        if isinstance(layer, keras.layers.Resizing):
            return _fixed_resize(layer, size_px)
        return layer if isinstance(layer, keras.Model) else _copied(layer)

    return _rebuilt(model, size_px, replaced)


def measured_spreads(model: Any, images: np.ndarray) -> dict[str, Spread]:
    """How the features of every pooling layer vary, by the name of the layer.

    Args:
        model: of a fixed size.
        images: uint8 (n, size, size, 3), a hundred or so.
    """
    import keras

    pools = _pools(model)
    spreads = {}
    features = outputs_of(keras.Model(model.input, [pool.output for pool in pools]), images)
    for pool, values in zip(pools, features, strict=True):
        mean, deviation = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
        # A feature that hardly moves is not blown up beyond what the others may differ by.
        floor = _SMALLEST_SPREAD * float(deviation.max()) or 1.0
        deviation = np.maximum(np.maximum(deviation, np.abs(values - mean).max(axis=0) / _WIDEST), floor)
        norm = float(np.sqrt(np.square(values, dtype=np.float64).sum(axis=1).mean())) or 1.0
        spreads[pool.name] = Spread(mean=mean, deviation=deviation, shift=np.zeros_like(mean), norm=norm)
    return spreads


def outputs_of(model: Any, images: np.ndarray) -> list[np.ndarray]:
    """float32 (n, ...) for each output of a model with a fixed size. images: uint8 (n, size, size, 3)."""
    import tensorflow as tf

    run = tf.function(lambda image: model(image, training=False), autograph=False)
    rows = [run(tf.constant(image[np.newaxis], tf.float32)) for image in images]
    columns = zip(*(row if isinstance(row, (list, tuple)) else [row] for row in rows), strict=True)
    return [np.concatenate([np.asarray(part) for part in column]) for column in columns]


def features_of(model: Any, spreads: Mapping[str, Spread]) -> Any:
    """A model whose one output is (1, n_features): all standardised features, pooling layer after pooling layer.

    `model`: as `with_standardised_features` gives it.
    """
    import keras

    values = [model.get_layer(name).output for name in spreads]
    joined = keras.layers.Concatenate(name="standardised")(values) if len(values) > 1 else values[0]
    return keras.Model(model.input, joined)


def with_shifts(spreads: Mapping[str, Spread], shifts: np.ndarray) -> dict[str, Spread]:
    """Sets the shifts of spreads. shifts: float32 (n_features,), in the order of `features_of`."""
    ends = np.cumsum([len(spread.mean) for spread in spreads.values()])
    parts = np.split(shifts, ends[:-1])
    return {name: replace(spread, shift=part) for (name, spread), part in zip(spreads.items(), parts, strict=True)}


def with_standardised_features(model: Any, spreads: Mapping[str, Spread]) -> Any:
    """Prepares a model for whole numbers: its features are standardised.

    Each pooling becomes depthwise convolutions as large as its map, which also standardise, and the layer behind takes
    that back. The result is the same, but 256 steps now divide the range in which a feature varies; without it the
    small features of a tap would be lost beside its large ones. The shift is taken off as well (bias correction: Nagel
    and others, "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019).

    Args:
        model: of a fixed size.
        spreads: how the features vary, by the name of the pooling layer.
    """
    import keras

    def replaced(layer: Any) -> Any:
        if layer.name in spreads:
            return _standardising(layer, spreads[layer.name])
        if _is_unit(layer):
            return keras.layers.Identity(name=layer.name)
        if isinstance(layer, keras.layers.Dense) and (names := _pools_before(layer)):
            read = _of_units if _reads_units(layer) else _of_standardised
            return read(layer, [spreads[name] for name in names])
        return layer if isinstance(layer, keras.Model) else _copied(layer)

    return _rebuilt(model, model.input.shape[1], replaced)


def _rebuilt(model: Any, size_px: int, replaced: Any) -> Any:
    import keras

    image = keras.Input((size_px, size_px, 3), batch_size=1, name="image")
    return keras.models.clone_model(model, input_tensors=image, clone_function=replaced)


def _copied(layer: Any) -> Any:
    """A layer of its own in the new graph, so that what stands before it there is plain."""
    copy = type(layer).from_config(layer.get_config())
    if layer.weights:
        copy.build(layer.input.shape)
        copy.set_weights(layer.get_weights())
    return copy


def _fixed_resize(layer: Any, from_px: int) -> Any:
    """A layer that does to a square of `from_px` what `Resizing` does. Only the model's own square is made smaller."""
    import keras
    import tensorflow as tf

    to_px = layer.height
    if to_px == from_px:
        return keras.layers.Identity(name=layer.name)
    unit = np.eye(from_px, dtype=np.float32)[np.newaxis, :, :, np.newaxis]
    matrix = np.asarray(tf.image.resize(unit, (to_px, from_px), layer.interpolation, antialias=layer.antialias))
    rows = keras.layers.EinsumDense("bhwc,hk->bkwc", (to_px, from_px, 3), name="rows")
    columns = keras.layers.EinsumDense("bhwc,wk->bhkc", (to_px, to_px, 3), name="columns")
    both = keras.Sequential([keras.Input((from_px, from_px, 3), batch_size=1), rows, columns], name=layer.name)
    both.set_weights([matrix[0, :, :, 0].T] * 2)
    return both


def _standardising(pool: Any, spread: Spread) -> Any:
    """Down the columns, which standardises, then along the row: in one step it takes several times as long."""
    import keras

    _, height, width, channels = pool.input.shape
    columns = keras.layers.DepthwiseConv2D((height, 1), name="columns")
    row = keras.layers.DepthwiseConv2D((1, width), use_bias=False, name="row")
    layers = [keras.Input(pool.input.shape[1:], batch_size=1), columns, row, keras.layers.Flatten()]
    standardising = keras.Sequential(layers, name=pool.name)
    kernel = np.broadcast_to(1 / (height * spread.deviation), (height, 1, channels))
    columns.set_weights([kernel[..., np.newaxis], -spread.mean / spread.deviation - spread.shift])
    row.set_weights([np.full((1, width, channels, 1), 1 / width, np.float32)])
    return standardising


def _of_standardised(dense: Any, spreads: Sequence[Spread]) -> Any:
    """A copy of the layer that takes standardised features; the shift stays taken off."""
    kernel, bias = dense.get_weights()
    mean = np.concatenate([spread.mean for spread in spreads])
    deviation = np.concatenate([spread.deviation for spread in spreads])
    copy = _copied(dense)
    copy.set_weights([kernel * deviation[:, np.newaxis], bias + mean @ kernel])
    return copy


def _of_units(dense: Any, spreads: Sequence[Spread]) -> Any:
    """What a layer on unit taps gives, from the standardised ones.

    A layer is linear, so what it gives of a tap is divided by the norm afterwards: that is one number, which whole
    numbers hold better than they would hold a thousand small ones. The norm follows from the standardised features and
    their squares, and is divided by its usual value, so that it stays near 1.
    """
    import keras

    kernel, bias = dense.get_weights()
    ends = np.cumsum([len(spread.mean) for spread in spreads])
    kernels = np.split(kernel, ends[:-1])
    features = keras.Input((len(kernel),), batch_size=1)
    total, constant = None, bias.astype(np.float64)
    for end, spread, part in zip(ends, spreads, kernels, strict=True):
        tap = features[:, end - len(part) : end]
        size = len(bias)
        factor = _usual_by_own_norm(tap, spread)
        offset = spread.mean @ part / spread.norm
        given = _dense(size, part * (spread.deviation / spread.norm)[:, np.newaxis])(tap)
        share = keras.ops.add(keras.ops.multiply(given, factor), _dense(size, offset[np.newaxis])(factor))
        total = share if total is None else keras.ops.add(total, share)
    total = keras.ops.add(total, constant.astype(np.float32))
    return keras.Model(features, keras.layers.Activation(dense.activation)(total), name=dense.name)


def _usual_by_own_norm(tap: Any, spread: Spread) -> Any:
    """The usual norm divided by that of the raw features, (1, 1). tap: standardised, (1, n_features)."""
    import keras

    usual = spread.norm**2
    linear = 2 * spread.mean * spread.deviation / usual
    varied = keras.ops.add(
        _dense(1, linear[:, np.newaxis], float(spread.mean @ spread.mean) / usual)(tap),
        _dense(1, (spread.deviation**2 / usual)[:, np.newaxis])(keras.ops.multiply(tap, tap)),
    )
    return keras.ops.rsqrt(varied)


def _dense(n: int, kernel: np.ndarray, bias: float | None = None) -> Any:
    import keras

    layer = keras.layers.Dense(n, use_bias=bias is not None)
    layer.build((1, len(kernel)))
    layer.set_weights([kernel, *([] if bias is None else [np.array([bias])])])
    return layer


def _pools(model: Any) -> list[Any]:
    import keras

    return [layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)]


def _pools_before(dense: Any) -> list[str]:
    """Names of the pooling layers that a head reads, in order; none for a layer behind another one."""
    import keras

    makers = [_before(maker) if _is_unit(maker) else maker for maker in _makers_before(dense)]
    return [one.name for one in makers if isinstance(one, keras.layers.GlobalAveragePooling2D)]


def _reads_units(dense: Any) -> bool:
    return all(_is_unit(maker) for maker in _makers_before(dense))


def _makers_before(dense: Any) -> list[Any]:
    """The layers whose outputs a head reads, side by side."""
    import keras

    before = _before(dense)
    inputs = before.input if isinstance(before, keras.layers.Concatenate) else [dense.input]
    return [tensor._keras_history.operation for tensor in inputs]


def _is_unit(layer: Any) -> bool:
    import keras

    return isinstance(layer, keras.layers.UnitNormalization)


def _before(layer: Any) -> Any:
    return layer.input._keras_history.operation

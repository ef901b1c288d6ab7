"""A pretrained network with a head, and the training step that tunes both.

The step is one TensorFlow graph: forward, backward, AdamW with a learning rate for each depth. Everything that a
training varies (rates, weight decay, dropout, targets) is an argument, so trials of one kind share a traced graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.models.backbones.table import find_backbone
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights.cache import InstalledWeights, load_backbone

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

HEAD_RATE = 10.0
"""The head's learning rate as a multiple of the network's."""

ADAPTING_MOMENTUM = 0.9
"""Of batch norm's moving statistics where they adapt: a fine-tuning is a few hundred steps, not a million."""

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7


@dataclass(frozen=True, slots=True)
class NetworkKind:
    """What a graph is traced for.

    `taps`: "last" or "several". `depth`: 0 trains everything; k trains what is behind the k-th cut from the end.
    `adapts_batch_norm`: normalise by the batch and move the statistics, or keep those of the pretraining.
    `mixed`: bfloat16 activations. `xla`: the step is compiled. `deterministic`: an operation may choose how it adds up
    when it is made for a graph, so graphs that run under `deterministic_ops` are not shared with others.
    """

    weights: InstalledWeights
    taps: str
    depth: int
    n_classes: int
    adapts_batch_norm: bool
    mixed: bool = False
    xla: bool = False
    deterministic: bool = False


class TrainableNetwork:
    """The network, its head on standardised pooled taps, and AdamW's state. `reset` starts a new training.

    `n_features`: of the head. `n_cuts_behind`: for each layer how many cuts lie between it and the head.
    """

    def __init__(self, kind: NetworkKind) -> None:
        import_tensorflow()
        import tensorflow as tf

        self.kind = kind
        with _precision(kind.mixed):
            self.model = load_backbone(kind.weights)
        row = find_backbone(kind.weights.name)
        taps = row.taps[-1:] if kind.taps == "last" else row.taps
        self._stem, self._body = _cut(self.model, row.cuts, taps, kind.depth)
        widths = dict(zip(kind.weights.taps, kind.weights.tap_widths, strict=True))
        self.n_features = sum(widths[tap] for tap in taps)
        self.n_cuts_behind = _cuts_behind(self.model, row.cuts)
        if kind.adapts_batch_norm:
            for layer in self._body.layers:
                if hasattr(layer, "momentum"):
                    layer.momentum = ADAPTING_MOMENTUM
        self._pretrained = self.model.get_weights()
        self._kernel = tf.Variable(tf.zeros((self.n_features, kind.n_classes)))
        self._bias = tf.Variable(tf.zeros((kind.n_classes,)))
        self._mean = tf.Variable(tf.zeros((self.n_features,)), trainable=False)
        self._scale = tf.Variable(tf.ones((self.n_features,)), trainable=False)
        trained = [(variable, layer.name) for layer in self._body.layers for variable in layer.trainable_variables]
        self._trained = [variable.value for variable, _ in trained]
        self._n_slowdowns = [self.n_cuts_behind[name] for _, name in trained]
        self._slots = [[tf.Variable(tf.zeros_like(v)) for v in (*self._trained, *self._head)] for _ in range(2)]
        self._state = [variable.value for variable in self.model.variables] + list(self._head)
        self._averages: list[tf.Variable] = []
        self._is_averaging = False
        self._totals = tf.Variable(tf.zeros((3,)))
        self._n_steps = tf.Variable(0.0)
        self.stem = tf.function(self._stem_graph, reduce_retracing=True, autograph=False)
        self.pooled = tf.function(self._pooled_graph, reduce_retracing=True, autograph=False)
        self._logits = tf.function(self._logits_graph, reduce_retracing=True, autograph=False)
        self._train = tf.function(self._train_graph, jit_compile=kind.xla, autograph=False)
        self._average = tf.function(self._average_graph, autograph=False)

    @property
    def _head(self) -> tuple[tf.Variable, tf.Variable]:
        return self._kernel, self._bias

    def reset(self) -> None:
        """Back to the pretrained numbers; the head and the optimizer to zero."""
        self.model.set_weights(self._pretrained)
        for variable in [*self._slots[0], *self._slots[1], *self._head, self._totals, self._n_steps]:
            variable.assign(np.zeros(variable.shape, np.float32))
        self._is_averaging = False

    def set_head(self, kernel: np.ndarray, bias: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> None:
        """`kernel`, `bias` act on raw pooled taps; inside, features are (raw - mean) * scale, float32 (n_features,)."""
        self._mean.assign(mean)
        self._scale.assign(scale)
        self._kernel.assign(kernel / scale[:, None])
        self._bias.assign(bias + mean @ kernel)

    def step(
        self,
        inputs: Sequence[Any],
        targets: np.ndarray,
        weights: np.ndarray,
        rate: float,
        lr_decay: float,
        weight_decay: float,
        dropout: float,
        seed: int,
    ) -> None:
        """Learns from one batch.

        inputs: float32 images (n, height, width, 3), 0-255; behind a cut its activations and the pooled taps before it.
        targets: probabilities (n, n_classes). weights: (n,), mean about 1. rate: of the deepest layers; layers in front
        of the k-th cut from the end learn by `lr_decay ** k` less.
        """
        rates = [rate * lr_decay**n for n in self._n_slowdowns] + [rate * HEAD_RATE] * 2
        self._train(
            list(inputs),
            np.asarray(targets, np.float32),
            np.asarray(weights, np.float32),
            np.asarray(rates, np.float32),
            np.asarray(weight_decay, np.float32),
            np.asarray(dropout, np.float32),
            np.asarray([seed, 0], np.int32),
        )

    def average(self, decay: float) -> None:
        """Moves the running average of all weights and statistics; its first call starts it."""
        import tensorflow as tf

        if not self._averages:
            self._averages = [tf.Variable(variable) for variable in self._state]
        self._average(np.asarray(decay if self._is_averaging else 0.0, np.float32))
        self._is_averaging = True

    def take_totals(self) -> tuple[float, float]:
        """Mean training loss and accuracy since the last call, NaN where there was no step; waits for the device."""
        loss, right, n = self._totals.numpy().tolist()
        self._totals.assign(np.zeros(3, np.float32))
        return (loss / n, right / n) if n else (math.nan, math.nan)

    def is_finite(self) -> bool:
        """Whether the loss has been a number so far; waits for the device."""
        return bool(np.isfinite(self._totals.numpy()).all())

    def logits(self, inputs: Sequence[Any]) -> np.ndarray:
        """float32 (n, n_classes), batch norm with its statistics."""
        values: np.ndarray = self._logits(list(inputs)).numpy()
        return values

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the weights are their running average, where there is one."""
        if not self._is_averaging:
            yield
            return
        own = [variable.numpy() for variable in self._state]
        try:
            self._assign([average.numpy() for average in self._averages])
            yield
        finally:
            self._assign(own)

    def snapshot(self) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """The backbone's weights as `keras.Model.get_weights` orders them, and the head on raw pooled taps."""
        scale, mean = self._scale.numpy(), self._mean.numpy()
        kernel = self._kernel.numpy() * scale[:, None]
        bias = self._bias.numpy() - mean @ kernel
        return self.model.get_weights(), kernel.astype(np.float32), bias.astype(np.float32)

    def _assign(self, values: list[np.ndarray]) -> None:
        for variable, value in zip(self._state, values, strict=True):
            variable.assign(value)

    def _stem_graph(self, images: tf.Tensor) -> Any:
        """Activations at the cut, float16 (n, height, width, channels), and the pooled taps before it, float32."""
        import tensorflow as tf

        assert self._stem is not None, "a network that trains as a whole has no stem"
        at_cut, *maps = _listed(self._stem(images, training=False))
        return [tf.cast(at_cut, tf.float16), *_pool(maps)]

    def _pooled_graph(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        import tensorflow as tf

        first, *shallow = inputs
        maps = self._body(tf.cast(first, tf.float32), training=training)
        return tf.concat(
            [
                *(tf.cast(tap, tf.float32) for tap in shallow),
                *_pool(maps if isinstance(maps, list | tuple) else [maps]),
            ],
            axis=1,
        )

    def _logits_graph(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        features = (self._pooled_graph(inputs) - self._mean) * self._scale
        return features @ self._kernel + self._bias

    def _train_graph(
        self,
        inputs: list[tf.Tensor],
        targets: tf.Tensor,
        weights: tf.Tensor,
        rates: tf.Tensor,
        weight_decay: tf.Tensor,
        dropout: tf.Tensor,
        seed: tf.Tensor,
    ) -> None:
        import tensorflow as tf

        variables = [*self._trained, *self._head]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            features = self._pooled_graph(inputs, training=self.kind.adapts_batch_norm)
            features = (features - self._mean) * self._scale
            kept = tf.random.stateless_uniform(tf.shape(features), seed) >= dropout
            features = tf.where(kept, features / (1 - dropout), 0.0)
            logits = features @ self._kernel + self._bias
            losses = weights * tf.nn.softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, variables)
        self._adam_w(variables, gradients, rates, weight_decay)
        right = tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))
        n = tf.cast(tf.shape(targets)[0], tf.float32)
        self._totals.assign_add(tf.stack([tf.reduce_sum(losses), tf.reduce_sum(tf.cast(right, tf.float32)), n]))

    def _adam_w(
        self, variables: list[tf.Variable], gradients: list[tf.Tensor], rates: tf.Tensor, weight_decay: tf.Tensor
    ) -> None:
        """https://arxiv.org/abs/1711.05101; matrices and filters decay, batch norm and biases do not."""
        import tensorflow as tf

        n_steps = self._n_steps.assign_add(1.0)
        beta_1_power, beta_2_power = tf.pow(_BETA_1, n_steps), tf.pow(_BETA_2, n_steps)
        rows = zip(variables, gradients, tf.unstack(rates, len(variables)), strict=True)
        for i, (variable, gradient, rate) in enumerate(rows):
            if variable.shape.rank > 1:
                variable.assign_sub(rate * weight_decay * variable)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._slots[0][i].handle,
                v=self._slots[1][i].handle,
                beta1_power=beta_1_power,
                beta2_power=beta_2_power,
                lr=rate,
                beta1=_BETA_1,
                beta2=_BETA_2,
                epsilon=_EPSILON,
                grad=gradient,
            )

    def _average_graph(self, decay: tf.Tensor) -> None:
        for average, variable in zip(self._averages, self._state, strict=True):
            average.assign(decay * average + (1 - decay) * variable)


def _cut(
    model: keras.Model, cuts: Sequence[str], taps: Sequence[str], depth: int
) -> tuple[keras.Model | None, keras.Model]:
    """What comes before the cut, None without one, and what comes behind it; each with the taps that it contains."""
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


def _names_behind(model: keras.Model, cut: str) -> set[str]:
    import keras

    layers = keras.Model(model.get_layer(cut).output, model.outputs[-1]).layers
    return {layer.name for layer in layers if not isinstance(layer, keras.layers.InputLayer)}


def _cuts_behind(model: keras.Model, cuts: Sequence[str]) -> dict[str, int]:
    """For each layer how many cuts lie between it and the head."""
    n = {layer.name: len(cuts) for layer in model.layers}
    for index, cut in enumerate(cuts):
        n |= dict.fromkeys(_names_behind(model, cut), len(cuts) - 1 - index)
    return n


def _listed(outputs: Any) -> list[tf.Tensor]:
    """A Keras model gives its only output as it is, several ones as a list."""
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _pool(maps: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    import tensorflow as tf

    return [tf.reduce_mean(tf.cast(m, tf.float32), axis=(1, 2)) for m in maps]


@contextmanager
def _precision(mixed: bool) -> Iterator[None]:
    """Layers that are made inside compute in bfloat16, which needs no scaling of the loss; variables stay float32."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)

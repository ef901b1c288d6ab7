"""A pretrained network with a head, and the training step that tunes both.

The step is one TensorFlow graph: forward, backward, AdamW with a learning rate for each depth. Everything that a
training varies (rates, weight decay, dropout, targets) is an argument, so trials of one kind share a traced graph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.backbone_table import find_backbone
from automl.models.fine_tuning.cut import cut_in_two, cuts_behind
from automl.models.fine_tuning.optimizer import GraphAdamW, RunningAverage
from automl.models.head.network import Layer
from automl.models.precision import BRAIN, FULL, PLAIN, Precision, computing_in
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights.cache import InstalledWeights, load_backbone

if TYPE_CHECKING:
    import tensorflow as tf

_SMALLEST_SQUARE = 1e-24  # of the norm of features that are all zero

HEAD_RATE = 10.0
"""The head's learning rate as a multiple of the network's."""

ADAPTING_MOMENTUM = 0.9
"""The momentum of batch norm's moving statistics where they adapt: fine-tuning has hundreds of steps, not a million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkKind:
    """What a graph is traced for; trainings of the same kind share a network.

    Attributes:
        weights: the pretrained backbone.
        taps: "last" or "several", see `FineTuneSettings.taps`.
        is_unit: see `FineTuneSettings.is_unit`.
        depth: 0 trains everything; k trains what is behind the k-th cut from the end.
        n_classes: the number of outputs.
        adapts_batch_norm: whether batch norm normalises by the batch and moves its statistics; otherwise it keeps those
            of the pretraining.
        precision: the types that the step computes in, and whether it is compiled.
        deterministic: whether the graph is for `deterministic_ops`. An operation may choose how it adds up when it is
            made for a graph, so such graphs are not shared with others.
    """

    weights: InstalledWeights
    taps: str
    is_unit: bool = False
    depth: int
    n_classes: int
    adapts_batch_norm: bool
    precision: Precision = PLAIN
    deterministic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one training step learns from.

    Attributes:
        inputs: float32 images (n, height, width, 3), 0-255, or behind a cut its activations and then the pooled taps
            before it.
        targets: (n, n_classes), probabilities.
        weights: (n,), the weight of each photo in the loss, with a mean of about 1.
    """

    inputs: Sequence[Any]
    targets: np.ndarray
    weights: np.ndarray


class TrainableNetwork:
    """The network, its head on standardised pooled taps, and the optimizer. `reset` starts a new training.

    Attributes:
        kind: what it was made for.
        model: the whole backbone.
        n_features: the number of the head's inputs.
        n_cuts_behind: for each layer how many cuts lie between it and the head.
        stem: computes activations at the cut, float16 (n, height, width, channels), and the pooled taps before the
            cut, float32, from images (n, height, width, 3).
        pooled: computes what the head reads, float32 (n, n_features), from the inputs of a batch: the pooled taps, each
            divided by its norm where the kind says so.
    """

    def __init__(self, kind: NetworkKind) -> None:
        import_tensorflow()
        import tensorflow as tf

        self.kind = kind
        with computing_in(BRAIN if kind.precision.mixed else FULL):
            self.model = load_backbone(kind.weights)
        row = find_backbone(kind.weights.name)
        taps = row.taps[-1:] if kind.taps == "last" else row.taps
        self._stem, self._body = cut_in_two(self.model, cuts=row.cuts, taps=taps, depth=kind.depth)
        widths = dict(zip(kind.weights.taps, kind.weights.tap_widths, strict=True))
        self.n_features = sum(widths[tap] for tap in taps)
        self.n_cuts_behind = cuts_behind(self.model, row.cuts)
        if kind.adapts_batch_norm:
            for layer in self._body.layers:
                if hasattr(layer, "momentum"):
                    layer.momentum = ADAPTING_MOMENTUM
        self._pretrained = self.model.get_weights()
        self._kernel = tf.Variable(tf.zeros((self.n_features, kind.n_classes)))
        self._bias = tf.Variable(tf.zeros((kind.n_classes,)))
        self._mean = tf.Variable(tf.zeros((self.n_features,)), trainable=False)
        self._scale = tf.Variable(tf.ones((self.n_features,)), trainable=False)
        head = [self._kernel, self._bias]
        trained = [(variable, layer.name) for layer in self._body.layers for variable in layer.trainable_variables]
        self._trained = [*(variable.value for variable, _ in trained), *head]
        self._n_slowdowns = [self.n_cuts_behind[name] for _, name in trained]
        self._optimizer = GraphAdamW(self._trained)
        self._average = RunningAverage([*(variable.value for variable in self.model.variables), *head])
        self._totals = tf.Variable(tf.zeros((3,)))
        self.stem = tf.function(self._stem_graph, reduce_retracing=True, autograph=False)
        self.pooled = tf.function(self._pooled_graph, reduce_retracing=True, autograph=False)
        self._logits = tf.function(self._logits_graph, reduce_retracing=True, autograph=False)
        self._train = tf.function(self._train_graph, jit_compile=kind.precision.xla, autograph=False)

    def reset(self) -> None:
        """Goes back to the pretrained weights, a head of zeros and an optimizer that has not made a step."""
        self.model.set_weights(self._pretrained)
        for variable in (self._kernel, self._bias, self._totals):
            variable.assign(np.zeros(variable.shape, np.float32))
        self._optimizer.reset()
        self._average.reset()

    def set_head(self, head: Layer, *, mean: np.ndarray, scale: np.ndarray) -> None:
        """Sets the head.

        Args:
            head: kernel and bias that act on what `pooled` gives.
            mean: float32 (n_features,), is subtracted from these features inside the network.
            scale: float32 (n_features,), is then multiplied with them.
        """
        kernel, bias = head
        self._mean.assign(mean)
        self._scale.assign(scale)
        self._kernel.assign(kernel / scale[:, None])
        self._bias.assign(bias + mean @ kernel)

    def step(
        self, batch: Batch, *, rate: float, lr_decay: float, weight_decay: float, dropout: float, seed: int
    ) -> None:
        """Learns from one batch.

        Args:
            batch: the photos and their targets.
            rate: the learning rate of the deepest layers.
            lr_decay: layers in front of the k-th cut from the end learn at `rate * lr_decay ** k`.
            weight_decay: the decoupled weight decay.
            dropout: the share of the head's inputs that is dropped, 0-1.
            seed: chooses which inputs are dropped.
        """
        rates = [rate * lr_decay**n for n in self._n_slowdowns] + [rate * HEAD_RATE] * 2
        self._train(
            inputs=list(batch.inputs),
            targets=np.asarray(batch.targets, np.float32),
            weights=np.asarray(batch.weights, np.float32),
            rates=np.asarray(rates, np.float32),
            weight_decay=np.asarray(weight_decay, np.float32),
            dropout=np.asarray(dropout, np.float32),
            seed=np.asarray([seed, 0], np.int32),
        )

    def average(self, decay: float) -> None:
        """Moves the running average of all weights and statistics; its first call starts it."""
        self._average.update(decay)

    def averaged(self) -> AbstractContextManager[None]:
        """Inside, the weights are their running average, where there is one."""
        return self._average.applied()

    def take_totals(self) -> tuple[float, float]:
        """Mean training loss and accuracy since the last call, NaN where there was no step. Waits for the device."""
        loss, right, n = self._totals.numpy().tolist()
        self._totals.assign(np.zeros(3, np.float32))
        return (loss / n, right / n) if n else (math.nan, math.nan)

    def is_finite(self) -> bool:
        """Whether the loss has been a number so far. Waits for the device."""
        return bool(np.isfinite(self._totals.numpy()).all())

    def logits(self, inputs: Sequence[Any]) -> np.ndarray:
        """float32 (n, n_classes), with the statistics of batch norm. inputs: see `Batch.inputs`."""
        values: np.ndarray = self._logits(list(inputs)).numpy()
        return values

    def snapshot(self) -> tuple[list[np.ndarray], Layer]:
        """The backbone's weights in the order of `keras.Model.get_weights`, and the head on what `pooled` gives."""
        scale, mean = self._scale.numpy(), self._mean.numpy()
        kernel = self._kernel.numpy() * scale[:, None]
        bias = self._bias.numpy() - mean @ kernel
        return self.model.get_weights(), (kernel.astype(np.float32), bias.astype(np.float32))

    def _stem_graph(self, images: tf.Tensor) -> list[tf.Tensor]:
        import tensorflow as tf

        assert self._stem is not None, "a network that trains as a whole has no stem"
        at_cut, *maps = _listed(self._stem(images, training=False))
        return [tf.cast(at_cut, tf.float16), *_pool(maps)]

    def _pooled_graph(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        import tensorflow as tf

        first, *shallow = inputs
        maps = _listed(self._body(tf.cast(first, tf.float32), training=training))
        taps = [*(tf.cast(tap, tf.float32) for tap in shallow), *_pool(maps)]
        if self.kind.is_unit:
            taps = [tf.math.l2_normalize(tap, axis=1, epsilon=_SMALLEST_SQUARE) for tap in taps]
        return tf.concat(taps, axis=1)

    def _logits_graph(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        features = (self._pooled_graph(inputs) - self._mean) * self._scale
        return features @ self._kernel + self._bias

    def _train_graph(
        self,
        *,
        inputs: list[tf.Tensor],
        targets: tf.Tensor,
        weights: tf.Tensor,
        rates: tf.Tensor,
        weight_decay: tf.Tensor,
        dropout: tf.Tensor,
        seed: tf.Tensor,
    ) -> None:
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._trained)
            features = self._pooled_graph(inputs, training=self.kind.adapts_batch_norm)
            features = (features - self._mean) * self._scale
            kept = tf.random.stateless_uniform(tf.shape(features), seed) >= dropout
            features = tf.where(kept, features / (1 - dropout), 0.0)
            logits = features @ self._kernel + self._bias
            losses = weights * tf.nn.softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(losses)
        self._optimizer.step(tape.gradient(loss, self._trained), rates, weight_decay)
        right = tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))
        n = tf.cast(tf.shape(targets)[0], tf.float32)
        self._totals.assign_add(tf.stack([tf.reduce_sum(losses), tf.reduce_sum(tf.cast(right, tf.float32)), n]))


def _listed(outputs: Any) -> list[tf.Tensor]:
    """A Keras model gives its only output as it is, several ones as a list."""
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _pool(maps: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    import tensorflow as tf

    return [tf.reduce_mean(tf.cast(m, tf.float32), axis=(1, 2)) for m in maps]

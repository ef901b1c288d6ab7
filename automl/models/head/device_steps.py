"""The training steps of several stacks of heads side by side, as one TensorFlow graph an epoch or a part of one.

It is what `StackedHeads` does in NumPy, with one more axis in front: the heads of a pass, which share the features and
the shape of their layers, and have rows, rates, dropout and everything else of their own. So a head comes out the same
whether it is trained alone or beside others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from automl.models.head.network import BETA_1, BETA_2, DEEPER_RATE, EPSILON, MOMENTUM, SGD_OTHER_RATE, SGD_RATE

if TYPE_CHECKING:
    import tensorflow as tf


_N_INTEGERS = 2.0**32
_SEED_OF_LAYER = 7919  # far more than a search has trials, whose seeds follow each other


class Graph(NamedTuple):
    """What a graph is traced for; everything else, sizes included, is an argument.

    Attributes:
        n_layers: of each head.
        n_heads: in the pass.
        optimizer: "adamw" or "sgd".
        drops: whether any of the heads uses dropout.
        mirrors: whether any of them learns from mirrored photos.
        compiled: whether XLA compiles it, anew for each shape of the arguments.
    """

    n_layers: int
    n_heads: int
    optimizer: str
    drops: bool
    mirrors: bool
    compiled: bool = False


class Learned(NamedTuple):
    """What the heads learn from; a named tuple, since TensorFlow takes it into a graph as it is.

    Attributes:
        matrices: float32 (n_rows, n_features): the features and, where the graph mirrors, those of mirrored photos.
        labels: int32 (n_rows,).
        weights: float32 (n_heads, n_rows, n_models), see `HeadTraining.learned`.
        smoothed: float32 (n_heads, n_classes, n_classes), see `HeadTraining.smoothed`.
        decay: float32 (n_heads,), the weight decay.
        dropout: float32 (n_heads,), the share that is dropped.
    """

    matrices: Any
    labels: Any
    weights: Any
    smoothed: Any
    decay: Any
    dropout: Any


class Steps(NamedTuple):
    """Some steps of an epoch.

    Attributes:
        rows: int32 (n_heads, n_steps, n_batch); a batch that is smaller is filled up with -1.
        mirrored: bool (n_heads, n_steps, n_batch).
        rates: float32 (n_heads, n_steps), the learning rates.
        seeds: int32 (n_heads, 2), of the dropout.
    """

    rows: Any
    mirrored: Any
    rates: Any
    seeds: Any


class State(NamedTuple):
    """What a step changes.

    Attributes:
        arrays: the kernels, float32 (n_heads, n_in, n_models * n_out), then (n_heads, n_models, n_in, n_out); and the
            biases, float32 (n_heads, n_models, n_out).
        slots: what the optimizer keeps of each array, once or twice.
        n_steps: float32 scalar, the number of steps that were made.
        sums: float32 (n_heads, 3): of the loss, of the right answers and of the weights, over rows and models.
    """

    arrays: Any
    slots: Any
    n_steps: Any
    sums: Any


@lru_cache(maxsize=32)
def train_function(graph: Graph) -> Any:
    """Makes some steps: takes `State`, `Learned` and `Steps`, and returns the new `State`."""
    import tensorflow as tf

    def train(state: State, learned: Learned, steps: Steps) -> State:
        def body(number: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
            return number + 1, _step(graph, state, learned, _of_step(steps, number))

        n_steps = tf.shape(steps.rates)[1]
        after: State = tf.while_loop(lambda number, _: number < n_steps, body, (tf.constant(0), state))[1]
        return after

    return tf.function(train, autograph=False, reduce_retracing=True, jit_compile=graph.compiled or None)


@lru_cache(maxsize=8)
def own_logits_function(n_layers: int) -> Any:
    """For some rows, the logits of the models that do not know them: float32 (n_heads, n, n_repeats, n_classes).

    Takes the arrays of `State`, the features, the rows, int32 (n,), and their models, int32 (n, n_repeats).
    """
    import tensorflow as tf

    def own_logits(arrays: Sequence[tf.Tensor], matrix: tf.Tensor, rows: tf.Tensor, models: tf.Tensor) -> tf.Tensor:
        by_row = tf.transpose(_logits(n_layers, arrays, tf.gather(matrix, rows)[None]), (2, 0, 1, 3))
        n_heads = tf.shape(by_row)[1]
        repeated = tf.tile(models[:, None, :], (1, n_heads, 1))
        return tf.transpose(tf.gather(by_row, repeated, axis=2, batch_dims=2), (1, 0, 2, 3))

    return tf.function(own_logits, autograph=False, reduce_retracing=True)


def slots_of(optimizer: str, arrays: Sequence[tf.Tensor]) -> tuple[tuple[tf.Tensor, ...], ...]:
    """What an optimizer keeps before its first step."""
    import tensorflow as tf

    n_kept = 1 if optimizer == "sgd" else 2
    return tuple(tuple(tf.zeros_like(array) for array in arrays) for _ in range(n_kept))


def _of_step(steps: Steps, number: tf.Tensor) -> Steps:
    # A new seed for each step: its second number is the step's, on top of the epoch's.
    seeds = steps.seeds + number * [0, 1]
    return Steps(steps.rows[:, number], steps.mirrored[:, number], steps.rates[:, number], seeds)


def _step(graph: Graph, state: State, learned: Learned, step: Steps) -> State:
    import tensorflow as tf

    rows = tf.maximum(step.rows, 0)
    labels = tf.gather(learned.labels, rows)
    targets = tf.gather(learned.smoothed, labels, batch_dims=1)[:, None]
    weights = tf.gather(learned.weights, rows, batch_dims=1) * tf.cast(step.rows >= 0, tf.float32)[:, :, None]
    weights = tf.transpose(weights, (0, 2, 1))
    share = weights / tf.maximum(tf.reduce_sum(weights, axis=2, keepdims=True), 1e-6)
    x = _batch(graph, learned, step, rows)
    dropped = _dropping(graph, learned.dropout, step.seeds)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(state.arrays)
        logits = _logits(graph.n_layers, state.arrays, x, dropped)
        log_probabilities = tf.nn.log_softmax(logits)
        loss = -tf.reduce_sum(log_probabilities * targets * share[..., None])
    gradients = tape.gradient(loss, state.arrays)
    hot = tf.one_hot(labels, tf.shape(logits)[3])[:, None]
    losses = -tf.reduce_sum(log_probabilities * hot, axis=3)
    right = tf.cast(tf.equal(tf.argmax(logits, axis=3, output_type=tf.int32), labels[:, None]), tf.float32)
    sums = tf.stack([tf.reduce_sum(v * weights, axis=(1, 2)) for v in (losses, right, tf.ones_like(right))], axis=1)
    return _changed(graph, state, gradients, step.rates, learned.decay)._replace(sums=state.sums + sums)


def _batch(graph: Graph, learned: Learned, step: Steps, rows: tf.Tensor) -> tf.Tensor:
    """The features of each head's rows, (n_heads, n_batch, n_features)."""
    import tensorflow as tf

    x = tf.gather(learned.matrices[0], rows)
    return tf.where(step.mirrored[..., None], tf.gather(learned.matrices[1], rows), x) if graph.mirrors else x


def _dropping(graph: Graph, shares: tf.Tensor, seeds: tf.Tensor) -> Any:
    """Drops some of the inputs of a layer: takes them, with the heads in front, and the number of the layer."""
    import tensorflow as tf

    def dropped(values: tf.Tensor, layer: int) -> tf.Tensor:
        if not graph.drops:
            return values
        # Each head draws by its own seed, so that it does not matter which others are in the pass.
        shape, other = tf.shape(values)[1:], [layer * _SEED_OF_LAYER, 0]
        # Bits of a named algorithm, which XLA draws as the kernels do; it makes other fractions of them.
        drawn = [
            tf.random.stateless_uniform(
                shape, seeds[head] + other, minval=None, maxval=None, dtype=tf.int32, alg="philox"
            )
            for head in range(graph.n_heads)
        ]
        share = tf.reshape(shares, [graph.n_heads, *[1] * (values.shape.rank - 1)])
        is_kept = tf.cast(tf.stack(drawn), tf.float32) >= (share - 0.5) * _N_INTEGERS
        return tf.where(is_kept, values / (1 - share), 0.0)

    return dropped


def _logits(n_layers: int, arrays: Sequence[tf.Tensor], x: tf.Tensor, dropped: Any = lambda v, _layer: v) -> tf.Tensor:
    """float32 (n_heads, n_models, n, n_classes). x: (n_heads or 1, n, n_features)."""
    import tensorflow as tf

    kernels, biases = arrays[:n_layers], arrays[n_layers:]
    n_heads, n_models = tf.shape(biases[0])[0], tf.shape(biases[0])[1]
    wide = tf.matmul(dropped(x, 0), kernels[0])
    values = tf.reshape(wide, (n_heads, tf.shape(wide)[1], n_models, tf.shape(biases[0])[2]))
    values = tf.transpose(values, (0, 2, 1, 3)) + biases[0][:, :, None]
    for layer in range(1, n_layers):
        values = tf.matmul(dropped(tf.nn.relu(values), layer), kernels[layer]) + biases[layer][:, :, None]
    return values


def _changed(graph: Graph, state: State, gradients: Sequence[tf.Tensor], rates: tf.Tensor, decay: tf.Tensor) -> State:
    """The state after a step of the optimizer."""
    import tensorflow as tf

    n_steps = state.n_steps + 1
    correction = tf.sqrt(1 - BETA_2**n_steps) / (1 - BETA_1**n_steps)
    arrays, slots = [], []
    for number, (array, gradient) in enumerate(zip(state.arrays, gradients, strict=True)):
        is_kernel, is_deeper = number < graph.n_layers, number % graph.n_layers > 0
        ones = [1] * (array.shape.rank - 1)
        rate = tf.reshape(rates * (DEEPER_RATE if is_deeper else 1.0), [graph.n_heads, *ones])
        if is_kernel:
            array = array * (1 - rate * tf.reshape(decay, [graph.n_heads, *ones]))
        kept = [slot[number] for slot in state.slots]
        if graph.optimizer == "sgd":
            step = rate * (SGD_OTHER_RATE if number else SGD_RATE) * gradient
            kept = [MOMENTUM * kept[0] - step]
            array = array + MOMENTUM * kept[0] - step
        else:
            kept = [BETA_1 * kept[0] + (1 - BETA_1) * gradient, BETA_2 * kept[1] + (1 - BETA_2) * gradient**2]
            array = array - rate * correction * kept[0] / (tf.sqrt(kept[1]) + EPSILON)
        for value in (array, *kept):
            value.set_shape(state.arrays[number].shape)  # a loop does not let the sizes that it knows become unknown
        arrays.append(array)
        slots.append(tuple(kept))
    return State(tuple(arrays), tuple(zip(*slots, strict=True)), n_steps, state.sums)

"""Whether XLA makes the training of heads quicker on this machine's GPU: measured once on made-up heads, and kept."""

from __future__ import annotations

from functools import partial

import numpy as np

from automl.models.compiling import NO_GAIN, CompiledGain, gain_of
from automl.models.device import gpu_name, has_gpu, tensorflow_version
from automl.models.head.device_steps import Graph, Learned, State, Steps, slots_of, train_function
from automl.models.measured import measured
from automl.models.quiet_tensorflow import import_tensorflow

N_STEPS_A_CALL = 32
"""The host asks the clock in between."""

_N_HEADS, _N_ROWS, _N_FEATURES, _N_MODELS, _N_CLASSES, _BATCH = 8, 1024, 1280, 16, 5, 64
_NEAR = 1e-3


def gain_of_compiling() -> CompiledGain:
    """What compiling is worth for a call of `train_function`."""
    if not has_gpu():
        return NO_GAIN
    question = f"compiled heads on {gpu_name()} with {tensorflow_version()}"
    return CompiledGain.of_words(measured(question, lambda: measured_gain().in_words()))


def measured_gain() -> CompiledGain:
    """Trains heads for a few steps, plain and compiled."""
    import_tensorflow()
    graph = Graph(n_layers=1, n_heads=_N_HEADS, optimizer="adamw", drops=False, mirrors=False)
    state, learned, steps = _made_up()

    def trained(graph: Graph) -> np.ndarray:
        kernels: np.ndarray = train_function(graph)(state, learned, steps).arrays[0].numpy()
        return kernels

    return gain_of(
        partial(trained, graph),
        partial(trained, graph._replace(compiled=True)),
        agree=lambda found, expected: np.allclose(found, expected, atol=_NEAR),
    )


def _made_up() -> tuple[State, Learned, Steps]:
    import tensorflow as tf

    random, n_wide = np.random.default_rng(0), _N_MODELS * _N_CLASSES
    arrays = (tf.zeros((_N_HEADS, _N_FEATURES, n_wide)), tf.zeros((_N_HEADS, _N_MODELS, _N_CLASSES)))
    values = random.normal(size=(_N_ROWS, _N_FEATURES)) / _N_FEATURES**0.5
    learned = Learned(
        matrices=(tf.constant(values, tf.float32),),
        labels=tf.constant(random.integers(0, _N_CLASSES, _N_ROWS), tf.int32),
        weights=tf.ones((_N_HEADS, _N_ROWS, _N_MODELS)),
        smoothed=tf.eye(_N_CLASSES, batch_shape=[_N_HEADS]),
        decay=tf.fill([_N_HEADS], 0.01),
        dropout=tf.zeros(_N_HEADS),
    )
    steps = Steps(
        rows=tf.constant(random.integers(0, _N_ROWS, (_N_HEADS, N_STEPS_A_CALL, _BATCH)), tf.int32),
        mirrored=tf.zeros((_N_HEADS, N_STEPS_A_CALL, _BATCH), tf.bool),
        rates=tf.fill([_N_HEADS, N_STEPS_A_CALL], 0.01),
        seeds=tf.zeros((_N_HEADS, 2), tf.int32),
    )
    state = State(arrays, slots_of("adamw", arrays), tf.constant(0.0), tf.zeros((_N_HEADS, 3)))
    return state, learned, steps

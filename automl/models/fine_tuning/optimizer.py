"""AdamW inside a TensorFlow graph, and the running average of the weights that it trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7


class GraphAdamW:
    """AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101) with a learning rate of its own for each variable.

    Matrices and filters decay; batch norm and biases do not.

    Args:
        variables: the variables that it trains.
    """

    def __init__(self, variables: Sequence[tf.Variable]) -> None:
        import tensorflow as tf

        self._variables = list(variables)
        self._slots = [[tf.Variable(tf.zeros_like(variable)) for variable in self._variables] for _ in range(2)]
        self._n_steps = tf.Variable(0.0)

    def reset(self) -> None:
        """Forgets all steps that were made."""
        for variable in [*self._slots[0], *self._slots[1], self._n_steps]:
            variable.assign(np.zeros(variable.shape, np.float32))

    def step(self, gradients: Sequence[tf.Tensor], rates: tf.Tensor, weight_decay: tf.Tensor) -> None:
        """Changes the variables; to be called while a graph is traced.

        gradients: one for each variable. rates: float32 (n_variables,). weight_decay: float32 scalar.
        """
        import tensorflow as tf

        n_steps = self._n_steps.assign_add(1.0)
        beta_1_power, beta_2_power = tf.pow(_BETA_1, n_steps), tf.pow(_BETA_2, n_steps)
        rows = zip(self._variables, gradients, tf.unstack(rates, len(self._variables)), strict=True)
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


class RunningAverage:
    """The exponential moving average of some variables, batch norm's statistics included.

    Args:
        variables: the variables that are averaged.
    """

    def __init__(self, variables: Sequence[tf.Variable]) -> None:
        import tensorflow as tf

        self._variables = list(variables)
        self._averages: list[tf.Variable] = []
        self._is_begun = False
        self._update = tf.function(self._update_graph, autograph=False)
        self._exchange = tf.function(self._exchange_graph, autograph=False)

    def reset(self) -> None:
        """Begins a new average with the next update."""
        self._is_begun = False

    def update(self, decay: float) -> None:
        """Moves the average towards the variables; the first update sets it to them. decay: 0-1, 0 keeps nothing."""
        import tensorflow as tf

        if not self._averages:  # most trainings need no average, so its memory is not taken before
            self._averages = [tf.Variable(variable) for variable in self._variables]
        self._update(np.asarray(decay if self._is_begun else 0.0, np.float32))
        self._is_begun = True

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the variables have the values of their average; without an update so far, their own."""
        if not self._is_begun:
            yield
            return
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange_graph(self) -> None:
        """Exchanges variables and averages where they are, on the device."""
        for average, variable in zip(self._averages, self._variables, strict=True):
            own = variable.read_value()
            variable.assign(average.read_value())
            average.assign(own)

    def _update_graph(self, decay: tf.Tensor) -> None:
        for average, variable in zip(self._averages, self._variables, strict=True):
            average.assign(decay * average + (1 - decay) * variable)

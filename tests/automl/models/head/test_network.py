"""The networks of the heads: what they hand back is the gradient of the loss."""

import numpy as np
import pytest

from automl.models.head.network import StackedHeads, softmax
from automl.models.head.settings import HeadSettings


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_the_gradients_are_the_derivatives_of_the_loss(dropout):
    """Two models with two hidden layers each, in double precision, against central differences."""
    settings = HeadSettings(
        dropout=dropout,
        learning_rate=0.05,
        weight_decay=0.01,
        label_smoothing=0.0,
        lr_schedule="cosine",
        patience=10,
        hidden_units=(5, 4),
    )
    network = StackedHeads(n_features=6, n_classes=3, n_models=2, settings=settings, random=np.random.default_rng(0))
    random = np.random.default_rng(1)
    network._kernels = [random.normal(size=kernel.shape) for kernel in network._kernels]
    network._biases = [random.normal(size=bias.shape) for bias in network._biases]
    taken = [Taken() for _ in range(6)]
    network._optimizers = taken
    x, truth = random.normal(size=(7, 6)), np.eye(3)[random.integers(0, 3, 7)][:, None]

    def loss_and_error() -> tuple[float, np.ndarray, np.ndarray]:
        dropped = x.copy()
        logits = network.forward(dropped, np.random.default_rng(2))  # drops the same inputs each time
        probabilities, log_of_sum = softmax(logits)
        return float((log_of_sum - (logits * truth).sum(axis=2)).sum()), probabilities - truth, dropped

    _, error, dropped = loss_and_error()
    network.backward(dropped, error, rate=0.0)
    for array, derivative in zip((*network._kernels, *network._biases), taken, strict=True):
        for index in np.ndindex(array.shape):
            value, losses = array[index], []
            for step in (1e-5, -1e-5):
                array[index] = value + step
                losses.append(loss_and_error()[0])
            array[index] = value
            assert derivative.gradient[index] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-4, abs=1e-5)


class Taken:
    """An optimiser that changes nothing."""

    gradient: np.ndarray

    def step(self, array: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        self.gradient = gradient.reshape(array.shape)

"""The dense layers of many heads side by side: forward pass, backward pass and optimizers, in NumPy."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from automl.models.head.settings import HeadSettings

Layer = tuple[np.ndarray, np.ndarray]
"""Kernel float32 (n_in, n_out) and bias float32 (n_out,) of a dense layer."""

Layers = tuple[Layer, ...]
"""The dense layers of a head; ReLU between them, softmax behind."""

BETA_1, BETA_2, EPSILON, MOMENTUM = 0.9, 0.999, 1e-7, 0.9
# A step of SGD follows the gradient, and gradients of kernels on such features are this much smaller than Adam's steps.
# Those of biases, and of what lies behind a hidden layer, are not: 300 would leave such a layer dead.
SGD_RATE, SGD_OTHER_RATE = 300.0, 10.0
DEEPER_RATE = 0.1  # kernels behind a hidden layer are smaller than those on the features


class Optimizer(Protocol):
    """Changes one array step by step."""

    def step(self, array: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Changes `array` in place. `rate`: the learning rate of this step."""
        ...


class AdamW:
    """Adam (Kingma and Ba, 2015). The decoupled weight decay (Loshchilov and Hutter, 2019) is left to the caller.

    Args:
        array: the array that will be optimized; only its shape matters.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._m, self._v = np.zeros_like(array), np.zeros_like(array)
        self._scratch = np.empty_like(array)
        self._n_steps = 0

    def step(self, array: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Changes `array` in place.

        Everything is computed into arrays that are there already: allocating them anew would take longer than the sums.
        """
        self._n_steps += 1
        m, v, scratch = self._m, self._v, self._scratch
        m *= np.float32(BETA_1)
        np.multiply(gradient, np.float32(1 - BETA_1), out=scratch)
        m += scratch
        v *= np.float32(BETA_2)
        np.multiply(gradient, gradient, out=scratch)
        scratch *= np.float32(1 - BETA_2)
        v += scratch
        correction = math.sqrt(1 - BETA_2**self._n_steps) / (1 - BETA_1**self._n_steps)
        np.sqrt(v, out=scratch)
        scratch += np.float32(EPSILON)
        np.divide(m, scratch, out=scratch)
        scratch *= np.float32(rate * correction)
        array -= scratch


class Sgd:
    """Stochastic gradient descent with Nesterov momentum.

    Args:
        array: the array that will be optimized; only its shape matters.
        factor: by which every learning rate is multiplied.
    """

    def __init__(self, array: np.ndarray, factor: float) -> None:
        self._factor = factor
        self._velocity = np.zeros_like(array)

    def step(self, array: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Changes `array` in place."""
        step = np.float32(rate * self._factor) * gradient
        self._velocity *= np.float32(MOMENTUM)
        self._velocity -= step
        array += np.float32(MOMENTUM) * self._velocity
        array -= step


class StackedHeads:
    """Heads of one shape that are trained together, since they read the same features.

    The first layer of all models reads the same matrix, so its kernels lie in one matrix (n_in, n_models * n_out) and
    take one product. The layers behind it have a stack of matrices (n_models, n_in, n_out).

    Args:
        n_features: the number of inputs.
        n_classes: the number of outputs.
        n_models: the number of models.
        settings: their hidden layers, dropout, weight decay and optimizer.
        random: draws the first kernels, which are the same for all models.
    """

    def __init__(
        self, *, n_features: int, n_classes: int, n_models: int, settings: HeadSettings, random: np.random.Generator
    ) -> None:
        self._n_models = n_models
        self._dropout, self._decay = settings.dropout, settings.weight_decay
        self._widths = (*settings.hidden_units, n_classes)
        self._kernels, self._biases = [], []
        n_in = n_features
        for number, n_out in enumerate(self._widths):
            is_last = number == len(self._widths) - 1
            # Features have unit norm, hidden units unit size. The last layer starts with equal logits for all classes.
            spread = 0.0 if is_last else 1.0 if number == 0 else math.sqrt(2 / n_in)
            start = (random.standard_normal((n_in, n_out)) * spread).astype(np.float32)
            stacked = np.tile(start, (1, n_models)) if number == 0 else np.tile(start, (n_models, 1, 1))
            self._kernels.append(stacked)
            self._biases.append(np.zeros((n_models, n_out), dtype=np.float32))
            n_in = n_out
        self._optimizers: list[Optimizer] = [
            Sgd(array, SGD_OTHER_RATE if number else SGD_RATE) if settings.optimizer == "sgd" else AdamW(array)
            for number, array in enumerate(self.arrays)
        ]
        self._inputs: list[np.ndarray] = []

    def logits(self, x: np.ndarray) -> np.ndarray:
        """float32 (n_rows, n_models, n_classes), without dropout."""
        return self._pass(x, None)

    def forward(self, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The logits in training: with dropout, in place on `x`. Keeps what `backward` needs."""
        return self._pass(x, random)

    def _pass(self, x: np.ndarray, random: np.random.Generator | None) -> np.ndarray:
        self._inputs = []
        values = x
        for number, (kernel, bias) in enumerate(zip(self._kernels, self._biases, strict=True)):
            if random is not None and self._dropout > 0:
                _drop(values, self._dropout, random)
            if number == 0:
                values = (x @ kernel).reshape(len(x), self._n_models, -1)
            else:
                self._inputs.append(values)
                values = np.matmul(values.transpose(1, 0, 2), kernel).transpose(1, 0, 2)
            values = values + bias
            if number < len(self._kernels) - 1:
                values = np.maximum(values, 0)
        return values

    def backward(self, x: np.ndarray, error: np.ndarray, rate: float) -> None:
        """Makes one step of the optimizer.

        Args:
            x: the features as `forward` has left them.
            error: the derivative of the loss by the logits, (n_rows, n_models, n_classes).
            rate: the learning rate of this step.
        """
        n = len(self._kernels)
        gradients = self._gradients(x, error)
        for number, (array, optimizer) in enumerate(zip(self.arrays, self._optimizers, strict=True)):
            is_kernel, is_deeper = number < n, number % n > 0
            step = rate * (DEEPER_RATE if is_deeper else 1.0)
            if is_kernel:
                array *= np.float32(1 - step * self._decay)
            optimizer.step(array, gradients[number], step)

    def _gradients(self, x: np.ndarray, error: np.ndarray) -> list[np.ndarray]:
        """The derivatives of the loss by every kernel, then by every bias."""
        n = len(self._kernels)
        gradients: list[np.ndarray] = [error] * (2 * n)
        for number in range(n - 1, -1, -1):
            gradients[n + number] = error.sum(axis=0)
            if number == 0:
                gradients[0] = x.T @ error.reshape(len(x), -1)
                break
            values, by_model = self._inputs[number - 1], np.ascontiguousarray(error.transpose(1, 0, 2))
            gradients[number] = np.matmul(values.transpose(1, 2, 0), by_model)
            back = np.matmul(by_model, self._kernels[number].transpose(0, 2, 1)).transpose(1, 0, 2)
            # `values` is zero both where the ReLU is flat and where dropout has dropped: neither hands the error on.
            error = back * (values > 0) * np.float32(kept_factor(self._dropout))
        return gradients

    @property
    def arrays(self) -> list[np.ndarray]:
        """The kernels of the layers, float32 (n_in, n_models * n_out) and then (n_models, n_in, n_out); then the
        biases, float32 (n_models, n_out)."""
        return [*self._kernels, *self._biases]

    def set_arrays(self, arrays: Sequence[np.ndarray]) -> None:
        """Takes what was trained elsewhere, in the form of `arrays`."""
        for own, trained in zip(self.arrays, arrays, strict=True):
            own[...] = trained

    def layers_of(self, model: int) -> Layers:
        """A copy of the layers of one model."""
        layers = []
        for number, width in enumerate(self._widths):
            kernel = self._kernels[number]
            own = kernel[:, model * width : (model + 1) * width] if number == 0 else kernel[model]
            layers.append((own.copy(), self._biases[number][model].copy()))
        return tuple(layers)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The loss of each answer in nats, float (...). logits: float (..., n_classes). labels: int (...)."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    right = np.take_along_axis(shifted, labels[..., None], axis=-1)[..., 0]
    return np.asarray(np.log(np.exp(shifted).sum(axis=-1)) - right)


def softmax(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (..., n_classes), and the logarithm of the sum of the exponentials (...), of the last axis."""
    largest = logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(logits - largest)
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / total, (np.log(total) + largest)[..., 0]


def _drop(values: np.ndarray, share: float, random: np.random.Generator) -> None:
    """Inverted dropout in place; one random byte a value is exact enough and eight times cheaper than a double."""
    kept = np.frombuffer(random.bytes(values.size), dtype=np.uint8).reshape(values.shape) >= dropped_of_256(share)
    values *= kept
    values *= np.float32(kept_factor(share))


def dropped_of_256(share: float) -> int:
    """The share that dropout drops, in 256ths."""
    return round(share * 256)


def kept_factor(share: float) -> float:
    """The factor by which dropout raises what it keeps, so that the mean stays."""
    return 256 / (256 - dropped_of_256(share))

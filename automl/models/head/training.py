"""Heads on frozen features: every cross-validation fold, each repeat of the folds and the final model train at once.

A linear head is softmax(features @ kernel + bias); a head with hidden layers puts ReLU layers in front. The folds
differ only in the rows that they may learn from, so they share each pass over the features; the last of the models
learns from every row and is the one that is delivered. Early stopping looks at the held-out rows of the folds, and the
delivered model is taken at the same epoch.

NumPy does all of it: such a model is too small for TensorFlow's graphs to pay, and the first model of a run need not
wait for TensorFlow's import.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from automl.errors import HeadTooLarge, TrialFailed

Layers = tuple[tuple[np.ndarray, np.ndarray], ...]
"""Kernel float32 (n_in, n_out) and bias float32 (n_out,) of each dense layer; ReLU between them, softmax behind."""

_BETA_1, _BETA_2, _EPSILON, _MOMENTUM = 0.9, 0.999, 1e-7, 0.9
# SGD's steps follow the gradient, which is this much smaller than Adam's steps for kernels on such features; that of
# biases and of what lies behind a hidden layer is not, and 300 would leave such a layer dead.
_SGD_RATE, _SGD_OTHER_RATE = 300.0, 10.0
_DEEPER_RATE = 0.1  # kernels behind a hidden layer are smaller than those on the features
_PLATEAU_FACTOR, _PLATEAU_SHARE = 0.3, 0.5
_EPOCHS_OF_1000_ROWS, _FEWEST_EPOCHS = 60, 15
_CHUNK = 2048
_MANY_PARAMETERS = 5_000_000
_MOST_BYTES = 3_000_000_000
_ARRAYS_A_PARAMETER = 6  # kernel, gradient, AdamW's three, and the best so far


class Features(Protocol):
    """What a head is trained on; see `search.joined.Joined`."""

    @property
    def n_rows(self) -> int: ...

    @property
    def n_features(self) -> int: ...

    def take(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), n_features), of about unit norm a row."""
        ...

    def take_mirrored(self, rows: np.ndarray) -> np.ndarray:
        """The same of the mirrored photos."""
        ...


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How to train a head.

    `dropout`: share of the inputs of each layer that is dropped, 0-1. `learning_rate`: the schedule's peak.
    `lr_schedule`: one of `limits.LR_SCHEDULES`. `patience`: epochs without a lower validation loss, None to train all
    `max_epochs`. `hidden_units`: of the layers before the last. `optimizer`: "adamw" or "sgd" (Nesterov momentum).
    `class_weighting`: "none", or "balanced" to give each class the same weight in the loss. `mirrored`: learn from the
    mirrored photos too.
    """

    dropout: float
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    lr_schedule: str
    patience: int | None
    max_epochs: int = _EPOCHS_OF_1000_ROWS
    hidden_units: tuple[int, ...] = ()
    optimizer: str = "adamw"
    class_weighting: str = "none"
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Targets:
    """What every head is scored against.

    `labels`: int (n_rows,), 0 <= label < n_classes. `folds`: int (n_rows, n_repeats), the fold that holds the row out
    in each repeat, or -1 for rows that are always learnt from. `n_folds`: in each repeat; 1 is a plain hold-out.
    """

    labels: np.ndarray
    folds: np.ndarray
    n_folds: int
    n_classes: int

    @property
    def n_repeats(self) -> int:
        return int(self.folds.shape[1])

    @property
    def scored(self) -> np.ndarray:
        """bool (n_rows,): rows that some fold holds out."""
        return np.asarray(self.folds[:, 0] >= 0)


@dataclass(frozen=True, slots=True)
class Curves:
    """One value an epoch; validation is the held-out rows of all folds together. Accuracies are 0-1, losses in nats."""

    train_loss: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class HeadFit:
    """A trained head.

    `layers`: of the model that saw every row. `fold_layers`: of the models of the first repeat, fold after fold, each
    of which has not seen its own fold's rows; only of linear heads. `held_out_logits`: float32 (n_repeats, n_rows,
    n_classes), each row by the fold that had not seen it, NaN where no fold held it out. `accuracy`, `loss`: over those
    rows, at `best_epoch` (counted from 1).
    """

    layers: Layers
    fold_layers: tuple[Layers, ...]
    held_out_logits: np.ndarray
    accuracy: float
    loss: float
    best_epoch: int
    curves: Curves


OnEpoch = Callable[[int, np.ndarray], None]
"""Takes the epoch, counted from 1, and the held-out logits so far; an exception that it raises ends the training."""

OnStep = Callable[[], bool]
"""Called after each batch. True: the training ends here, with what there is; it may raise, too."""


def max_epochs(n_rows: int) -> int:
    """How long a training may last: large sets take more steps in an epoch and need fewer of them."""
    return int(max(_FEWEST_EPOCHS, _EPOCHS_OF_1000_ROWS * min(1.0, math.sqrt(1000 / max(1, n_rows)))))


def schedule_factor(name: str, done: np.ndarray) -> np.ndarray:
    """The learning-rate schedule as a factor of its peak, for `done`: 0 at the first step, 1 at the last.

    Raises:
        ValueError: no schedule has this name. "reduce_on_plateau" is constant here: what lowers it is the loss.
    """
    match name:
        case "constant" | "reduce_on_plateau":
            return np.ones_like(done)
        case "cosine":
            return np.asarray(0.5 * (1 + np.cos(np.pi * done)))
        case "one_cycle":
            rise = np.clip(done / 0.3, 0, 1)
            fall = np.clip((done - 0.3) / 0.7, 0, 1)
            return np.where(done < 0.3, 0.04 + 0.96 * rise, 0.5 * (1 + np.cos(np.pi * fall)))
        case "exponential":
            return np.asarray(np.exp(done * math.log(0.01)))
    raise ValueError(f"unknown learning-rate schedule {name!r}")


class Plateau:
    """The factor of the schedule "reduce_on_plateau"; 1 for every other one.

    `patience`: of early stopping; after half of it without an improvement the rate is lowered.
    """

    def __init__(self, schedule: str, patience: int) -> None:
        self.factor = 1.0
        self._is_used = schedule == "reduce_on_plateau"
        self._wait = max(1, round(patience * _PLATEAU_SHARE))
        self._waited = 0

    def after_epoch(self, improved: bool) -> None:
        self._waited = 0 if improved else self._waited + 1
        if self._is_used and self._waited >= self._wait:
            self.factor *= _PLATEAU_FACTOR
            self._waited = 0


class LearningRate:
    """The learning rate at every step of a training that may end early; `patience`: see `Plateau`."""

    def __init__(self, schedule: str, peak: float, steps_per_epoch: int, max_epochs: int, patience: int) -> None:
        self._schedule = schedule
        self._peak = peak
        self._steps_per_epoch = steps_per_epoch
        self._total = max_epochs * steps_per_epoch
        self._plateau = Plateau(schedule, patience)

    def epoch(self, epoch: int) -> np.ndarray:
        """float32 (steps_per_epoch,) for `epoch`, counted from 0."""
        steps = epoch * self._steps_per_epoch + np.arange(self._steps_per_epoch)
        shape = schedule_factor(self._schedule, steps / max(1, self._total - 1))
        return np.asarray(self._peak * self._plateau.factor * shape, dtype=np.float32)

    def after_epoch(self, improved: bool) -> None:
        self._plateau.after_epoch(improved)


def class_weights(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """float32 (n_classes,): the mean weight of a row is 1, and every class weighs the same in all."""
    counts = np.bincount(labels, minlength=n_classes)
    weights = len(labels) / (max(1, (counts > 0).sum()) * np.maximum(counts, 1))
    return np.asarray(weights, dtype=np.float32)


def fit_head(
    features: Features,
    targets: Targets,
    settings: HeadSettings,
    seed: int,
    on_epoch: OnEpoch = lambda _epoch, _logits: None,
    on_step: OnStep = lambda: False,
) -> HeadFit:
    """Trains one head on every fold of every repeat, and on all rows, at once.

    A batch that does not fit into memory is halved, as is what is validated at once, and the training begins anew.

    Raises:
        TrialFailed: the loss was not a number from the first epoch on, or a single row does not fit into memory.
        HeadTooLarge: its parameters would not fit into memory.
    """
    width = (*settings.hidden_units, targets.n_classes)[0]
    n_parameters = features.n_features * width * (targets.n_repeats * targets.n_folds + 1)
    if (n_bytes := 4 * _ARRAYS_A_PARAMETER * n_parameters) > _MOST_BYTES:
        raise HeadTooLarge(f"A head of this width would need {n_bytes / 1e9:.0f} GB of memory for all its folds.")
    batch_size = _first_batch_size(features.n_rows)
    while True:
        try:
            # Matrices this small gain nothing from a second thread, and where other work keeps the cores busy, threads
            # that wait for each other by spinning make a training ten times slower.
            with threadpool_limits(1 if n_parameters < _MANY_PARAMETERS else None, "blas"):
                return _fit(features, targets, settings, seed, on_epoch, on_step, batch_size)
        except MemoryError:
            if batch_size == 1:
                raise TrialFailed("There is too little memory for this head.") from None
            batch_size //= 2


def _first_batch_size(n_rows: int) -> int:
    return int(max(1, min(n_rows, np.clip(n_rows // 16, 32, 512))))


def _fit(
    features: Features,
    targets: Targets,
    settings: HeadSettings,
    seed: int,
    on_epoch: OnEpoch,
    on_step: OnStep,
    batch_size: int,
) -> HeadFit:
    training = _Training(features, targets, settings, seed, batch_size, on_step)
    for epoch in range(settings.max_epochs):
        goes_on = training.epoch(epoch)
        on_epoch(epoch + 1, training.held_out_logits)
        if not goes_on:
            break
    return training.result()


class _Training:
    def __init__(
        self,
        features: Features,
        targets: Targets,
        settings: HeadSettings,
        seed: int,
        batch_size: int,
        on_step: OnStep,
    ) -> None:
        self._features, self._targets, self._settings = features, targets, settings
        self._on_step, self._is_cut_short = on_step, False
        self._random = np.random.default_rng(seed)
        n_rows, n_classes = features.n_rows, targets.n_classes
        self._chunk = max(1, round(min(_CHUNK, n_rows) * batch_size / _first_batch_size(n_rows)))
        self._n_models = targets.n_repeats * targets.n_folds + 1
        self._own_model = np.where(
            targets.folds >= 0, targets.folds + np.arange(targets.n_repeats) * targets.n_folds, self._n_models
        )
        learnt = np.ones((n_rows, self._n_models + 1), dtype=np.float32)
        np.put_along_axis(learnt, self._own_model, 0.0, axis=1)
        self._learnt = learnt[:, : self._n_models]
        self._class_weights = np.ones(n_classes, dtype=np.float32)
        if settings.class_weighting == "balanced":
            self._class_weights = class_weights(targets.labels, n_classes)
            self._learnt = self._learnt * self._class_weights[targets.labels, None]
        smoothing = settings.label_smoothing
        one_hot = np.eye(n_classes, dtype=np.float32)
        self._smoothed = one_hot * np.float32(1 - smoothing) + np.float32(smoothing / n_classes)
        self._network = _Network(features.n_features, n_classes, self._n_models, settings, self._random)
        self._steps_per_epoch = math.ceil(n_rows / batch_size)
        self._rate = LearningRate(
            settings.lr_schedule,
            settings.learning_rate,
            self._steps_per_epoch,
            settings.max_epochs,
            settings.patience or settings.max_epochs,
        )
        self.held_out_logits = np.full((targets.n_repeats, n_rows, n_classes), np.nan, dtype=np.float32)
        self._best: tuple[Layers, tuple[Layers, ...], np.ndarray] | None = None
        self._best_loss, self._best_epoch = math.inf, 0
        self._history: list[tuple[float, ...]] = []

    def epoch(self, epoch: int) -> bool:
        """One pass over the rows; False when early stopping says enough."""
        order = self._random.permutation(self._features.n_rows)
        trained = np.zeros(3)
        with np.errstate(over="ignore", invalid="ignore"):  # a training that diverges is told by its loss
            for rows, rate in zip(np.array_split(order, self._steps_per_epoch), self._rate.epoch(epoch), strict=True):
                trained += self._step(rows, float(rate))
                self._is_cut_short = self._on_step()
                if self._is_cut_short:
                    break
            loss, accuracy = self._validate()
        self._history.append((trained[0] / trained[2], trained[1] / trained[2], loss, accuracy))
        improved = loss < self._best_loss
        if improved or (self._settings.patience is None and math.isfinite(loss)):
            of_folds = range(0 if self._settings.hidden_units else self._targets.n_folds)
            self._best = (
                self._network.layers_of(self._n_models - 1),
                tuple(self._network.layers_of(fold) for fold in of_folds),
                self.held_out_logits.copy(),
            )
            self._best_loss, self._best_epoch = loss, epoch
        self._rate.after_epoch(improved)
        if self._is_cut_short:
            return False
        if self._settings.patience is None:
            return math.isfinite(loss)
        return math.isfinite(loss) and epoch - self._best_epoch < self._settings.patience

    def _step(self, rows: np.ndarray, rate: float) -> np.ndarray:
        """Returns the sums of loss, right answers and weights over the rows and models that learn from them."""
        x = self._batch(rows)
        logits = self._network.forward(x, self._random)
        labels, learnt = self._targets.labels[rows], self._learnt[rows]
        probabilities, log_of_sum = _softmax(logits)
        right = logits.argmax(axis=2) == labels[:, None]
        loss = log_of_sum - np.take_along_axis(logits, labels[:, None, None], axis=2)[:, :, 0]
        sums = np.array([(loss * learnt).sum(), (right * learnt).sum(), learnt.sum()])
        probabilities -= self._smoothed[labels][:, None, :]
        probabilities *= (learnt / np.maximum(learnt.sum(axis=0), 1e-6))[:, :, None]
        self._network.backward(x, probabilities, rate)
        return sums

    def _batch(self, rows: np.ndarray) -> np.ndarray:
        x = self._features.take(rows)
        if self._settings.mirrored:
            mirrored = self._random.random(len(rows)) < 0.5
            x[mirrored] = self._features.take_mirrored(rows[mirrored])
        return x

    def _validate(self) -> tuple[float, float]:
        """Loss and accuracy of the held-out rows, by the model that did not learn from them.

        Where the classes are weighted in training they are here too, or early stopping would end what lifts rare ones.
        """
        targets = self._targets
        loss = weight = right = n = 0.0
        for start in range(0, self._features.n_rows, self._chunk):
            rows = np.arange(start, min(start + self._chunk, self._features.n_rows))
            rows = rows[targets.scored[rows]]
            if not len(rows):
                continue
            logits = self._network.logits(self._features.take(rows))
            own = np.take_along_axis(logits, self._own_model[rows][:, :, None], axis=1)
            self.held_out_logits[:, rows] = own.transpose(1, 0, 2)
            labels = targets.labels[rows]
            losses = cross_entropy(own, np.repeat(labels[:, None], targets.n_repeats, axis=1))
            weights = self._class_weights[labels]
            loss += float((losses * weights[:, None]).sum())
            weight += float(weights.sum()) * targets.n_repeats
            right += float((own.argmax(axis=2) == labels[:, None]).sum())
            n += len(rows) * targets.n_repeats
        return loss / max(weight, 1e-9), right / max(n, 1.0)

    def result(self) -> HeadFit:
        if self._best is None:
            raise TrialFailed("The training diverged: its loss is not a number.")
        layers, fold_layers, logits = self._best
        curves = Curves(*(tuple(float(value) for value in column) for column in zip(*self._history, strict=True)))
        return HeadFit(
            layers=layers,
            fold_layers=fold_layers,
            held_out_logits=logits,
            accuracy=curves.validation_accuracy[self._best_epoch],
            loss=curves.validation_loss[self._best_epoch],
            best_epoch=self._best_epoch + 1,
            curves=curves,
        )


class _Network:
    """The dense layers of all models side by side.

    The first layer reads the same features for every model, so its kernels lie in one matrix (n_in, n_models * n_out);
    those behind it have a stack of matrices (n_models, n_in, n_out).
    """

    def __init__(
        self, n_features: int, n_classes: int, n_models: int, settings: HeadSettings, random: np.random.Generator
    ) -> None:
        self._n_models = n_models
        self._dropout, self._decay = settings.dropout, settings.weight_decay
        self._widths = (*settings.hidden_units, n_classes)
        self._kernels, self._biases = [], []
        n_in = n_features
        for number, n_out in enumerate(self._widths):
            is_last = number == len(self._widths) - 1
            # Features have unit norm, hidden units unit size. The last layer starts by saying nothing.
            spread = 0.0 if is_last else 1.0 if number == 0 else math.sqrt(2 / n_in)
            start = (random.standard_normal((n_in, n_out)) * spread).astype(np.float32)
            stacked = np.tile(start, (1, n_models)) if number == 0 else np.tile(start, (n_models, 1, 1))
            self._kernels.append(stacked)
            self._biases.append(np.zeros((n_models, n_out), dtype=np.float32))
            n_in = n_out
        arrays = (*self._kernels, *self._biases)
        self._optimizers: list[_Optimizer] = [
            _Sgd(array, _SGD_OTHER_RATE if number else _SGD_RATE) if settings.optimizer == "sgd" else _AdamW(array)
            for number, array in enumerate(arrays)
        ]
        self._inputs: list[np.ndarray] = []

    def logits(self, x: np.ndarray) -> np.ndarray:
        """float32 (n_rows, n_models, n_classes)."""
        return self._pass(x, None)

    def forward(self, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The same in training: with dropout, in place on `x`; remembers what `backward` needs."""
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
        """One step of the optimiser; `error`: derivative of the loss by the logits (n_rows, n_models, n_classes)."""
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
            error = back * (values > 0) * np.float32(_kept_factor(self._dropout))
        arrays = [*self._kernels, *self._biases]
        for number, (array, optimizer) in enumerate(zip(arrays, self._optimizers, strict=True)):
            is_kernel, is_deeper = number < n, number % n > 0
            step = rate * (_DEEPER_RATE if is_deeper else 1.0)
            if is_kernel:
                array *= np.float32(1 - step * self._decay)
            optimizer.step(array, gradients[number], step)

    def layers_of(self, model: int) -> Layers:
        layers = []
        for number, width in enumerate(self._widths):
            kernel = self._kernels[number]
            own = kernel[:, model * width : (model + 1) * width] if number == 0 else kernel[model]
            layers.append((own.copy(), self._biases[number][model].copy()))
        return tuple(layers)


class _Optimizer(Protocol):
    def step(self, array: np.ndarray, gradient: np.ndarray, rate: float) -> None: ...


class _AdamW:
    """Decoupled weight decay (Loshchilov and Hutter, 2019) is the caller's."""

    def __init__(self, array: np.ndarray) -> None:
        self._m, self._v = np.zeros_like(array), np.zeros_like(array)
        self._scratch = np.empty_like(array)
        self._n_steps = 0

    def step(self, array: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        self._n_steps += 1
        m, v, scratch = self._m, self._v, self._scratch
        m *= np.float32(_BETA_1)
        np.multiply(gradient, np.float32(1 - _BETA_1), out=scratch)
        m += scratch
        v *= np.float32(_BETA_2)
        np.multiply(gradient, gradient, out=scratch)
        scratch *= np.float32(1 - _BETA_2)
        v += scratch
        correction = math.sqrt(1 - _BETA_2**self._n_steps) / (1 - _BETA_1**self._n_steps)
        np.sqrt(v, out=scratch)
        scratch += np.float32(_EPSILON)
        np.divide(m, scratch, out=scratch)
        scratch *= np.float32(rate * correction)
        array -= scratch


class _Sgd:
    """Nesterov's momentum. `factor`: of every rate."""

    def __init__(self, array: np.ndarray, factor: float) -> None:
        self._factor = factor
        self._velocity = np.zeros_like(array)

    def step(self, array: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        step = np.float32(rate * self._factor) * gradient
        self._velocity *= np.float32(_MOMENTUM)
        self._velocity -= step
        array += np.float32(_MOMENTUM) * self._velocity
        array -= step


def _drop(values: np.ndarray, share: float, random: np.random.Generator) -> None:
    """Inverted dropout in place; one random byte a value is exact enough and eight times cheaper than a double."""
    kept = np.frombuffer(random.bytes(values.size), dtype=np.uint8).reshape(values.shape) >= _dropped_of_256(share)
    values *= kept
    values *= np.float32(_kept_factor(share))


def _dropped_of_256(share: float) -> int:
    return round(share * 256)


def _kept_factor(share: float) -> float:
    """By which dropout raises what it keeps."""
    return 256 / (256 - _dropped_of_256(share))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """In nats, (...), of each answer: logits (..., n_classes), labels int (...)."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    right = np.take_along_axis(shifted, labels[..., None], axis=-1)[..., 0]
    return np.asarray(np.log(np.exp(shifted).sum(axis=-1)) - right)


def _softmax(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and the logarithm of the sum of exponentials, over the last axis."""
    largest = logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(logits - largest)
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / total, (np.log(total) + largest)[..., 0]

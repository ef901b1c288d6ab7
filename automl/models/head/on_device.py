"""Training of heads on a GPU: several heads and all their folds in one pass over features that stay there.

The course of each training (its random numbers, learning rate, early stopping, curves) is that of `HeadTraining`; only
the steps and the answers to held-out rows are computed on the device. It runs on a CPU as well, where it is tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import structlog

from automl.errors import TrialFailed
from automl.models.head.compiled_steps import N_STEPS_A_CALL, gain_of_compiling
from automl.models.head.device_steps import Graph, Learned, State, Steps, own_logits_function, slots_of, train_function
from automl.models.head.network import dropped_of_256
from automl.models.head.resident import ResidentFeatures, ViewedFeatures
from automl.models.head.settings import Targets
from automl.models.head.training import (
    HeadFit,
    HeadTraining,
    PlannedHead,
    first_batch_size,
    mean_of,
)
from automl.models.memory import is_out_of_memory
from automl.models.quiet_tensorflow import import_tensorflow
from automl.text.messages import search as search_messages

_log = structlog.stdlib.get_logger(__name__)

DEVICE_OPTIMIZERS = ("adamw", "sgd")

resident = ResidentFeatures()
"""The features of this process that are on the device."""


def fit_heads(features: ViewedFeatures, targets: Targets, planned: Sequence[PlannedHead]) -> list[HeadFit | Exception]:
    """Trains heads side by side, each on every fold of every repeat and on all rows.

    Where memory does not suffice, the features of other trials are taken off the device; then the training begins anew
    with half of the heads, and a single one with batches of half the size.

    Args:
        features: the features of the photos.
        targets: their classes and folds.
        planned: the heads; they agree in `hidden_units` and `optimizer`.

    Returns:
        For each head its training, or what ended it without a model: see `fit_head`, and what its callbacks raised.
    """
    import_tensorflow()
    batch_size = first_batch_size(features.n_rows)
    compiled = _compiling_pays(math.ceil(features.n_rows / batch_size), planned)
    while True:
        try:
            return _Pass(features, targets, planned, batch_size=batch_size, compiled=compiled).run()
        except Exception as error:
            if not is_out_of_memory(error):
                if not compiled:
                    raise
                _log.info("heads of this shape do not compile here", exc_info=error)
                compiled = False
                continue
            resident.clear()
            if len(planned) > 1:
                half = len(planned) // 2
                return [*fit_heads(features, targets, planned[:half]), *fit_heads(features, targets, planned[half:])]
            if batch_size == 1:
                raise TrialFailed(search_messages.NO_MEMORY_FOR_HEAD) from None
            batch_size //= 2


def _compiling_pays(n_steps: int, planned: Sequence[PlannedHead]) -> bool:
    """Whether XLA makes the pass quicker, should no head end early. n_steps: of an epoch."""
    n_calls = math.ceil(n_steps / N_STEPS_A_CALL) * max(plan.settings.max_epochs for plan in planned)
    n_shapes = 2 if n_steps > N_STEPS_A_CALL and n_steps % N_STEPS_A_CALL else 1  # the last call of an epoch is shorter
    return gain_of_compiling().pays(n_calls, n_shapes)


class _Pass:
    """One attempt at training some heads with a given size of batch, compiled by XLA or not."""

    def __init__(
        self,
        features: ViewedFeatures,
        targets: Targets,
        planned: Sequence[PlannedHead],
        *,
        batch_size: int,
        compiled: bool,
    ) -> None:
        import tensorflow as tf

        self._targets, self._planned, self._n_rows = targets, planned, features.n_rows
        settings = [plan.settings for plan in planned]
        self._trainings = [
            HeadTraining(features, targets, plan.settings, seed=plan.seed, batch_size=batch_size) for plan in planned
        ]
        self._outcomes: list[HeadFit | Exception | None] = [None] * len(planned)
        first = self._trainings[0]
        self._n_layers = len(settings[0].hidden_units) + 1
        self._graph = Graph(
            n_layers=self._n_layers,
            n_heads=len(planned),
            optimizer=settings[0].optimizer,
            drops=any(one.dropout > 0 for one in settings),
            mirrors=any(one.mirrored for one in settings),
            compiled=compiled,
        )
        views = features.views if self._graph.mirrors else features.views[:1]
        self._learned = Learned(
            matrices=resident.matrices(views),
            labels=tf.constant(targets.labels, tf.int32),
            weights=tf.constant(np.stack([one.learned for one in self._trainings])),
            smoothed=tf.constant(np.stack([one.smoothed for one in self._trainings])),
            decay=tf.constant([one.weight_decay for one in settings], tf.float32),
            dropout=tf.constant([dropped_of_256(one.dropout) / 256 for one in settings], tf.float32),
        )
        stacked = zip(*(one.network.arrays for one in self._trainings), strict=True)
        arrays = tuple(tf.constant(np.stack(alike)) for alike in stacked)
        self._state = State(arrays, slots_of(self._graph.optimizer, arrays), tf.constant(0.0), self._no_sums())
        self._scored = np.flatnonzero(targets.scored)
        self._own_model = first.own_model
        self._n_steps, self._chunk = first.steps_per_epoch, first.chunk
        self._is_cut_short = False

    def run(self) -> list[HeadFit | Exception]:
        """Trains until every head has ended."""
        epoch = 0
        while not all(self._outcomes) and not self._is_cut_short:
            self._train_epoch(epoch)
            self._validate(epoch)
            epoch += 1
        return [outcome or self._guarded(training.result) for outcome, training in self._ended()]

    def _ended(self) -> list[tuple[HeadFit | Exception | None, HeadTraining]]:
        return list(zip(self._outcomes, self._trainings, strict=True))

    @staticmethod
    def _guarded(work: Callable[[], HeadFit]) -> HeadFit | Exception:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - what ends one head is its own outcome
            return error

    def _train_epoch(self, epoch: int) -> None:
        import tensorflow as tf

        train = train_function(self._graph)
        drawn = [
            self._drawn(training, plan, epoch) for training, plan in zip(self._trainings, self._planned, strict=True)
        ]
        rows, mirrored, rates = (np.stack(parts) for parts in zip(*drawn, strict=True))
        self._state = self._state._replace(sums=self._no_sums())
        for start in range(0, self._n_steps, N_STEPS_A_CALL):
            part = slice(start, start + N_STEPS_A_CALL)
            seeds = [[plan.seed, epoch * self._n_steps + start] for plan in self._planned]
            steps = Steps(
                tf.constant(rows[:, part], tf.int32),
                tf.constant(mirrored[:, part]),
                tf.constant(rates[:, part], tf.float32),
                tf.constant(np.array(seeds, np.int64) % 2**31, tf.int32),
            )
            self._state = train(self._state, self._learned, steps)
            self._ask_the_clock()
            if self._is_cut_short or all(self._outcomes):
                break

    def _drawn(
        self, training: HeadTraining, plan: PlannedHead, epoch: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, which of them are mirrored, and learning rates of an epoch, in the order in which NumPy draws them."""
        order = training.random.permutation(self._n_rows)
        batches = np.array_split(order, self._n_steps)
        rows = np.full((self._n_steps, len(batches[0])), -1)
        mirrored = np.zeros(rows.shape, bool)
        for number, batch in enumerate(batches):
            rows[number, : len(batch)] = batch
            if plan.settings.mirrored:
                mirrored[number, : len(batch)] = training.random.random(len(batch)) < 0.5
        return rows, mirrored, training.rate.epoch(min(epoch, plan.settings.max_epochs - 1))

    def _ask_the_clock(self) -> None:
        for place, plan in enumerate(self._planned):
            if self._outcomes[place] is None:
                try:
                    self._is_cut_short = plan.on_step() or self._is_cut_short
                except Exception as error:  # noqa: BLE001 - what ends one head is its own outcome
                    self._outcomes[place] = error

    def _validate(self, epoch: int) -> None:
        own_logits = own_logits_function(self._n_layers)
        sums = np.zeros((len(self._planned), 4))
        for start in range(0, len(self._scored), self._chunk):
            rows = self._scored[start : start + self._chunk]
            models = self._own_model[rows]
            logits = own_logits(
                self._state.arrays, self._learned.matrices[0], rows.astype(np.int32), models.astype(np.int32)
            ).numpy()
            for place, training in enumerate(self._trainings):
                if self._outcomes[place] is None:
                    sums[place] += training.take_held_out(rows, logits[place])
        arrays = [array.numpy() for array in self._state.arrays]
        for place, (train, held_out) in enumerate(zip(self._state.sums.numpy(), sums, strict=True)):
            if self._outcomes[place] is None:
                self._trainings[place].network.set_arrays([array[place] for array in arrays])
                self._outcomes[place] = self._take_epoch(place, epoch, train, mean_of(held_out))

    def _take_epoch(
        self, place: int, epoch: int, train: np.ndarray, held_out: tuple[float, float]
    ) -> HeadFit | Exception | None:
        """What the head has come to after an epoch; None where it goes on."""
        training, plan = self._trainings[place], self._planned[place]
        loss, right, weight = train.tolist()
        try:
            goes_on = training.take_epoch(epoch, (loss / weight, right / weight), held_out)
            plan.on_epoch(epoch + 1, training.held_out_logits)
            return None if goes_on and epoch + 1 < plan.settings.max_epochs else training.result()
        except Exception as error:  # noqa: BLE001 - what ends one head is its own outcome
            return error

    def _no_sums(self) -> object:
        import tensorflow as tf

        return tf.zeros((len(self._planned), 3))

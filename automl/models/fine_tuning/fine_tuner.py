"""Fine-tuning a backbone from the best frozen-feature head, on the photos or from activations stored at a cut."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from automl.errors import TrialFailed
from automl.models.fine_tuning.batches import ActivationBatches, Batches, OnWork, PhotoBatches
from automl.models.fine_tuning.fine_tuned import FineTuned
from automl.models.fine_tuning.network import Batch, NetworkKind, TrainableNetwork
from automl.models.fine_tuning.precision_probe import best_precision
from automl.models.fine_tuning.progress import Progress, ShuffledRows, class_weights, loss_and_accuracy
from automl.models.fine_tuning.settings import FineTuneSettings
from automl.models.head.network import Layer
from automl.models.memory import is_out_of_memory
from automl.models.numerics import deterministic_ops
from automl.models.precision import PLAIN
from automl.models.timing import quickest_s
from automl.models.weights.cache import InstalledWeights
from automl.text.messages import search as search_messages

STEPS_PER_EPOCH = 64
"""The most whole batches in an epoch: on a large data set an epoch is a part of it, so that a trial reports often."""

OnTunedEpoch = Callable[[int, np.ndarray], bool]
"""Takes the epoch, counted from 1, and the held-out logits (n_held_out, n_classes); True ends the training."""

_SETTLE_IMAGES = 96
_STEPS_PER_CHECK = 16  # the loss is on the device, and asking for it makes the host wait

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Rows:
    """The photos of one training, int indices into all photos.

    Attributes:
        train: are learned from.
        held_out: are predicted after each epoch; may be empty.
    """

    train: np.ndarray
    held_out: np.ndarray


class FineTuner:
    """Fine-tunes one backbone with one set of settings. One at a time in a process: networks of one kind are shared.

    Args:
        pixels: uint8 (n, side, side, 3), may be memory-mapped and larger than `settings.image_size_px`.
        labels: int (n,), 0 <= label < n_classes.
        n_classes: the number of classes.
        installed: the pretrained backbone.
        head: the starting point: kernel (n_features, n_classes) and bias (n_classes,) on pooled taps.
        settings: how to fine-tune.
        seed: of all that is drawn at random.
        scratch: folder for stored activations, which are removed by `close`; the system's own by default.
        deterministic: the same seed gives the same model on the same machine: no stopwatch chooses the precision, which
            stays float32, and operations add up in a fixed order, which makes a GPU slower.

    Attributes:
        best: the best epoch of the latest `fit`, also of one that was ended from outside; None before its first epoch.
        batch_size: the number of photos that fit into memory at once, as far as is known.
    """

    def __init__(
        self,
        *,
        pixels: np.ndarray,
        labels: np.ndarray,
        n_classes: int,
        installed: InstalledWeights,
        head: Layer,
        settings: FineTuneSettings,
        seed: int,
        scratch: Path | None = None,
        deterministic: bool = False,
    ) -> None:
        self.best: FineTuned | None = None
        self.batch_size = settings.batch_size
        self._labels = np.asarray(labels)
        self._one_hot = np.eye(n_classes, dtype=np.float32)[self._labels]
        self._settings, self._seed, self._is_deterministic = settings, seed, deterministic
        self._head = head
        self._class_weights = class_weights(self._one_hot, settings.class_weighting)
        self._prepare_s_per_view = 0.0
        self._network = _network(
            NetworkKind(
                weights=installed,
                taps=settings.taps,
                is_unit=settings.is_unit,
                depth=settings.depth,
                n_classes=n_classes,
                adapts_batch_norm=settings.bn == "adapt",
                precision=PLAIN if deterministic else best_precision(installed),
                deterministic=deterministic,
            )
        )
        self._photos = PhotoBatches(pixels, settings.image_size_px, settings.policy)
        self._folder: Path | None = None
        self._stored: ActivationBatches | None = None
        if settings.depth:
            self._folder = Path(tempfile.mkdtemp(prefix="activations-", dir=scratch))
            self._stored = ActivationBatches(
                photos=self._photos,
                stem=self._network.stem,
                policy=settings.policy,
                n_photos=len(pixels),
                folder=self._folder,
                seed=seed,
            )
        self._batches: Batches = self._stored or self._photos

    def close(self) -> None:
        """Removes the stored activations."""
        if self._stored is not None:
            self._stored.clear()  # the disk has its blocks back only once nothing maps them
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> FineTuner:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def steps_per_epoch(self, n_rows: int) -> int:
        """The number of training steps in an epoch on `n_rows` photos."""
        return math.ceil(self._photos_per_epoch(n_rows) / self._size_of_batch(n_rows))

    def _photos_per_epoch(self, n_rows: int) -> int:
        return min(n_rows, STEPS_PER_EPOCH * self._settings.batch_size)

    def _size_of_batch(self, n_rows: int) -> int:
        return max(1, min(self.batch_size, n_rows))

    def probe(self) -> tuple[float, float]:
        """Seconds for a training step of `batch_size` photos, and for a held-out photo; a few of each are timed.

        `fit` starts afresh all the same, and profits from the graphs that were traced here.

        Raises:
            TrialFailed: not even one photo at a time fits into memory.
        """
        with self._exactness():
            return self._timed()

    def _timed(self) -> tuple[float, float]:
        some = np.arange(len(self._labels))[: max(1, self.batch_size)]
        rows = _Rows(some, some[:0])
        self._start(some, self._head, _do_nothing)
        self._prepare(rows, _do_nothing)
        if self._stored is not None:
            self._stored.clear()  # the first time included tracing
            prepared_s = quickest_s(lambda: self._prepare(rows, _do_nothing), 1)
            self._prepare_s_per_view = prepared_s / (len(some) * self._stored.n_views)
        random = np.random.default_rng(self._seed)
        n_rows = len(self._labels)

        def step() -> None:
            self._step(np.resize(some, self._size_of_batch(n_rows)), random, 0.0)
            self._network.take_totals()

        self._halving(step)
        step_s = quickest_s(step, 2)
        self._halving(lambda: self._predict(some, _do_nothing))
        image_s = quickest_s(lambda: self._predict(some, _do_nothing), 1) / len(some)
        if self._stored is not None:
            self._stored.clear()  # `fit` draws the same views whether it was timed before or not
        return step_s, image_s

    def preparation_s(self, n_train: int, n_held_out: int = 0) -> float:
        """Predicts the seconds for computing the activations of so many photos once; `probe` has to come first."""
        n_views = self._stored.n_views if self._stored else 0
        return self._prepare_s_per_view * (n_train * n_views + n_held_out)

    def fit(
        self,
        train_rows: np.ndarray,
        held_out_rows: np.ndarray,
        *,
        on_work: OnWork,
        on_epoch: OnTunedEpoch = lambda *_: False,
        head: Layer | None = None,
    ) -> FineTuned:
        """Trains from the pretrained backbone and a head; `best` is kept up to date meanwhile.

        Args:
            train_rows: int, indices of the photos that are learned from.
            held_out_rows: int, indices of the photos that early stopping watches; may be empty.
            on_work: is called after each training step and each predicted batch, and may raise to end the training.
            on_epoch: is called after each epoch.
            head: the starting point instead of the one that was given at first. It must not have learned from the
                held-out photos, or their score would be too optimistic.

        Raises:
            TrialFailed: the loss was not a number in the first epoch, or one photo at a time does not fit into memory.
        """
        self.best = None
        rows = _Rows(train_rows, held_out_rows)
        with self._exactness():
            self._start(train_rows, head or self._head, on_work)
            self._prepare(rows, on_work)
            self._train(rows, on_work, on_epoch)
        if self.best is None:
            raise TrialFailed(search_messages.FINE_TUNING_DIVERGED)
        return self.best

    def _exactness(self) -> AbstractContextManager[None]:
        return deterministic_ops() if self._is_deterministic else nullcontext()

    def _start(self, rows: np.ndarray, head: Layer, on_work: OnWork) -> None:
        """Standardises the head's inputs by some photos, as the heads on frozen features do: about unit norm a row."""
        self._network.reset()
        some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SETTLE_IMAGES)).astype(int)]
        raw = self._halving(partial(self._pooled, some, on_work))
        deviation = raw.std(axis=0)
        width = np.sqrt(self._network.n_features)
        scale = 1 / ((deviation + 0.05 * deviation.mean() + 1e-6) * width)
        self._network.set_head(head, mean=raw.mean(axis=0), scale=scale.astype(np.float32))

    def _pooled(self, rows: np.ndarray, on_work: OnWork) -> np.ndarray:
        pooled = []
        for part in self._parts(rows):
            pooled.append(self._network.pooled(self._inputs(part)))
            on_work()
        return np.concatenate(pooled)

    def _inputs(self, rows: np.ndarray) -> list[object]:
        images = list(self._photos.plain(rows))
        return list(self._network.stem(images[0])) if self._settings.depth else images

    def _parts(self, rows: np.ndarray) -> list[np.ndarray]:
        size = max(1, self.batch_size)
        return [rows[start : start + size] for start in range(0, len(rows), size)]

    def _prepare(self, rows: _Rows, on_work: OnWork) -> None:
        self._halving(
            lambda: self._batches.prepare(rows.train, rows.held_out, batch_size=self.batch_size, on_work=on_work)
        )

    def _train(self, rows: _Rows, on_work: OnWork, on_epoch: OnTunedEpoch) -> None:
        settings = self._settings
        progress = Progress(
            learning_rate=settings.learning_rate,
            warmup=settings.warmup,
            lr_schedule=settings.lr_schedule,
            patience=settings.patience,
            has_held_out=len(rows.held_out) > 0,
        )
        random = np.random.default_rng(self._seed)
        photos = ShuffledRows(rows.train, random)
        for epoch in range(1, settings.epochs + 1):
            if not self._train_epoch(epoch, photos=photos, random=random, progress=progress, on_work=on_work):
                break
            logits = self._take_epoch(epoch, held_out=rows.held_out, progress=progress, on_work=on_work)
            if on_epoch(epoch, logits) or progress.is_over(epoch):
                break

    def _train_epoch(
        self, epoch: int, *, photos: ShuffledRows, random: np.random.Generator, progress: Progress, on_work: OnWork
    ) -> bool:
        """Trains one epoch. Returns whether the loss still is a number."""
        n_photos = self._photos_per_epoch(photos.n)
        n_done, n_steps = 0, 0
        while n_done < n_photos:
            done = (epoch - 1 + n_done / n_photos) / self._settings.epochs
            rate = progress.rate(done)
            n_done += self._halving(partial(self._next_step, photos, random, rate))
            n_steps += 1
            if self._settings.ema:
                self._network.average(self._settings.ema)
            if n_steps % _STEPS_PER_CHECK == 0 and not self._network.is_finite():
                return False
            on_work()
        return self._network.is_finite()

    def _next_step(self, photos: ShuffledRows, random: np.random.Generator, rate: float) -> int:
        return self._step(photos.take(self._size_of_batch(photos.n)), random, rate)

    def _step(self, rows: np.ndarray, random: np.random.Generator, rate: float) -> int:
        """Learns from some photos. Returns their number."""
        inputs, mixing = self._batches.augmented(rows, random)
        hot = self._one_hot[rows]
        targets = hot if mixing is None else mixing.of_targets(hot)
        smoothing = self._settings.label_smoothing
        batch = Batch(
            inputs=inputs,
            targets=targets * (1 - smoothing) + smoothing / targets.shape[1],
            weights=targets @ self._class_weights,
        )
        self._network.step(
            batch,
            rate=rate,
            lr_decay=self._settings.lr_decay,
            weight_decay=self._settings.weight_decay,
            dropout=self._settings.dropout,
            seed=int(random.integers(2**31)),
        )
        return len(rows)

    def _take_epoch(self, epoch: int, *, held_out: np.ndarray, progress: Progress, on_work: OnWork) -> np.ndarray:
        """Validates after an epoch and keeps the network if it is the best so far. Returns the held-out logits."""
        train = self._network.take_totals()
        with self._network.averaged():
            logits = self._halving(lambda: self._predict(held_out, on_work))
            if progress.add(epoch, train, loss_and_accuracy(logits, self._labels[held_out])):
                weights, head = self._network.snapshot()
                self.best = FineTuned(
                    backbone=self._network.kind.weights.name,
                    weights=tuple(weights),
                    head=head,
                    held_out_logits=logits,
                    best_epoch=epoch,
                    curves=progress.curves,
                )
        if self.best is not None:
            self.best = replace(self.best, curves=progress.curves)
        return logits

    def _predict(self, rows: np.ndarray, on_work: OnWork) -> np.ndarray:
        logits = [np.zeros((0, self._one_hot.shape[1]), np.float32)]
        for part in self._parts(rows):
            logits.append(self._network.logits(self._batches.plain(part)))
            on_work()
        return np.concatenate(logits)

    def _halving(self, work: Callable[[], _T]) -> _T:
        """Does `work` again with half of the batch as long as memory does not suffice."""
        while True:
            try:
                return work()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if self.batch_size <= 1:
                    raise TrialFailed(search_messages.NO_MEMORY_TO_FINE_TUNE) from None
                self.batch_size //= 2


def _do_nothing() -> None:
    """A probe is too short to be interrupted."""


@lru_cache(maxsize=2)
def _network(kind: NetworkKind) -> TrainableNetwork:
    """Building and tracing take longer than many a training step, and the trials of a search are mostly of one kind."""
    return TrainableNetwork(kind)

"""Fine-tuning a backbone from the best frozen-feature head, on the photos or from activations stored at a cut."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from automl.errors import TrialFailed
from automl.models.backbones.table import build_backbone
from automl.models.features import has_gpu
from automl.models.fine_tuning.augment import Policy
from automl.models.fine_tuning.batches import ActivationBatches, Batches, OnStep, PhotoBatches
from automl.models.fine_tuning.network import NetworkKind, TrainableNetwork
from automl.models.fine_tuning.precision import fastest
from automl.models.fine_tuning.progress import Progress, Shuffled, class_weights, loss_and_accuracy
from automl.models.head.training import Curves
from automl.models.numerics import deterministic_ops
from automl.models.weights.cache import InstalledWeights

STEPS_PER_EPOCH = 64
"""Of whole batches, at most: on a large data set an epoch is a part of it, so that a trial reports often."""

OnEpoch = Callable[[int, np.ndarray], bool]
"""Gets the epoch, from 1, and the held-out logits, float32 (n_held_out, n_classes); True ends the training."""

_SETTLE_IMAGES = 96
_STEPS_PER_CHECK = 16
_PROBED_PX, _PROBED_BATCH = 160, 32

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FineTuneSettings:
    """How to fine-tune.

    `taps`: "last" or "several". `image_size_px`: what the network sees. `depth`: 0 trains everything; k >= 1 only what
    is behind the k-th of `Backbone.cuts`, counted from the end, with activations stored at that cut. `learning_rate`:
    of the deepest layers, at the schedule's peak; `lr_decay`: factor for each cut towards the image, 1 for none.
    `warmup`: share of the steps. `bn`: "frozen" keeps batch norm's statistics, "adapt" normalises by the batch and
    moves them. `flips`, `crop`, `rotation_deg`, `colour`, `mix`: see `augment.Policy`. `dropout`: of the head's inputs.
    `class_weighting`: "none" or "balanced". `lr_schedule`: one of the search's schedules. `epochs`: at most; see
    STEPS_PER_EPOCH. `patience`: epochs without a lower held-out loss. `ema`: decay of the running average of the
    weights, 0 for none. `batch_size`: halved where memory does not suffice.
    """

    taps: str
    image_size_px: int
    depth: int
    learning_rate: float
    lr_decay: float
    warmup: float
    bn: str
    flips: str
    crop: float
    rotation_deg: float
    colour: float
    mix: str
    dropout: float
    weight_decay: float
    label_smoothing: float
    class_weighting: str
    lr_schedule: str
    epochs: int
    patience: int
    ema: float
    batch_size: int

    @property
    def policy(self) -> Policy:
        return Policy(self.flips, self.crop, self.rotation_deg, self.colour, self.mix)


@dataclass(frozen=True, slots=True)
class FineTuned:
    """A fine-tuned backbone with its head, at its best epoch.

    `held_out_logits`: float32 (n_held_out, n_classes). `best_epoch`: from 1: the one with the lowest held-out loss, the
    last one where nothing was held out. `kernel`, `bias`: float32 (n_features, n_classes) and (n_classes,), on raw
    pooled taps of the tuned backbone. `weights`: of the backbone, as `keras.Model.get_weights` orders them.
    """

    backbone: str
    weights: tuple[np.ndarray, ...]
    kernel: np.ndarray
    bias: np.ndarray
    held_out_logits: np.ndarray
    best_epoch: int
    curves: Curves

    def save_backbone(self, path: Path) -> None:
        """Writes a `.weights.h5` that `build_backbone(self.backbone).load_weights(path)` reads."""
        model = build_backbone(self.backbone)
        model.set_weights(list(self.weights))
        model.save_weights(path)


class FineTuner:
    """Tunes one backbone for one set of settings. One at a time in a process: networks of one kind are shared.

    `best`: the best epoch of the latest `fit`, also of one that was ended from outside; None before its first epoch.
    `batch_size`: what fits into memory, as far as is known.

    Args:
        pixels: uint8 (n, side, side, 3), may be memory-mapped and larger than `settings.image_size_px`.
        labels: int (n,), 0 <= label < n_classes.
        head: kernel (n_features, n_classes) and bias (n_classes,) on raw pooled taps, the starting point.
        scratch: folder for stored activations, which are removed by `close`; the system's own by default.
        deterministic: the same seed gives the same model on the same machine: no stopwatch chooses the precision, which
            stays float32, and operations add up in a fixed order, which makes a GPU slower.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        labels: np.ndarray,
        n_classes: int,
        installed: InstalledWeights,
        head: tuple[np.ndarray, np.ndarray],
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
        self._kernel, self._bias = head
        self._class_weights = class_weights(self._one_hot, settings.class_weighting)
        self._prepare_s_per_view = 0.0
        adapts = settings.bn == "adapt"
        mixed, xla = (False, False) if deterministic else _precision(installed)
        kind = NetworkKind(installed, settings.taps, settings.depth, n_classes, adapts, mixed, xla, deterministic)
        self._network = _network(kind)
        self._photos = PhotoBatches(pixels, settings.image_size_px, settings.policy)
        self._folder: Path | None = None
        self._stored: ActivationBatches | None = None
        if settings.depth:
            self._folder = Path(tempfile.mkdtemp(prefix="activations-", dir=scratch))
            self._stored = ActivationBatches(
                self._photos, self._network, settings.policy, len(pixels), self._folder, seed
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
        """Training steps of an epoch on `n_rows` photos."""
        return math.ceil(self._photos_per_epoch(n_rows) / self._size_of_batch(n_rows))

    def _photos_per_epoch(self, n_rows: int) -> int:
        return min(n_rows, STEPS_PER_EPOCH * self._settings.batch_size)

    def _size_of_batch(self, n_rows: int) -> int:
        return max(1, min(self.batch_size, n_rows))

    def probe(self) -> tuple[float, float]:
        """Seconds per training step of `batch_size` photos, and per held-out photo; a few of each are timed.

        `fit` starts afresh all the same, and profits from the graphs that were traced here.

        Raises:
            TrialFailed: not even one photo at a time fits into memory.
        """
        with self._exactness():
            return self._timed()

    def _timed(self) -> tuple[float, float]:
        some = np.arange(len(self._labels))[: max(1, self.batch_size)]
        self._start(some, _do_nothing)
        self._prepare(some, some[:0], _do_nothing)
        if self._stored is not None:
            self._stored.clear()  # the first time included tracing
            prepared_s = _quickest(lambda: self._prepare(some, some[:0], _do_nothing), 1)
            self._prepare_s_per_view = prepared_s / (len(some) * self._stored.n_views)
        random = np.random.default_rng(self._seed)
        n_rows = len(self._labels)

        def step() -> None:
            self._step(np.resize(some, self._size_of_batch(n_rows)), random, 0.0)
            self._network.take_totals()

        self._with_less(step)
        step_s = _quickest(step, 2)
        self._with_less(lambda: self._predict(some, _do_nothing))
        image_s = _quickest(lambda: self._predict(some, _do_nothing), 1) / len(some)
        if self._stored is not None:
            self._stored.clear()  # `fit` draws the same views whether it was timed before or not
        return step_s, image_s

    def preparation_s(self, n_train: int, n_held_out: int = 0) -> float:
        """Predicted seconds for the activations of these photos at the cut, once; `probe` comes first."""
        n_views = self._stored.n_views if self._stored else 0
        return self._prepare_s_per_view * (n_train * n_views + n_held_out)

    def fit(
        self,
        train_rows: np.ndarray,
        held_out_rows: np.ndarray,
        on_step: OnStep,
        on_epoch: OnEpoch = lambda *_: False,
        head: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> FineTuned:
        """Trains from the pretrained backbone and a head; `best` is kept up to date meanwhile.

        train_rows, held_out_rows: int, indices into the photos; the second may be empty. `on_step` is called after each
        training step and each predicted batch, and may raise. `head`: instead of the one that was given at first; it
        must not have learnt from the held-out photos, or their score would flatter.

        Raises:
            TrialFailed: the loss was not a number in the first epoch, or one photo at a time does not fit into memory.
        """
        self.best = None
        with self._exactness():
            self._fit(train_rows, held_out_rows, on_step, on_epoch, head)
        if self.best is None:
            raise TrialFailed("The fine-tuning diverged: its loss is not a number.")
        return self.best

    def _exactness(self) -> AbstractContextManager[None]:
        return deterministic_ops() if self._is_deterministic else nullcontext()

    def _fit(
        self,
        train_rows: np.ndarray,
        held_out_rows: np.ndarray,
        on_step: OnStep,
        on_epoch: OnEpoch,
        head: tuple[np.ndarray, np.ndarray] | None,
    ) -> None:
        self._start(train_rows, on_step, head)
        self._prepare(train_rows, held_out_rows, on_step)
        progress = self._progress(len(held_out_rows) > 0)
        random = np.random.default_rng(self._seed)
        photos = Shuffled(train_rows, random)
        for epoch in range(1, self._settings.epochs + 1):
            if not self._train_epoch(epoch, photos, random, progress, on_step):
                break
            logits = self._take_epoch(epoch, held_out_rows, progress, on_step)
            if on_epoch(epoch, logits) or progress.is_over(epoch):
                break

    def _progress(self, has_held_out: bool) -> Progress:
        settings = self._settings
        return Progress(settings.learning_rate, settings.warmup, settings.lr_schedule, settings.patience, has_held_out)

    def _start(self, rows: np.ndarray, on_step: OnStep, head: tuple[np.ndarray, np.ndarray] | None = None) -> None:
        """Standardises the head's inputs by some photos, as the heads on frozen features do: about unit norm a row."""
        self._network.reset()
        some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SETTLE_IMAGES)).astype(int)]
        raw = self._with_less(partial(self._pooled, some, on_step))
        deviation = raw.std(axis=0)
        width = np.sqrt(self._network.n_features)
        scale = 1 / ((deviation + 0.05 * deviation.mean() + 1e-6) * width)
        kernel, bias = head or (self._kernel, self._bias)
        self._network.set_head(kernel, bias, raw.mean(axis=0), scale.astype(np.float32))

    def _pooled(self, rows: np.ndarray, on_step: OnStep) -> np.ndarray:
        pooled = []
        for part in self._parts(rows):
            pooled.append(self._network.pooled(self._inputs(part)))
            on_step()
        return np.concatenate(pooled)

    def _inputs(self, rows: np.ndarray) -> list[object]:
        images = list(self._photos.plain(rows))
        return list(self._network.stem(images[0])) if self._settings.depth else images

    def _parts(self, rows: np.ndarray) -> list[np.ndarray]:
        size = max(1, self.batch_size)
        return [rows[start : start + size] for start in range(0, len(rows), size)]

    def _prepare(self, rows: np.ndarray, held_out: np.ndarray, on_step: OnStep) -> None:
        self._with_less(lambda: self._batches.prepare(rows, held_out, self.batch_size, on_step))

    def _train_epoch(
        self, epoch: int, photos: Shuffled, random: np.random.Generator, progress: Progress, on_step: OnStep
    ) -> bool:
        """False when the loss is not a number any more."""
        n_photos = self._photos_per_epoch(photos.n)
        n_done, n_steps = 0, 0
        while n_done < n_photos:
            done = (epoch - 1 + n_done / n_photos) / self._settings.epochs
            rate = progress.rate(done)
            n_done += self._with_less(partial(self._next_step, photos, random, rate))
            n_steps += 1
            if self._settings.ema:
                self._network.average(self._settings.ema)
            if n_steps % _STEPS_PER_CHECK == 0 and not self._network.is_finite():
                return False
            on_step()
        return self._network.is_finite()

    def _next_step(self, photos: Shuffled, random: np.random.Generator, rate: float) -> int:
        return self._step(photos.take(self._size_of_batch(photos.n)), random, rate)

    def _step(self, rows: np.ndarray, random: np.random.Generator, rate: float) -> int:
        inputs, mixing = self._batches.augmented(rows, random)
        hot = self._one_hot[rows]
        targets = hot if mixing is None else mixing.of_targets(hot)
        smoothing = self._settings.label_smoothing
        self._network.step(
            inputs,
            targets * (1 - smoothing) + smoothing / targets.shape[1],
            targets @ self._class_weights,
            rate,
            self._settings.lr_decay,
            self._settings.weight_decay,
            self._settings.dropout,
            int(random.integers(2**31)),
        )
        return len(rows)

    def _take_epoch(self, epoch: int, held_out: np.ndarray, progress: Progress, on_step: OnStep) -> np.ndarray:
        """The held-out logits after the epoch, which becomes the best if it is."""
        train = self._network.take_totals()
        with self._network.averaged():
            logits = self._with_less(lambda: self._predict(held_out, on_step))
            improved = progress.add(epoch, train, *loss_and_accuracy(logits, self._labels[held_out]))
            if improved:
                weights, kernel, bias = self._network.snapshot()
                self.best = FineTuned(
                    self._network.kind.weights.name, tuple(weights), kernel, bias, logits, epoch, progress.curves
                )
        if self.best is not None:
            self.best = replace(self.best, curves=progress.curves)
        return logits

    def _predict(self, rows: np.ndarray, on_step: OnStep) -> np.ndarray:
        logits = [np.zeros((0, self._one_hot.shape[1]), np.float32)]
        for part in self._parts(rows):
            logits.append(self._network.logits(self._batches.plain(part)))
            on_step()
        return np.concatenate(logits)

    def _with_less(self, work: Callable[[], _T]) -> _T:
        """Does `work` again with half of the batch as long as memory does not suffice."""
        import tensorflow as tf

        while True:
            try:
                return work()
            except (MemoryError, tf.errors.ResourceExhaustedError):
                if self.batch_size <= 1:
                    raise TrialFailed(
                        "There is too little memory to fine-tune even with one photo at a time."
                    ) from None
                self.batch_size //= 2


def _do_nothing() -> None:
    """A probe is too short to be interrupted."""


def _quickest(work: Callable[[], object], n_times: int) -> float:
    """Seconds of the quickest of `n_times`; 0 for none."""
    seconds = []
    for _ in range(n_times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds, default=0.0)


@lru_cache(maxsize=2)
def _network(kind: NetworkKind) -> TrainableNetwork:
    """Building and tracing take longer than many a training step, and the trials of a search are mostly of one kind."""
    return TrainableNetwork(kind)


_precision_of: dict[tuple[str, ...], tuple[bool, bool]] = {}
"""By the names of the GPUs: the backbones have the same kinds of layers, and each probe compiles three networks."""


def _precision(weights: InstalledWeights) -> tuple[bool, bool]:
    """(mixed, xla): neither on a CPU; on a GPU what is fastest for a step of the first network that comes."""
    if not has_gpu():
        return False, False
    gpus = _gpu_names()
    if gpus not in _precision_of:
        _precision_of[gpus] = fastest(partial(_step_s, weights))
    return _precision_of[gpus]


def _gpu_names() -> tuple[str, ...]:
    import tensorflow as tf

    return tuple(device.name for device in tf.config.list_physical_devices("GPU"))


def _step_s(weights: InstalledWeights, mixed: bool, xla: bool) -> float:
    """Seconds per training step of the whole network."""
    shape = (_PROBED_BATCH, _PROBED_PX, _PROBED_PX, 3)
    images = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[np.arange(_PROBED_BATCH) % 2]
    network = TrainableNetwork(NetworkKind(weights, "several", 0, 2, True, mixed, xla))

    def step() -> None:
        network.step([images], targets, np.ones(_PROBED_BATCH), 0.0, 1.0, 0.0, 0.0, 0)
        network.take_totals()

    step()
    return _quickest(step, 3)

"""What a fine-tuning network is fed with: photos that are augmented anew each time, or activations stored at a cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from automl.data.storage import full_disk_explained
from automl.models.augment import (
    Mixing,
    Policy,
    draw_colours,
    draw_maps,
    draw_mixing,
    mix,
    recolour,
    resize,
    warp,
)
from automl.models.trainable import TrainableNetwork

MAX_STORED_BYTES = 8_000_000_000
"""Of stored activations; where they would need more, fewer views of each photo are kept."""

_DRAWN_VIEWS = 2

OnStep = Callable[[], None]
"""Called after each piece of work; it may raise to end it."""


class Batches(Protocol):
    """The inputs of `TrainableNetwork` for some photos of the pool."""

    def prepare(self, rows: np.ndarray, held_out: np.ndarray, batch_size: int, on_step: OnStep) -> None:
        """Does once what must be done before the first batch. `rows` are trained on, `held_out` are predicted."""
        ...

    def augmented(self, rows: np.ndarray, random: np.random.Generator) -> tuple[Sequence[Any], Mixing | None]:
        """For training."""
        ...

    def plain(self, rows: np.ndarray) -> Sequence[Any]:
        """For predicting."""
        ...


class PhotoBatches:
    """From uint8 pixels (n, side, side, 3), which may be memory-mapped and larger than what the network sees."""

    def __init__(self, pixels: np.ndarray, image_size_px: int, policy: Policy) -> None:
        import tensorflow as tf

        self._pixels, self._size_px, self._policy = pixels, image_size_px, policy
        self._augment = tf.function(self._augment_graph, autograph=False)
        self._resize = tf.function(lambda images: resize(images, image_size_px), reduce_retracing=True, autograph=False)

    def prepare(self, rows: np.ndarray, held_out: np.ndarray, batch_size: int, on_step: OnStep) -> None:
        """Nothing: each batch is made when it is needed."""

    def augmented(self, rows: np.ndarray, random: np.random.Generator) -> tuple[Sequence[Any], Mixing | None]:
        mixing = draw_mixing(self._policy, len(rows), random)
        return [self._drawn(rows, random, mixing)], mixing

    def view(self, rows: np.ndarray, random: np.random.Generator) -> Any:
        """Moved and recoloured by the policy but not mixed: float32 (n, size, size, 3)."""
        return self._drawn(rows, random, None)

    def mirrored(self, rows: np.ndarray) -> Any:
        return self._resize(self._pixels[rows][:, :, ::-1])

    def plain(self, rows: np.ndarray) -> Sequence[Any]:
        return [self._resize(self._pixels[rows])]

    def _drawn(self, rows: np.ndarray, random: np.random.Generator, mixing: Mixing | None) -> Any:
        n, side = len(rows), self._pixels.shape[1]
        maps = draw_maps(self._policy, n, side, self._size_px, random) if self._policy.moves_pixels else None
        colours = draw_colours(self._policy, n, random) if self._policy.colour > 0 else None
        mixed = None if mixing is None else (mixing.partner, mixing.share, mixing.boxes)
        return self._augment(self._pixels[rows], maps, colours, mixed)

    def _augment_graph(self, images: Any, maps: Any, colours: Any, mixed: Any) -> Any:
        images = resize(images, self._size_px) if maps is None else warp(images, maps, self._size_px)
        if colours is not None:
            images = recolour(images, colours)
        return images if mixed is None else mix(images, *mixed)


class ActivationBatches:
    """Activations at the network's cut, float16 on disk: computed once for a few views of each photo.

    The views are the photo as it is and, as far as the policy allows them, its mirror image and two random ones.
    """

    def __init__(
        self, photos: PhotoBatches, network: TrainableNetwork, policy: Policy, n_photos: int, folder: Path, seed: int
    ) -> None:
        self._photos, self._network, self._policy, self._seed = photos, network, policy, seed
        self._folder = folder
        self._views: list[list[np.ndarray]] = []
        self._slot = np.full(n_photos, -1)
        self._held_out: list[np.ndarray] = []

    @property
    def n_views(self) -> int:
        """Before the limit on the disk."""
        mirrored = self._policy.flips != "none"
        drawn = self._policy.crop < 1 or self._policy.rotation_deg > 0 or self._policy.colour > 0
        return 1 + mirrored + _DRAWN_VIEWS * drawn

    def prepare(self, rows: np.ndarray, held_out: np.ndarray, batch_size: int, on_step: OnStep) -> None:
        """Computes the views of `rows` and the plain view of `held_out`.

        Raises:
            DiskFull: no room for them.
        """
        self._slot[rows] = np.arange(len(rows))
        self._slot[held_out] = np.arange(len(held_out))
        random = np.random.default_rng(self._seed)
        makers: list[Callable[[np.ndarray], Any]] = [lambda some: self._photos.plain(some)[0]]
        if self._policy.flips != "none":
            makers.append(self._photos.mirrored)
        makers += [lambda some: self._photos.view(some, random)] * (self.n_views - len(makers))
        one = self._network.stem(makers[0](rows[:1]))
        n_bytes = len(rows) * sum(2 * math.prod(part.shape) for part in one)
        makers = makers[: max(1, MAX_STORED_BYTES // max(1, n_bytes))]
        with full_disk_explained(str(self._folder)):
            self._views = [
                self._store(f"view-{number}", rows, maker, batch_size, on_step) for number, maker in enumerate(makers)
            ]
            self._held_out = self._store("held-out", held_out, makers[0], batch_size, on_step)

    def augmented(self, rows: np.ndarray, random: np.random.Generator) -> tuple[Sequence[Any], Mixing | None]:
        which = random.integers(0, len(self._views), len(rows))
        slots = self._slot[rows]
        parts = [
            np.stack([self._views[view][part][slot] for view, slot in zip(which, slots, strict=True)])
            for part in range(len(self._views[0]))
        ]
        mixing = draw_mixing(self._policy, len(rows), random)
        return (parts if mixing is None else _mixed(parts, mixing)), mixing

    def plain(self, rows: np.ndarray) -> Sequence[Any]:
        return [part[self._slot[rows]] for part in self._held_out]

    def _store(
        self, name: str, rows: np.ndarray, maker: Callable[[np.ndarray], Any], batch_size: int, on_step: OnStep
    ) -> list[np.ndarray]:
        """One float16 memory map for the activations and one for each tap before the cut."""
        files = None
        paths: list[Path] = []
        shapes: list[tuple[int, ...]] = []
        try:
            for start in range(0, len(rows), batch_size):
                parts = [np.asarray(p, np.float16) for p in self._network.stem(maker(rows[start : start + batch_size]))]
                if files is None:
                    paths = [self._folder / f"{name}-{i}.f16" for i in range(len(parts))]
                    shapes = [part.shape[1:] for part in parts]
                    files = [path.open("wb") for path in paths]
                # A memory map on a full disk would end the process with SIGBUS; writing tells.
                for file, part in zip(files, parts, strict=True):
                    file.write(part.tobytes())
                on_step()
        finally:
            for file in files or []:
                file.close()
        return [np.memmap(p, np.float16, "r", shape=(len(rows), *s)) for p, s in zip(paths, shapes, strict=True)]


def _mixed(parts: list[np.ndarray], mixing: Mixing) -> list[Any]:
    """A box of CutMix covers the same part of the picture in the activations; pooled taps blend by its area."""
    activations = mix(parts[0], mixing.partner, mixing.share, mixing.boxes)
    share = mixing.share[:, None]
    return [activations, *(share * pooled + (1 - share) * pooled[mixing.partner] for pooled in parts[1:])]

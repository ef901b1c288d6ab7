"""What a fine-tuning network is fed with: photos that are augmented anew each time, or activations stored at a cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from automl.atomic_files import full_disk_explained
from automl.models.fine_tuning.augment import (
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

MAX_STORED_BYTES = 8_000_000_000
"""The room for stored activations; where they would need more, fewer views of each photo are kept."""

_DRAWN_VIEWS = 2  # each takes as much room on the disk as the photo as it is

OnWork = Callable[[], None]
"""Is called after each piece of work, and may raise to end it."""

Stem = Callable[[Any], Sequence[Any]]
"""Computes activations at a cut and pooled taps before it from images; see `TrainableNetwork.stem`."""


class Batches(Protocol):
    """The inputs of `TrainableNetwork` for some photos of the pool."""

    def prepare(self, rows: np.ndarray, held_out: np.ndarray, *, batch_size: int, on_work: OnWork) -> None:
        """Does once what must be done before the first batch.

        Args:
            rows: int, indices of the photos that are trained on.
            held_out: int, indices of the photos that are predicted.
            batch_size: the number of photos that fit into memory at once.
            on_work: is called after each batch.
        """
        ...

    def augmented(self, rows: np.ndarray, random: np.random.Generator) -> tuple[Sequence[Any], Mixing | None]:
        """The inputs of a training step, augmented anew, and which of them were mixed."""
        ...

    def plain(self, rows: np.ndarray) -> Sequence[Any]:
        """The inputs for predicting."""
        ...


class PhotoBatches:
    """The photos themselves.

    Args:
        pixels: uint8 (n, side, side, 3), may be memory-mapped and larger than `image_size_px`.
        image_size_px: the side of the photos that the network is given.
        policy: how they are augmented.
    """

    def __init__(self, pixels: np.ndarray, image_size_px: int, policy: Policy) -> None:
        import tensorflow as tf

        self._pixels, self._size_px, self._policy = pixels, image_size_px, policy
        self._augment = tf.function(self._augment_graph, autograph=False)
        self._resize = tf.function(lambda images: resize(images, image_size_px), reduce_retracing=True, autograph=False)

    def prepare(self, rows: np.ndarray, held_out: np.ndarray, *, batch_size: int, on_work: OnWork) -> None:
        """Does nothing: each batch is made when it is needed."""

    def augmented(self, rows: np.ndarray, random: np.random.Generator) -> tuple[Sequence[Any], Mixing | None]:
        mixing = draw_mixing(self._policy, len(rows), random)
        return [self._drawn(rows, random, mixing)], mixing

    def view(self, rows: np.ndarray, random: np.random.Generator) -> Any:
        """Moved and recoloured by the policy but not mixed: float32 (n, size, size, 3)."""
        return self._drawn(rows, random, None)

    def mirrored(self, rows: np.ndarray) -> Any:
        """The mirror images, float32 (n, size, size, 3)."""
        return self._resize(self._pixels[rows][:, :, ::-1])

    def resized(self, rows: np.ndarray) -> Any:
        """The photos as they are, float32 (n, size, size, 3)."""
        return self._resize(self._pixels[rows])

    def plain(self, rows: np.ndarray) -> Sequence[Any]:
        return [self.resized(rows)]

    def _drawn(self, rows: np.ndarray, random: np.random.Generator, mixing: Mixing | None) -> Any:
        n, side = len(rows), self._pixels.shape[1]
        maps = colours = None
        if self._policy.moves_pixels:
            maps = draw_maps(self._policy, n, from_px=side, to_px=self._size_px, random=random)
        if self._policy.colour > 0:
            colours = draw_colours(self._policy, n, random)
        return self._augment(self._pixels[rows], maps=maps, colours=colours, mixing=mixing)

    def _augment_graph(self, images: Any, *, maps: Any, colours: Any, mixing: Mixing | None) -> Any:
        images = resize(images, self._size_px) if maps is None else warp(images, maps, self._size_px)
        if colours is not None:
            images = recolour(images, colours)
        return images if mixing is None else mix(images, mixing)


class ActivationBatches:
    """Activations at the network's cut, float16 on disk: computed once for a few views of each photo.

    The views are the photo as it is and, as far as the policy allows them, its mirror image and two random ones. What
    one fold has stored serves the others, too.

    Args:
        photos: the photos.
        stem: the network up to the cut.
        policy: how the photos are augmented.
        n_photos: the number of all photos.
        folder: where the activations are stored.
        seed: of the random views.
    """

    def __init__(
        self, *, photos: PhotoBatches, stem: Stem, policy: Policy, n_photos: int, folder: Path, seed: int
    ) -> None:
        self._photos, self._stem, self._policy, self._seed = photos, stem, policy, seed
        self._n_photos, self._folder = n_photos, folder
        self._views: list[_View] = []

    @property
    def n_views(self) -> int:
        """The number of views of each photo, before MAX_STORED_BYTES limits it."""
        mirrored = self._policy.flips != "none"
        drawn = self._policy.crop < 1 or self._policy.rotation_deg > 0 or self._policy.colour > 0
        return 1 + mirrored + _DRAWN_VIEWS * drawn

    def prepare(self, rows: np.ndarray, held_out: np.ndarray, *, batch_size: int, on_work: OnWork) -> None:
        """Computes all views of `rows` and the plain view of `held_out`, as far as they are not stored already.

        Raises:
            DiskFull: no room for them.
        """
        if not self._views:
            self._views = self._empty_views(rows[:1])
        with full_disk_explained(str(self._folder)):
            for number, view in enumerate(self._views):
                view.add(rows if number else np.concatenate([rows, held_out]), batch_size, on_work)

    def clear(self) -> None:
        """Forgets what was stored, and where the random views were."""
        self._views = []

    def _empty_views(self, some: np.ndarray) -> list[_View]:
        # Nothing in a view refers to this object: in a cycle the files' blocks would stay on the disk until Python
        # happens to look for cycles.
        photos, random = self._photos, np.random.default_rng(self._seed)
        makers: list[Callable[[np.ndarray], Any]] = [photos.resized]
        if self._policy.flips != "none":
            makers.append(photos.mirrored)
        makers += [partial(photos.view, random=random)] * (self.n_views - len(makers))
        n_bytes = self._n_photos * sum(2 * math.prod(part.shape[1:]) for part in self._stem(makers[0](some)))
        makers = makers[: max(1, MAX_STORED_BYTES // max(1, n_bytes))]
        return [
            _View(self._folder / f"view-{number}", maker=maker, stem=self._stem, n_photos=self._n_photos)
            for number, maker in enumerate(makers)
        ]

    def augmented(self, rows: np.ndarray, random: np.random.Generator) -> tuple[Sequence[Any], Mixing | None]:
        which = random.integers(0, len(self._views), len(rows))
        chosen = [self._views[view].of(row) for view, row in zip(which, rows, strict=True)]
        parts = [np.stack(part) for part in zip(*chosen, strict=True)]
        mixing = draw_mixing(self._policy, len(rows), random)
        return (parts if mixing is None else _mixed(parts, mixing)), mixing

    def plain(self, rows: np.ndarray) -> Sequence[Any]:
        return self._views[0].of(rows)


class _View:
    """One view of some photos: their activations, and their pooled taps before the cut, in a float16 file for each.

    Args:
        path: the beginning of the files' names.
        maker: makes the images of this view from the rows of the photos.
        stem: computes the activations.
        n_photos: the number of all photos.
    """

    def __init__(self, path: Path, *, maker: Callable[[np.ndarray], Any], stem: Stem, n_photos: int) -> None:
        self._path, self._maker, self._stem = path, maker, stem
        self._slots = np.full(n_photos, -1)
        self._n = 0
        self._parts: list[np.ndarray] = []

    def add(self, rows: np.ndarray, batch_size: int, on_work: OnWork) -> None:
        """Computes and stores what is missing of `rows`."""
        missing = rows[self._slots[rows] < 0]
        try:
            for start in range(0, len(missing), batch_size):
                some = missing[start : start + batch_size]
                self._append([np.asarray(part, np.float16) for part in self._stem(self._maker(some))])
                self._slots[some] = np.arange(self._n, self._n + len(some))
                self._n += len(some)
                on_work()
        finally:
            self._parts = [
                np.memmap(self._file(i), np.float16, "r", shape=(self._n, *part.shape[1:]))
                for i, part in enumerate(self._parts)
            ]

    def of(self, rows: Any) -> list[np.ndarray]:
        """The stored parts of one photo, or of some."""
        return [part[self._slots[rows]] for part in self._parts]

    def _append(self, parts: list[np.ndarray]) -> None:
        # A memory map on a full disk would end the process with SIGBUS; writing raises an error.
        for number, part in enumerate(parts):
            with self._file(number).open("r+b" if self._n else "wb") as file:
                file.seek(self._n * part[0].nbytes)  # over what a batch that failed has left
                file.write(part.tobytes())
        self._parts = parts

    def _file(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}-{number}.f16")


def _mixed(parts: list[np.ndarray], mixing: Mixing) -> list[Any]:
    """A box of CutMix covers the same part of the picture in the activations; pooled taps are mixed by its area."""
    activations = mix(parts[0], mixing)
    share = mixing.share[:, None]
    return [activations, *(share * pooled + (1 - share) * pooled[mixing.partner] for pooled in parts[1:])]

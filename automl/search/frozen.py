"""Frozen features of the pool's photos: computed once for each backbone and input size, joined for each trial."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from automl.available_memory import available_bytes
from automl.checked_files import is_sound
from automl.images.arriving import arriving
from automl.images.pixels import OnProgress, PixelCache, content_key, mark_used
from automl.images.verify import in_threads
from automl.models.device import has_gpu
from automl.models.features import Extractor, extract_features, features_of, make_extractor
from automl.models.measured import MEASURED
from automl.models.weights.cache import InstalledWeights
from automl.records import ImageRecord
from automl.search.block import Block
from automl.search.joined import Joined, Moments, Normalisation, View, moments_of, unit_mean
from automl.search.plan import INPUT_SIZES_PX
from automl.search.space import LAST_TAP, MIRRORED_VIEW, SEVERAL_TAPS, Params, backbone_names, is_unit
from automl.search.speeds import BackboneSpeeds, Stopwatch, decode_seconds
from automl.search.view_cache import ViewCache, ViewKey
from automl.serving.predict import PhotoRules, load_image, open_rgb, resize_square

_MEMORY_SHARE = 0.4  # the networks, TensorFlow and the heads themselves need some, too
_MEMORY_WHERE_UNKNOWN = 600_000_000


class FrozenFeatures:
    """float16 features on disk, keyed by the photos' contents, the backbone's weights and the input size.

    Args:
        images: the photos that are learned from.
        weights: the pretrained ones, by backbone; their order is the order of preference.
        folder: of features and decoded photos, shared by all runs.
        rules: how the photos become pixels.
        max_bytes: memory that joined features may take; what does not fit is read from disk by each trial. None for a
            share of what there is.
        overlaps: whether photos are decoded while features of the first ones are computed. None where there is a GPU:
            without one both would need the processors.
    """

    def __init__(
        self,
        images: Sequence[ImageRecord],
        weights: Mapping[str, InstalledWeights],
        folder: Path,
        *,
        rules: PhotoRules,
        max_bytes: int | None = None,
        overlaps: bool | None = None,
    ) -> None:
        self._images = tuple(images)
        self._weights = dict(weights)
        self._folder = folder
        self._rules = rules
        self._pixels = PixelCache(folder, self._images, rules)
        self._overlaps = overlaps
        self._sizes_to_decode: set[int] = set()
        self._extractors: dict[str, Extractor] = {}
        self._speeds = BackboneSpeeds(self._extractor, self._weights, kept=folder / MEASURED)
        self._decode_s: float | None = None
        self._content_keys: dict[int, str] = {}
        self._blocks: dict[Block, np.ndarray] = {}
        self._moments: dict[Block, Moments] = {}
        self._unit_means: dict[tuple[Block, int], np.ndarray] = {}
        self._views = ViewCache(_share_of_memory() if max_bytes is None else max_bytes)

    @property
    def backbones(self) -> tuple[str, ...]:
        return tuple(self._weights)

    @property
    def detail_px(self) -> int:
        """The median of the photos' shorter sides: larger squares show nothing more of half of them."""
        return int(np.median([min(image.width, image.height) for image in self._images]))

    def decode(self, blocks: Sequence[Block], on_progress: OnProgress) -> None:
        """Decodes the photos once, for those input sizes at which any of `blocks` is not computed yet.

        Where decoding and computing overlap, it is done while the first block is computed.

        Raises:
            BadImage, DiskFull: see `PixelCache.decode`; and what `on_progress` raises to end the work.
        """
        needed = {block.image_size_px for block in blocks if not self.is_computed(block)}
        if self._overlaps is None:
            self._overlaps = has_gpu()
        if self._overlaps:
            self._sizes_to_decode |= needed
        else:
            self._pixels.decode(sorted(needed), on_progress)

    def decode_by(self, rules: PhotoRules) -> None:
        """Makes pixels of the photos by other rules from now on; called before anything is computed."""
        self._rules, self._pixels = rules, PixelCache(self._folder, self._images, rules)
        self._content_keys.clear()

    def last_layers_by(
        self, rules: Sequence[PhotoRules], rows: Sequence[int], block: Block, on_progress: OnProgress
    ) -> list[np.ndarray]:
        """The last tap of some photos, each decoded once and made square by each of the rules.

        Args:
            rules: how the photos become pixels; they differ in the aspect only.
            rows: of the photos.
            block: the backbone and the input size.
            on_progress: may raise to end the work.

        Returns:
            For each of the rules float16 (len(rows), n_features).
        """
        extractor, size = self._extractor(block.backbone), block.image_size_px
        found: list[list[np.ndarray]] = [[] for _ in rules]
        for start in range(0, len(rows), extractor.batch):
            some = [self._images[row].path for row in rows[start : start + extractor.batch]]
            photos = list(in_threads(lambda path: self._squares(path, size, rules), some))
            for squares, features in zip(zip(*photos, strict=True), found, strict=True):
                features.append(features_of(np.stack(squares), extractor)[:, self._last_columns(block)])
            on_progress(min(start + extractor.batch, len(rows)), len(rows))
        return [np.concatenate(features) for features in found]

    @staticmethod
    def _squares(path: Path, size: int, rules: Sequence[PhotoRules]) -> list[np.ndarray]:
        image = open_rgb(path, rules[0])
        return [resize_square(image, size, one) for one in rules]

    def decode_seconds(self) -> float:
        """How long `decode` may take for all photos, measured once on a few of them."""
        if self._decode_s is None:
            self._decode_s = decode_seconds(self._images, self._rules)
        return self._decode_s

    def pixels(self, image_size_px: int, on_progress: OnProgress = lambda _done, _total: None) -> np.ndarray:
        """uint8 (n_images, image_size_px, image_size_px, 3), memory-mapped; decoded now if they are not there.

        Raises:
            BadImage, DiskFull: see `PixelCache.decode`.
        """
        self._pixels.decode([image_size_px], on_progress)
        return self._pixels.open(image_size_px)

    def release_pixels(self, sizes_px: Sequence[int]) -> None:
        """Gives the disk of the decoded photos back; the features stay for the next run on the same photos."""
        self._pixels.delete(sizes_px)

    def computed(self) -> set[Block]:
        """The blocks that an earlier run on the same photos has left."""
        possible = (Block(*values) for values in product(self._weights, INPUT_SIZES_PX, (False, True)))
        return {block for block in possible if self.is_computed(block)}

    def is_computed(self, block: Block) -> bool:
        """Whether its features are there as they were written; a damaged file is removed."""
        return is_sound(self._path(block))

    def compute(self, block: Block, on_progress: OnProgress) -> None:
        """Computes one block, goes on with one that was broken off, or opens the one that an earlier run has left.

        Args:
            on_progress: may raise to end the work; what is done by then is kept for the next attempt.

        Raises:
            BadImage, DiskFull: see `PixelCache.decode`.
            MemoryError: there is not enough memory for a single photo.
        """
        path = self._path(block)
        if not (self.is_computed(block) and mark_used(path)):
            self._extract(block, path, on_progress)
        self._blocks[block] = np.asarray(np.load(path, mmap_mode="r"))

    def _extract(self, block: Block, path: Path, on_progress: OnProgress) -> None:
        extractor, size = self._extractor(block.backbone), block.image_size_px
        if self._overlaps and not is_sound(self._pixels.path(size)):
            sizes, self._sizes_to_decode = self._sizes_to_decode | {size}, set()
            # How long that takes says nothing about the network, which may wait for photos.
            with arriving(self._pixels, sorted(sizes)) as pixels:
                rows = pixels.of_size(size)
                extract_features(rows, extractor, path, on_batch=on_progress, mirrored=block.mirrored)
            return
        watch = Stopwatch(on_progress)
        decoded = self.pixels(size, on_progress)
        extract_features(decoded, extractor, path, on_batch=watch, mirrored=block.mirrored)
        self._speeds.learn(block, watch)

    def last_layer(self) -> np.ndarray | None:
        """The last tap of the first backbone that was used, float16 (n_images, n_features); None before one was."""
        block = self._first_block
        return None if block is None else self._blocks[block][:, self._last_columns(block)]

    def last_layer_of(self, images: Sequence[ImageRecord]) -> np.ndarray:
        """The same of other photos, such as some of the test: float32 (len(images), n_features).

        Raises:
            ValueError: no backbone was used yet.
        """
        block = self._first_block
        if block is None:
            raise ValueError("No features were computed yet.")
        pixels = np.stack([load_image(image.path, block.image_size_px, self._rules) for image in images])
        features = features_of(pixels, self._extractor(block.backbone))
        return np.asarray(features[:, self._last_columns(block)], np.float32)

    @property
    def _first_block(self) -> Block | None:
        return next((block for block in self._blocks if not block.mirrored), None)

    def _last_columns(self, block: Block) -> slice:
        ((start, end),) = self._columns(block.backbone, LAST_TAP)
        return slice(start, end)

    def tap(self, block: Block, number: int, rows: np.ndarray) -> np.ndarray:
        """One tap of some photos, float16 (len(rows), width).

        Args:
            block: one that trials may use.
            number: of the tap, from shallow to last.
            rows: int, of the photos.
        """
        start, end = self._columns(block.backbone, SEVERAL_TAPS)[number]
        return np.asarray(self._blocks[block][rows, start:end])

    def available(self) -> set[Block]:
        """The blocks that trials may use now."""
        return set(self._blocks)

    def seconds_per_image(self, backbone: str) -> float:
        """For one photo of many at 224 px; the time grows with the area."""
        return self._speeds.seconds_per_image(backbone)

    def latency_s(self, backbone: str, image_size_px: int) -> float:
        """Seconds for a single photo on the CPU, where the delivered model runs."""
        return self._speeds.latency_s(backbone, image_size_px)

    def release_extractors(self) -> None:
        """Gives the memory of the networks back, some hundred megabytes each; what needs one again loads it again."""
        self._extractors.clear()

    def tap_widths(self, backbone: str) -> tuple[int, ...]:
        return self._weights[backbone].tap_widths

    def model_bytes(self, backbone: str) -> int:
        """Size of the backbone in a delivered model."""
        return self._weights[backbone].onnx_path.stat().st_size

    def joined(self, params: Params) -> Joined:
        """The features that a trial's parameters name, kept in memory for the next trials where they fit.

        Raises:
            KeyError: one of the blocks is not available.
        """
        names, taps, size = backbone_names(params), str(params["taps"]), int(params["image_size_px"])
        views = (False, True) if params.get("views") == MIRRORED_VIEW else (False,)
        keys = [
            ViewKey(backbones=names, taps=taps, image_size_px=size, mirrored=mirrored, is_unit=is_unit(params))
            for mirrored in views
        ]
        return Joined(*[self._views.get(key, partial(self._make_view, key, keys)) for key in keys])

    def _make_view(self, key: ViewKey, beside: Sequence[ViewKey]) -> View:
        parts = []
        for name in key.backbones:
            block = self._blocks[Block(name, key.image_size_px, key.mirrored)]
            parts += [block[:, start:end] for start, end in self._columns(name, key.taps)]
        normalisation = self._normalisation(key)
        fits = self._views.make_room(4 * len(parts[0]) * len(normalisation.mean), beside)
        return View(parts, normalisation, in_memory=fits)

    def _normalisation(self, key: ViewKey) -> Normalisation:
        """That of the plain photos, for the mirrored ones too."""
        blocks = [Block(name, key.image_size_px) for name in key.backbones]
        columns = [(block, start, end) for block in blocks for start, end in self._columns(block.backbone, key.taps)]
        if key.is_unit:
            return Normalisation.of_units([self._unit_mean_of(block, start, end) for block, start, end in columns])
        taps = [(self._moments_of(block), slice(start, end)) for block, start, end in columns]
        return Normalisation.standardised([Moments(of.mean[place], of.deviation[place]) for of, place in taps])

    def _columns(self, backbone: str, taps: str) -> list[tuple[int, int]]:
        """Where each tap that is used starts and ends in a block."""
        widths = self.tap_widths(backbone)
        ends = np.cumsum(widths).tolist()
        columns = [(end - width, end) for end, width in zip(ends, widths, strict=True)]
        return columns[-1:] if taps == LAST_TAP else columns

    def _moments_of(self, block: Block) -> Moments:
        if block not in self._moments:
            self._moments[block] = moments_of(self._blocks[block])
        return self._moments[block]

    def _unit_mean_of(self, block: Block, start: int, end: int) -> np.ndarray:
        if (block, start) not in self._unit_means:
            self._unit_means[block, start] = unit_mean(self._blocks[block][:, start:end])
        return self._unit_means[block, start]

    def _extractor(self, backbone: str) -> Extractor:
        if backbone not in self._extractors:
            self._extractors[backbone] = make_extractor(self._weights[backbone], len(self._images))
        return self._extractors[backbone]

    def _path(self, block: Block) -> Path:
        weights, size = self._weights[block.backbone], block.image_size_px
        if size not in self._content_keys:  # a digest over every photo
            self._content_keys[size] = content_key(self._images, size, self._rules)
        key = f"{self._content_keys[size]} {block.backbone} {weights.sha256}"
        if block.mirrored:
            key += f" {MIRRORED_VIEW}"
        return self._folder / f"features-{hashlib.sha256(key.encode()).hexdigest()[:32]}.npy"


def _share_of_memory() -> int:
    free = available_bytes()
    return _MEMORY_WHERE_UNKNOWN if free is None else int(_MEMORY_SHARE * free)

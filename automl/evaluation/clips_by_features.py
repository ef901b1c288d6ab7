"""Clips that small gray copies of the photos do not reveal, found by the features of a backbone before the first trial.

The photos that are learned from are searched class by class, in the order of their names. A neighbour belongs to the
same clip where its features are far more like those of this photo than photos are that stand half of the class apart.
What belongs together already stays together. The test photos were dealt out before there were features: `n_known`
counts those that look like frames of such a clip, without their labels.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from automl.datasets.clips import frame_key
from automl.datasets.split_groups import cut_clips
from automl.evaluation.nearest import FeatureMoments, directions, moments
from automl.images.sequences import FEWEST_FRAMES, far_pairs, joined, near_pairs, without_short_ones
from automl.records import DatasetManifest, ImageRecord, SplitPlan

_LEAST_LIKENESS, _FAR_QUANTILE, _LESS_UNLIKE_BY = 0.5, 0.99, 0.8
"""A neighbour is so much alike (the cosine of standardised features), and nearer than the most alike of photos that
stand far apart. Set on zooms, turns and bursts made from training photos of beans and hymenoptera, with MobileNetV2 at
160 px: no two of their 1,278 photos are joined, in the order of their names or in any other."""

_MORE_THAN_CHANCE = 4
"""As in `automl.images.sequences`."""

_ROWS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipsByFeatures:
    """The clips that were found.

    Attributes:
        manifest: The data set with these clips.
        rows: int (n,), their photos, as rows of the pool.
        limits: float32 (n,), how alike neighbours in each one's class are at least.
        n_clips: The number of clips.
    """

    manifest: DatasetManifest
    rows: np.ndarray
    limits: np.ndarray
    n_clips: int


def clips_by_features(manifest: DatasetManifest, plan: SplitPlan, features: np.ndarray) -> ClipsByFeatures | None:
    """The clips among the photos that are learned from; None where nothing is found that was not known.

    Nothing is looked for where the user has said what belongs together, or that the photos are separate ones.

    Args:
        manifest: The data set.
        plan: Says which photos are learned from.
        features: float (n_pool, n_features), raw; it may be memory-mapped.
    """
    if not manifest.keeps_clips or _has_named_groups(manifest.images):
        return None
    in_blocks = cut_clips(manifest.images).blocks
    series: defaultdict[str, list[int]] = defaultdict(list)
    for row, i in enumerate(plan.pool):
        if i not in in_blocks:
            series[manifest.images[i].label].append(row)
    of_pool = moments(features)
    found = [
        _clips_of_class(rows, [manifest.images[plan.pool[row]] for row in rows], _Likeness(features, of_pool))
        for rows in series.values()
        if len(rows) >= 2 * FEWEST_FRAMES
    ]
    return _all_of(manifest, plan, [one for one in found if one is not None])


def n_known(found: ClipsByFeatures, pool: np.ndarray, tested: np.ndarray) -> int:
    """How many test photos look like frames of the clips that were found.

    Args:
        found: The clips.
        pool: float (n_pool, n_features), of the photos that are learned from.
        tested: float (n_tested, n_features), of test photos.
    """
    of_pool = moments(pool)
    frames, views = directions(pool[found.rows], of_pool), directions(tested, of_pool)
    return sum(
        int((views[start : start + _ROWS] @ frames.T >= found.limits).any(axis=1).sum())
        for start in range(0, len(views), _ROWS)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfClass:
    """The clips of one class.

    Attributes:
        clips: The rows of the pool of each clip, in the order of its frames.
        limit: How alike neighbours are at least.
    """

    clips: Sequence[Sequence[int]]
    limit: float


def _has_named_groups(images: Sequence[ImageRecord]) -> bool:
    """Whether the user has put photos together: only what was found has an order."""
    last: defaultdict[str, int] = defaultdict(int)
    for image in images:
        if image.clip:
            last[image.clip] = max(last[image.clip], image.frame)
    return 0 in last.values()


def _clips_of_class(rows: Sequence[int], images: Sequence[ImageRecord], likeness: "_Likeness") -> _OfClass | None:
    """The clips that join photos which were not together; None where there are none.

    Args:
        rows: The rows of the pool that are photos of the class.
        images: These photos.
        likeness: Tells how alike rows of the pool are.
    """
    by_path = sorted(range(len(rows)), key=lambda place: (frame_key(images[place].name), images[place].sha256))
    # The frames of a clip may have been dealt out to the folders of a split: there the names alone put them in order.
    is_split = len({image.split for image in images}) > 1
    by_name = (
        sorted(by_path, key=lambda place: frame_key(PurePosixPath(images[place].name).name)) if is_split else by_path
    )
    limit = likeness.limit(np.take(rows, by_path))
    orders = [by_path, by_name] if is_split else [by_path]
    pairs = np.concatenate(
        [np.take(order, likeness.neighbours(np.take(rows, order), limit)) for order in map(np.array, orders)]
    )
    alike = without_short_ones(joined(len(rows), pairs.tolist()))
    known: dict[tuple[str, str], int] = {}
    groups = [(i, known.setdefault(key, i)) for i, image in enumerate(images) for key in _keys_of(image)]
    before = joined(len(rows), groups)
    after = joined(len(rows), [*groups, *enumerate(alike.tolist())])
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place in by_name:
        members[int(after[place])].append(place)
    clips = [[rows[place] for place in clip] for clip in members.values() if len(set(before[clip].tolist())) > 1]
    return _OfClass(clips=clips, limit=limit) if clips else None


@dataclass(frozen=True, slots=True)
class _Likeness:
    """How alike photos of the pool are.

    Attributes:
        features: float (n_pool, n_features), which may be larger than memory.
        of_pool: How they vary.
    """

    features: np.ndarray
    of_pool: FeatureMoments

    def limit(self, series: np.ndarray) -> float:
        """How alike neighbours in a clip are at least, from photos that stand half of the series of rows apart."""
        often = float(np.quantile(self._of(series[far_pairs(len(series))]), _FAR_QUANTILE))
        return max(_LEAST_LIKENESS, 1 - _LESS_UNLIKE_BY * (1 - often))

    def neighbours(self, series: np.ndarray, limit: float) -> np.ndarray:
        """The places of neighbours that are so alike, int (p, 2); none where photos far apart are so, too."""
        pairs = near_pairs(len(series))
        is_near = self._of(series[pairs]) >= limit
        by_chance = float((self._of(series[far_pairs(len(series))]) >= limit).mean())
        return np.asarray(pairs[is_near] if is_near.mean() > _MORE_THAN_CHANCE * by_chance else pairs[:0])

    def _of(self, pairs: np.ndarray) -> np.ndarray:
        """Of pairs of rows, float32 (p,); read block by block."""
        found = []
        for start in range(0, len(pairs), _ROWS):
            some, places = np.unique(pairs[start : start + _ROWS], return_inverse=True)
            one, other = directions(self.features[some], self.of_pool)[places.reshape(-1, 2).T]
            found.append(np.einsum("pf,pf->p", one, other))
        return np.concatenate(found)


def _keys_of(image: ImageRecord) -> list[tuple[str, str]]:
    """What photos that stay together have in common."""
    keys = (("contents", image.sha256), ("copies", image.group), ("clip", image.clip))
    return [key for key in keys if key[1]]


def _all_of(manifest: DatasetManifest, plan: SplitPlan, found: Sequence[_OfClass]) -> ClipsByFeatures | None:
    images = list(manifest.images)
    rows: list[int] = []
    limits: list[float] = []
    for of_class in found:
        for clip in of_class.clips:
            name = min(images[plan.pool[row]].sha256 for row in clip)
            for frame, row in enumerate(clip):
                images[plan.pool[row]] = replace(images[plan.pool[row]], clip=name, frame=frame)
            rows += clip
            limits += [of_class.limit] * len(clip)
    if not rows:
        return None
    return ClipsByFeatures(
        manifest=replace(manifest, images=tuple(images)),
        rows=np.array(rows),
        limits=np.array(limits, np.float32),
        n_clips=sum(len(one.clips) for one in found),
    )

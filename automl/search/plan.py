"""Which frozen features to compute, and in which order, so that the search ends in time."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from automl.records import Stage, TrialRecord
from automl.search.block import Block
from automl.search.space import MIRRORED_VIEW

INPUT_SIZES_PX = (96, 128, 160, 192, 224, 256, 288, 320)
SHARE_FOR_FEATURES = 0.55
SHARE_FOR_SECOND_SIZE = 0.25
SHARE_WITH_MIRRORED = 0.3
_SMALLEST_FUSED_PX = 160
_DOUBT = 0.1
_SECOND_SIZE = {320: 224, 288: 192, 256: 160, 224: 160, 192: 128, 160: 96, 128: 96}

IsAllowed = Callable[[Sequence[str], int], bool]
"""Whether a model of these backbones at this input size keeps the user's limits."""


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """Which frozen features a run computes.

    Attributes:
        blocks: in the order of work; the first one gives the first model.
    """

    blocks: tuple[Block, ...]

    @property
    def main_px(self) -> int:
        """The input size that every backbone of the plan is computed at."""
        return self.blocks[0].image_size_px

    @property
    def sizes_px(self) -> tuple[int, ...]:
        return tuple(sorted({block.image_size_px for block in self.blocks}))

    def extended(self, other: "FeaturePlan") -> "FeaturePlan":
        """This plan and what `other` has beyond it, where both have the same main size: else they do not combine."""
        more = other.blocks if other.main_px == self.main_px else ()
        return FeaturePlan(tuple(dict.fromkeys([*self.blocks, *more])))


def block_seconds(seconds_per_image: float, image_size_px: int, n_images: int) -> float:
    """Predicted seconds of one block. `seconds_per_image` is for 224 px; the time grows with the area."""
    return n_images * seconds_per_image * (image_size_px / 224) ** 2


def plan_of(trials: Sequence[TrialRecord], best: TrialRecord) -> FeaturePlan:
    """The blocks that earlier trials used, those of the best one first: a run that was broken off goes on with them."""
    heads = [trial for trial in (best, *trials) if trial.stage is Stage.HEADS]
    blocks = [Block(name, trial.image_size_px) for trial in heads for name in trial.backbones]
    blocks.sort(key=lambda block: block.image_size_px != heads[0].image_size_px)  # the main size comes first
    mirrored = _mirrored(blocks) if any(trial.params.get("views") == MIRRORED_VIEW for trial in heads) else []
    return FeaturePlan(tuple(dict.fromkeys([*blocks, *mirrored])))


def make_plan(
    seconds_per_image: Mapping[str, float],
    *,
    n_images: int,
    search_s: float,
    max_image_size_px: int,
    computed: Collection[Block] = (),
    is_allowed: IsAllowed = lambda _names, _size: True,
) -> FeaturePlan:
    """Chooses as many backbones as fit, fastest first, and the largest input size at which they do.

    A second, smaller size follows where it costs little, so that the search can choose between input sizes; the
    mirrored photos follow where there is plenty of time.

    Args:
        seconds_per_image: measured for each backbone at 224 px; not empty. Without a clock only its order counts.
        n_images: photos that are learned from.
        search_s: seconds that are left for the whole search; infinite for no clock.
        max_image_size_px: the largest input size that the user allows.
        computed: blocks that an earlier run on the same photos has left; they cost nothing.
        is_allowed: must be true of one backbone at the smallest input size.
    """
    costs = _BlockCosts(
        seconds_per_image=seconds_per_image, n_images=n_images, computed=computed, is_allowed=is_allowed
    )
    sizes = [size for size in INPUT_SIZES_PX if size <= max(max_image_size_px, INPUT_SIZES_PX[0])]
    usable = [name for name in seconds_per_image if is_allowed([name], sizes[0])]
    if math.isfinite(search_s):
        # A short timing is off by a tenth or two, and of backbones that are about as fast the preferred one goes first.
        doubt = {name: 1 + _DOUBT * rank for rank, name in enumerate(usable)}
        usable.sort(key=lambda name: seconds_per_image[name] * doubt[name])
    chosen, main = _as_many_as_fit(costs, usable, sizes, within_s=search_s * SHARE_FOR_FEATURES)
    blocks = costs.blocks(chosen, main)
    if main in _SECOND_SIZE:
        second = costs.blocks(chosen, _SECOND_SIZE[main])
        if costs.seconds(second) <= search_s * SHARE_FOR_SECOND_SIZE:
            blocks += second
    # Trials combine every view with every size, so half of the mirrored photos would be of no use.
    if costs.seconds([*blocks, *_mirrored(blocks)]) <= search_s * SHARE_WITH_MIRRORED:
        blocks += _mirrored(blocks)
    return FeaturePlan(tuple(blocks))


@dataclass(frozen=True, slots=True, kw_only=True)
class _BlockCosts:
    """Which blocks are possible, and what they cost; the fields are explained at `make_plan`."""

    seconds_per_image: Mapping[str, float]
    n_images: int
    computed: Collection[Block]
    is_allowed: IsAllowed

    def blocks(self, names: Sequence[str], size: int) -> list[Block]:
        """Those of the backbones at this size whose models may be delivered."""
        return [Block(name, size) for name in names if self.is_allowed([name], size)]

    def seconds(self, blocks: Sequence[Block]) -> float:
        missing = [block for block in blocks if block not in self.computed]
        return sum(
            block_seconds(self.seconds_per_image[one.backbone], one.image_size_px, self.n_images) for one in missing
        )


def _as_many_as_fit(
    costs: _BlockCosts, usable: Sequence[str], sizes: Sequence[int], *, within_s: float
) -> tuple[Sequence[str], int]:
    """The first backbones of `usable`, as many as fit, and the largest size at which they do.

    Where nothing fits, the first backbone at the smallest size.
    """
    for n in range(len(usable), 0, -1):
        # One more backbone is worth more than sharper pictures, down to the size at which details are lost.
        smallest = min(_SMALLEST_FUSED_PX, sizes[-1]) if n > 1 else sizes[0]
        for size in reversed([size for size in sizes if size >= smallest]):
            blocks = costs.blocks(usable[:n], size)
            if blocks and costs.seconds(blocks) <= within_s:
                return usable[:n], size
    return usable[:1], sizes[0]


def _mirrored(blocks: Sequence[Block]) -> list[Block]:
    return [replace(block, mirrored=True) for block in blocks]

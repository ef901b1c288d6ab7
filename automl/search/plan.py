"""Which frozen features to compute, and in which order, so that the search ends in time."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from automl.backbone_table import BACKBONES
from automl.records import USUAL_SIZE_PX, Stage, TrialRecord
from automl.search.block import Block
from automl.search.expectations import Expectations
from automl.search.space import MIRRORED_VIEW

INPUT_SIZES_PX = (96, 128, 160, 192, 224, 256, 288, 320)
SHARE_FOR_FEATURES = 0.55
SHARE_FOR_SECOND_SIZE = 0.1
SHARE_WITH_MIRRORED = 0.3
PRICE_PERCENT = 1.0
"""Features that take the whole time must save so many errors in a hundred photos, those that take less their part."""
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


def largest_size_px(wished_px: int | None, *, detail_px: int, backbones: Collection[str], has_clock: bool) -> int:
    """The largest input size that a plan may choose.

    Without a wish it exceeds the usual one where a clock says whether there is time, some backbone was drawn for more,
    and half of the photos have so many pixels: what is enlarged shows nothing new.

    Args:
        wished_px: the largest size that the user allows; None for no wish.
        detail_px: the median of the photos' shorter sides.
        backbones: those that may be used.
        has_clock: whether the run has one.
    """
    if wished_px is not None:
        return wished_px
    if not has_clock:
        return USUAL_SIZE_PX
    drawn_px = max(BACKBONES[name].figures.drawn_px for name in backbones)
    possible = [size for size in INPUT_SIZES_PX if size <= min(detail_px, drawn_px)]
    return max([USUAL_SIZE_PX, *possible])


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
    expectations: Expectations,
    n_images: int,
    search_s: float,
    max_image_size_px: int,
    computed: Collection[Block] = (),
    is_allowed: IsAllowed = lambda _names, _size: True,
) -> FeaturePlan:
    """Chooses the backbones and the input size of which the best model is expected, among those that fit.

    The quickest of them comes first, so that there is a model early, then the others by what they are expected to add.
    A second, smaller size follows where it costs little, so that the search can choose between input sizes; the
    mirrored photos follow where there is plenty of time.

    Args:
        seconds_per_image: measured for each backbone at 224 px; not empty. Without a clock only its order counts.
        expectations: of the accuracy that backbones reach.
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
        chosen, main = _worth_most(costs, usable, sizes, expectations=expectations, search_s=search_s)
    else:
        chosen, main = usable, max(size for size in sizes if any(is_allowed([name], size) for name in usable))
    blocks = costs.blocks(chosen, main)
    if main in _SECOND_SIZE:
        second = costs.blocks(chosen, _SECOND_SIZE[main])
        if costs.seconds(second) <= search_s * SHARE_FOR_SECOND_SIZE:
            blocks += second
    # Trials combine every view with every size, so half of the mirrored photos would be of no use.
    if costs.seconds([*blocks, *_mirrored(blocks)]) <= search_s * SHARE_WITH_MIRRORED:
        blocks += _mirrored(blocks)
    return FeaturePlan(tuple(blocks))


def still_worth_it(
    done: Sequence[str],
    candidates: Mapping[str, float],
    *,
    expectations: Expectations,
    left_s: float,
    image_size_px: int = 224,
    is_allowed: IsAllowed = lambda _names, _size: True,
) -> list[str]:
    """Which backbones to go on with, the one that is expected to add most first.

    Args:
        done: the backbones whose features are there.
        candidates: the seconds that the features of each other backbone still take.
        expectations: of the accuracy, with what was seen of `done`.
        left_s: seconds that are left for the whole search; finite.
        image_size_px: the input size of all.
        is_allowed: whether a model of backbones side by side keeps the user's limits.
    """

    options = [
        _Option(names=names, image_size_px=image_size_px, seconds=sum(candidates[name] for name in names))
        for names in _subsets(list(candidates))
    ]
    judge = _Judge(expectations=expectations, search_s=left_s, is_allowed=is_allowed, done=done)
    best = min((option for option in options if judge.fits(option)), key=judge.cost)
    return expectations.by_gain(best.names, beside=done)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Option:
    """Some backbones that could be used.

    Attributes:
        names: of the backbones.
        image_size_px: the input size of all.
        seconds: that their features take.
    """

    names: tuple[str, ...]
    image_size_px: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Says what an option is worth.

    Attributes:
        expectations: of the accuracy.
        search_s: seconds that are left for the whole search; finite.
        is_allowed: whether a model of backbones side by side keeps the user's limits.
        done: backbones whose features are there, whatever is chosen.
    """

    expectations: Expectations
    search_s: float
    is_allowed: IsAllowed
    done: Sequence[str] = ()

    def fits(self, option: _Option) -> bool:
        return option.seconds <= self.search_s * SHARE_FOR_FEATURES

    def cost(self, option: _Option) -> float:
        """The errors in percent that are expected of the best model, and those that its seconds must save."""
        together: list[str] = []
        for name in self.expectations.strongest([*self.done, *option.names]):
            if self.is_allowed([*together, name], option.image_size_px):
                together.append(name)
        errors = self.expectations.errors(together, option.image_size_px)
        return errors + PRICE_PERCENT * option.seconds / max(self.search_s, 1e-9)


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

    def options(self, names: Sequence[str], size: int) -> list[_Option]:
        """Every choice of the backbones at this size, each in the given order."""
        deliverable = [block.backbone for block in self.blocks(names, size)]
        return [
            _Option(names=chosen, image_size_px=size, seconds=self.seconds(self.blocks(chosen, size)))
            for chosen in _subsets(deliverable)
            if chosen
        ]


def _worth_most(
    costs: _BlockCosts, usable: Sequence[str], sizes: Sequence[int], *, expectations: Expectations, search_s: float
) -> tuple[Sequence[str], int]:
    """The backbones, in the order of work, and their input size. Where nothing fits, the quickest at the smallest."""
    # A short timing is off by a tenth or two, and of backbones that are about as fast the preferred one goes first.
    doubt = {name: 1 + _DOUBT * rank for rank, name in enumerate(usable)}
    quickest_first = sorted(usable, key=lambda name: costs.seconds_per_image[name] * doubt[name])
    judge = _Judge(expectations=expectations, search_s=search_s, is_allowed=costs.is_allowed)
    options = [option for size in sizes for option in costs.options(quickest_first, size) if judge.fits(option)]
    if not options:
        return quickest_first[:1], sizes[0]
    best = min(options, key=judge.cost)
    first, *others = best.names
    return [first, *expectations.by_gain(others, beside=[first])], best.image_size_px


def _subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Every choice of them, each in the order of `names`, from none to all."""
    return [chosen for n in range(len(names) + 1) for chosen in combinations(names, n)]


def _mirrored(blocks: Sequence[Block]) -> list[Block]:
    return [replace(block, mirrored=True) for block in blocks]

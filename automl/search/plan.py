"""Which frozen features to compute, and in which order, so that the search ends in time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from automl.records import TrialRecord

INPUT_SIZES_PX = (96, 128, 160, 192, 224, 256, 288, 320)
SHARE_FOR_FEATURES = 0.55
SHARE_FOR_SECOND_SIZE = 0.25
_SMALLEST_FUSED_PX = 160
_SECOND_SIZE = {320: 224, 288: 192, 256: 160, 224: 160, 192: 128, 160: 96, 128: 96}


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """`blocks`: (backbone, input size) in the order of work; the first gives the first model."""

    blocks: tuple[tuple[str, int], ...]

    @property
    def sizes_px(self) -> tuple[int, ...]:
        return tuple(sorted({size for _, size in self.blocks}))


def block_seconds(seconds_per_image: float, image_size_px: int, n_images: int) -> float:
    """Predicted time of one block; `seconds_per_image` is for 224 px and grows with the area."""
    return n_images * seconds_per_image * (image_size_px / 224) ** 2


def plan_of(trials: Sequence[TrialRecord], best: TrialRecord) -> FeaturePlan:
    """The blocks that earlier trials used, those of the best one first: what a run that was broken off goes on with."""
    blocks = [(name, best.image_size_px) for name in best.backbones]
    used = [(name, trial.image_size_px) for trial in trials for name in trial.backbones]
    used.sort(key=lambda block: block[1] != best.image_size_px)
    return FeaturePlan(tuple(dict.fromkeys([*blocks, *used])))


def make_plan(
    seconds_per_image: Mapping[str, float],
    n_images: int,
    search_s: float,
    max_image_size_px: int,
    computed: Collection[tuple[str, int]] = (),
) -> FeaturePlan:
    """Chooses as many backbones as fit, fastest first, and the largest input size at which they do.

    A second, smaller size follows where it costs little, so that the input size is a true dimension of the search.

    Args:
        seconds_per_image: measured for each backbone at 224 px; not empty.
        search_s: seconds that are left for the whole search.
        computed: blocks that an earlier run on the same photos has left; they cost nothing.
    """
    sizes = [size for size in INPUT_SIZES_PX if size <= max(max_image_size_px, INPUT_SIZES_PX[0])]
    fastest_first = sorted(seconds_per_image, key=lambda name: seconds_per_image[name])

    def cost(names: Sequence[str], size: int) -> float:
        missing = [name for name in names if (name, size) not in computed]
        return sum(block_seconds(seconds_per_image[name], size, n_images) for name in missing)

    share = search_s * SHARE_FOR_FEATURES
    for n in range(len(fastest_first), 0, -1):
        chosen = fastest_first[:n]
        # One more backbone is worth more than sharper pictures, down to the size at which details are lost.
        smallest = _SMALLEST_FUSED_PX if n > 1 else sizes[0]
        fitting = [size for size in sizes if size >= smallest and cost(chosen, size) <= share]
        if fitting:
            break
    main = max(fitting, default=sizes[0])
    blocks = [(name, main) for name in chosen]
    second = _SECOND_SIZE.get(main)
    if second is not None and cost(chosen, second) <= search_s * SHARE_FOR_SECOND_SIZE:
        blocks += [(name, second) for name in chosen]
    return FeaturePlan(tuple(blocks))

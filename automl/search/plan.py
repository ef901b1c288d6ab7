"""Which frozen features to compute, and in which order, so that the search ends in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

INPUT_SIZES_PX = (96, 128, 160, 192, 224, 256, 288, 320)
SHARE_FOR_FEATURES = 0.55
SHARE_FOR_SECOND_SIZE = 0.25
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


def make_plan(
    seconds_per_image: Mapping[str, float], n_images: int, search_s: float, max_image_size_px: int
) -> FeaturePlan:
    """Chooses the largest input size at which all backbones fit, else at which the fastest one fits.

    A second, smaller size follows where it costs little, so that the input size is a true dimension of the search.

    Args:
        seconds_per_image: measured for each backbone at 224 px; not empty.
        search_s: seconds that are left for the whole search.
    """
    sizes = [size for size in INPUT_SIZES_PX if size <= max(max_image_size_px, INPUT_SIZES_PX[0])]
    fastest_first = sorted(seconds_per_image, key=lambda name: seconds_per_image[name])

    def cost(names: Sequence[str], size: int) -> float:
        return sum(block_seconds(seconds_per_image[name], size, n_images) for name in names)

    share = search_s * SHARE_FOR_FEATURES
    wanted = [size for size in sizes if size >= 160] or sizes
    for names in (fastest_first, fastest_first[:1]):
        fitting = [size for size in (wanted if len(names) > 1 else sizes) if cost(names, size) <= share]
        if fitting:
            break
    main = max(fitting, default=sizes[0])
    chosen = [name for i, name in enumerate(fastest_first) if i == 0 or cost(fastest_first[: i + 1], main) <= share]
    blocks = [(name, main) for name in chosen]
    second = _SECOND_SIZE.get(main)
    if second is not None and cost(chosen, second) <= search_s * SHARE_FOR_SECOND_SIZE:
        blocks += [(name, second) for name in chosen]
    return FeaturePlan(tuple(blocks))

"""What accuracy backbones are expected to reach: by what is published of them, then by what was seen on the photos."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from automl.backbone_table import BACKBONES

TRANSFER_EXPONENT = 0.5
"""A user's few classes are told apart by so many percent: the errors on ImageNet's 1,000 classes, to this power.

Half as many errors there are far from half as many here: on the training photos of beans, and of ants and bees, the
five networks that are fetched differ less, and not always in that order (docs/benchmarks.md).
"""
FUSION_GAIN, FAMILY_GAIN = 0.16, 0.10
"""A second backbone that is as good as the first takes so much of the errors away, one of its family the second share.

Each further one takes half as much as the one before it. Measured as above: 4 to 28 % and 7 to 16 %.
"""
BIGGER_PICTURES = {96: 2.3, 128: 1.7, 160: 1.3, 192: 1.12, 224: 1.0, 256: 0.97, 288: 0.96, 320: 0.96}
"""Errors by input size, those at 224 px being 1: measured as above at 96 and 160 px, and above 224 px on
ants and bees: networks alone gain a twentieth there, side by side more, of which half is believed. 320 px is a guess.

The published accuracies fall less, but those networks were trained on small pictures.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is known of a backbone before it has seen the user's photos.

    Attributes:
        top_1_percent: its published accuracy on ImageNet.
        family: backbones of one family err on the same photos more often.
    """

    top_1_percent: float
    family: str


PRIORS = {
    name: Prior(top_1_percent=row.figures.top_1_percent, family=row.architecture.family)
    for name, row in BACKBONES.items()
}
"""Of every backbone in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Expected errors in percent of the photos.

    Attributes:
        priors: of each backbone.
        seen_percent: the best validation accuracy so far of those that were tried alone on the user's photos.
    """

    priors: Mapping[str, Prior]
    seen_percent: Mapping[str, float] = field(default_factory=dict)

    def errors(self, backbones: Collection[str], image_size_px: int = 224) -> float:
        """Of a model on these backbones side by side; of no backbone it is 100."""
        if not backbones:
            return 100.0
        first, *others = self.strongest(backbones)
        errors, families, gains = self._alone(first), {self.priors[first].family}, []
        for name in others:
            family = self.priors[name].family
            gain = FAMILY_GAIN if family in families else FUSION_GAIN
            gains.append(gain * errors / self._alone(name))  # one that is worse than the best adds less to it
            families.add(family)
        for rank, gain in enumerate(sorted(gains, reverse=True)):
            errors *= 1 - gain / 2**rank
        return errors * BIGGER_PICTURES[image_size_px]

    def strongest(self, backbones: Iterable[str]) -> list[str]:
        """The backbones, the one with the fewest expected errors first."""
        return sorted(backbones, key=self._alone)

    def by_gain(self, backbones: Iterable[str], *, beside: Iterable[str]) -> list[str]:
        """The backbones, always the one next that adds most to those `beside` and to the ones before it."""
        there, left, order = list(beside), list(backbones), []
        while left:
            gains_most = min(left, key=lambda name: self.errors([*there, name]))
            left.remove(gains_most)
            there.append(gains_most)
            order.append(gains_most)
        return order

    def _alone(self, backbone: str) -> float:
        if backbone in self.seen_percent:
            return _errors(self.seen_percent[backbone])
        return self._published(backbone) * self._difficulty()

    def _published(self, backbone: str) -> float:
        return math.pow(_errors(self.priors[backbone].top_1_percent), TRANSFER_EXPONENT)

    def _difficulty(self) -> float:
        """How many times the expected errors were seen on these photos; that they are as expected counts as one try."""
        seen = [math.log(_errors(percent) / self._published(name)) for name, percent in self.seen_percent.items()]
        return math.exp(sum(seen) / (1 + len(seen)))


def _errors(accuracy_percent: float) -> float:
    return max(0.1, 100 - accuracy_percent)

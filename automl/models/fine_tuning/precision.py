"""Whether mixed precision and XLA make a training step faster, decided by timing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

WORTH_IT = 0.95
"""A variant must take less than this share of the plain step's time: a tie goes to what is numerically plainer."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Precision:
    """How a training step computes.

    Attributes:
        mixed: whether activations are bfloat16, as tensor cores of GPUs want them, instead of float32.
        xla: whether the step is compiled by XLA.
    """

    mixed: bool = False
    xla: bool = False


PLAIN = Precision()
"""float32 without a compiler, which every device can do."""


def fastest(seconds: Callable[[Precision], float]) -> Precision:
    """The precision with the quickest training step.

    XLA is tried on top of the better of the two types only, since compiling is what takes long. A variant that raises
    an exception is not chosen; an exception of the plain step is raised.

    seconds: measures a training step.
    """
    plain_s = seconds(PLAIN)
    mixed_s = _seconds(seconds, Precision(mixed=True))
    better = Precision(mixed=mixed_s < WORTH_IT * plain_s)
    compiled = replace(better, xla=True)
    better_s = mixed_s if better.mixed else plain_s
    return compiled if _seconds(seconds, compiled) < WORTH_IT * better_s else better


def _seconds(seconds: Callable[[Precision], float], precision: Precision) -> float:
    try:
        return seconds(precision)
    except Exception as error:  # noqa: BLE001 - whatever a device cannot do, the plain step can
        _log.info(
            "a variant of the training step does not run here",
            mixed=precision.mixed,
            xla=precision.xla,
            exc_info=error,
        )
        return float("inf")

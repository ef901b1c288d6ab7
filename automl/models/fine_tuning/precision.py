"""Whether mixed precision and XLA make a training step faster, decided by timing it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

WORTH_IT = 0.95
"""A variant must take less than this share of the plain step's time: a tie goes to what is numerically plainer."""

_log = structlog.stdlib.get_logger(__name__)


def fastest(probe: Callable[[bool, bool], float]) -> tuple[bool, bool]:
    """(mixed, xla) of the fastest variant.

    `probe(mixed, xla)`: seconds per training step. XLA is tried on top of the better precision only, since compiling is
    what costs. A variant that raises does not help; if the plain one raises, so does this.
    """
    plain_s = probe(False, False)
    mixed_s = _seconds(probe, True, False)
    mixed = mixed_s < WORTH_IT * plain_s
    xla = _seconds(probe, mixed, True) < WORTH_IT * (mixed_s if mixed else plain_s)
    return mixed, xla


def _seconds(probe: Callable[[bool, bool], float], mixed: bool, xla: bool) -> float:
    try:
        return probe(mixed, xla)
    except Exception as error:  # noqa: BLE001 - whatever a device cannot do, the plain step can
        _log.info("a variant of the training step does not run here", mixed=mixed, xla=xla, exc_info=error)
        return float("inf")

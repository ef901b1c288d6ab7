"""How exactly a device computes, and whether mixed precision and XLA make a training step faster, by timing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import structlog

FULL, HALF, BRAIN = "float32", "mixed_float16", "mixed_bfloat16"
"""Keras' names of the types that layers compute in; their variables stay float32.

Features are computed in float16, which has three bits more than bfloat16: the delivered model computes in float32 and
must see the same. Training needs the range of bfloat16, or its loss would have to be scaled.
"""

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

    def in_words(self) -> str:
        """Such as "mixed xla", from which `of_words` makes it again."""
        return " ".join(name for name, is_on in asdict(self).items() if is_on)

    @classmethod
    def of_words(cls, words: str) -> Precision:
        """What `in_words` has named."""
        return cls(**dict.fromkeys(words.split(), True))


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


@contextmanager
def computing_in(policy: str) -> Iterator[None]:
    """Layers that are made inside compute in FULL, HALF or BRAIN."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)

"""Whether compiling by XLA pays: it makes a call shorter, but is done anew in each process for each shape of inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import structlog

from automl.models.precision import WORTH_IT
from automl.models.timing import quickest_s

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledGain:
    """What compiling one function is worth on this machine.

    Attributes:
        saved_s: seconds that a compiled call takes less.
        compile_s: seconds of compiling, for each shape of inputs.
    """

    saved_s: float
    compile_s: float

    def pays(self, n_calls: int, n_shapes: int = 1) -> bool:
        """Whether so many calls with inputs of so many shapes are quicker, compiling included."""
        return self.saved_s * n_calls > self.compile_s * n_shapes

    def in_words(self) -> str:
        """Such as "0.0012 3.4", from which `of_words` makes it again."""
        return f"{self.saved_s:.3g} {self.compile_s:.3g}"

    @classmethod
    def of_words(cls, words: str) -> CompiledGain:
        """What `in_words` has named."""
        saved_s, compile_s = map(float, words.split())
        return cls(saved_s=saved_s, compile_s=compile_s)


NO_GAIN = CompiledGain(saved_s=0.0, compile_s=0.0)
"""Of a function that does not compile, gives something else or becomes no quicker: no number of calls pays."""


def gain_of(
    plain: Callable[[], np.ndarray],
    compiled: Callable[[], np.ndarray],
    *,
    agree: Callable[[np.ndarray, np.ndarray], bool],
) -> CompiledGain:
    """Times a function as it is and compiled.

    Args:
        plain: calls the function.
        compiled: calls it compiled; the first call compiles it.
        agree: takes what `compiled` and `plain` give; whether that is near enough.
    """
    try:
        first_s = quickest_s(compiled, 1)
        if not agree(compiled(), plain()):
            return NO_GAIN
        plain_s, compiled_s = quickest_s(plain, 2), quickest_s(compiled, 2)
    except Exception as error:  # noqa: BLE001 - what does not compile here is left as it is
        _log.info("a function does not compile here", exc_info=error)
        return NO_GAIN
    if compiled_s >= WORTH_IT * plain_s:
        return NO_GAIN
    return CompiledGain(saved_s=plain_s - compiled_s, compile_s=max(0.0, first_s - compiled_s))

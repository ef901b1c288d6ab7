"""How long networks take on this machine: one of them is measured by each run, the others as multiples of it."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path

from automl.models.device import gpu_name, has_gpu, tensorflow_version
from automl.models.measured import measured
from automl.models.weights.cache import InstalledWeights
from automl.processors import n_processors, processor_name


class RelativeTimes:
    """Seconds of each network. How many times as long as the first one it takes is measured once and kept.

    On one machine that hardly changes, so only its first run loads and times all networks. The first network is timed
    anew by each run: where other work makes the machine slower, all are taken to be slower by as much.

    Args:
        what: names the seconds, such as "features".
        measure: seconds of a network, by name.
        weights: of the networks, by name; the first one is the one that is timed anew.
        device: what is computed on, with the versions that may change how quick it is.
        kept: the file of what was measured about this machine.
    """

    def __init__(
        self,
        what: str,
        measure: Callable[[str], float],
        *,
        weights: Mapping[str, InstalledWeights],
        device: Callable[[], str],
        kept: Path,
    ) -> None:
        self._what, self._measure, self._weights = what, measure, weights
        self._device, self._kept = device, kept
        self._first = next(iter(weights))

    def seconds(self, name: str) -> float:
        """Of one network, as quick as the machine is now."""
        if name == self._first:
            return self._first_s
        return self._first_s * float(measured(self._question(name), partial(self._ratio, name), self._kept))

    @cached_property
    def _first_s(self) -> float:
        return self._measure(self._first)

    def _ratio(self, name: str) -> str:
        # The first one once more, at once: other work that has come or gone since must not stick to this network.
        return f"{self._measure(name) / self._measure(self._first):.4g}"

    def _question(self, name: str) -> str:
        one, other = (f"{each} {self._weights[each].sha256}" for each in (name, self._first))
        return f"seconds for {self._what} of {one} in those of {other} on {self._device()}"


def device_of_features() -> str:
    """What features are computed on."""
    return f"{gpu_name()} with {tensorflow_version()}" if has_gpu() else processors()


def processors() -> str:
    """What the delivered model runs on."""
    return f"{n_processors()} of {processor_name()} with {version('onnxruntime')}"

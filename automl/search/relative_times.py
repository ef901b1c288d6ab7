"""How long networks take on this machine: one of them is timed by each run, the others are multiples of it."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from automl.models.device import gpu_name, has_gpu, tensorflow_version
from automl.models.measured import keep_quickest, kept_quickest
from automl.models.weights.cache import InstalledWeights
from automl.processors import n_processors, processor_name

_MOST_UNEXPECTED = 1.6
"""By so much a machine is believed to differ from the table: the five networks that are fetched differed by a third."""


class RelativeTimes:
    """Seconds of each network, of which the quickest of all runs on the machine are kept.

    How many times as long as the first one a network takes hardly changes on one machine, so only the first one is
    timed anew by each run: where other work makes the machine slower, all are taken to be slower by as much. Other work
    makes a network slower and never quicker, so what a busy run has kept is replaced by a quicker time of a later one.

    Args:
        what: names the seconds, such as "features".
        measure: seconds of a network, by name.
        expected: how many times as long as the first one a network takes, where this machine has not timed both; None
            where nobody knows, so that it is timed at once.
        weights: of the networks, by name; the first one is the one that is timed anew.
        device: what is computed on, with the versions that may change how quick it is.
        kept: the file of what was measured about this machine.
    """

    def __init__(
        self,
        what: str,
        measure: Callable[[str], float],
        *,
        expected: Callable[[str, str], float | None] = lambda _name, _first: None,
        weights: Mapping[str, InstalledWeights],
        device: Callable[[], str],
        kept: Path,
    ) -> None:
        self._what, self._measure, self._expected, self._weights = what, measure, expected, weights
        self._device, self._kept = device, kept
        self._first = next(iter(weights))
        self._first_now_s: float | None = None
        self._ratios: dict[str, float] = {}  # those that were asked for, so that each is read from the file once

    def seconds(self, name: str) -> float:
        """Of one network, as quick as the machine is now."""
        return self._first_s if name == self._first else self._first_s * self._ratio(name)

    def learn(self, name: str, seconds: float) -> None:
        """Takes what a network took in the real work of this run."""
        keep_quickest(self._question(name), seconds, self._kept)
        self._ratios.pop(name, None)
        if name == self._first:
            self._ratios.clear()
            self._first_now_s = seconds

    @property
    def _first_s(self) -> float:
        if self._first_now_s is None:
            self._first_now_s = self._measure(self._first)
        return self._first_now_s

    def _ratio(self, name: str) -> float:
        if name not in self._ratios:
            expected, known = self._expected(name, self._first), self._known_ratio(name)
            if known and expected:
                # One of both may have been seen in busy moments only.
                known = min(max(known, expected / _MOST_UNEXPECTED), expected * _MOST_UNEXPECTED)
            self._ratios[name] = known or expected or self._measured_ratio(name)
        return self._ratios[name]

    def _known_ratio(self, name: str) -> float | None:
        one_s, first_s = (kept_quickest(self._question(each), self._kept) for each in (name, self._first))
        return one_s / first_s if one_s and first_s else None

    def _measured_ratio(self, name: str) -> float:
        # The first one once more, at once: other work that has come or gone since must not stick to this network.
        one_s, first_s = self._measure(name), self._measure(self._first)
        for each, seconds in ((name, one_s), (self._first, first_s)):
            keep_quickest(self._question(each), seconds, self._kept)
        return one_s / first_s

    def _question(self, name: str) -> str:
        return f"quickest seconds for {self._what} of {name} {self._weights[name].sha256} on {self._device()}"


def device_of_features() -> str:
    """What features are computed on."""
    return f"{gpu_name()} with {tensorflow_version()}" if has_gpu() else processors()


def processors() -> str:
    """What the delivered model runs on."""
    return f"{n_processors()} of {processor_name()} with {version('onnxruntime')}"

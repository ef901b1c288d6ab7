"""Runs of a benchmark that takes hours: each is kept as a line of JSON, so that the rest may be made another time."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

from automl.text.durations import parse_duration

Key = Mapping[str, Any]
"""What is to be run, such as {"data": "beans", "seed": 0}: JSON values that are not nested."""


class Series:
    """Makes runs one after another, as long as there is time, and keeps each as soon as it has ended.

    Args:
        file: of the kept runs, one JSON object a line: those in it are not made again. None to keep nothing.
        at_most_s: seconds after which no further run is begun, nor one that would end later; None for no limit.
        clock: monotonic seconds.
    """

    def __init__(
        self, file: Path | None, at_most_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file, self._at_most_s, self._clock = file, at_most_s, clock
        self._began_s = clock()
        self._kept: dict[Hashable, dict[str, Any]] = {}
        if file is not None and file.exists():
            self._kept = {_identity(line["key"]): line["run"] for line in _lines(file)}
        self.n_missing = 0

    @classmethod
    def of_options(cls, options: argparse.Namespace) -> "Series":
        """That of the options which `add_options` has added."""
        return cls(options.resume, None if options.at_most is None else parse_duration(options.at_most))

    @property
    def is_whole(self) -> bool:
        """Whether every run that was asked for is there."""
        return self.n_missing == 0

    def runs(
        self, keys: Iterable[Key], make: Callable[[Key], dict[str, Any]], *, takes_s: Callable[[Key], float]
    ) -> list[dict[str, Any]]:
        """The runs of these keys, in their order: those that are kept, and as many others as there is time for.

        Args:
            make: makes the run of a key; its values become JSON.
            takes_s: how many seconds it may take, so that one that does not fit is left for the next time.

        Returns:
            Each run with the values of its key. `n_missing` says how many are not among them.
        """
        found = []
        for key in keys:
            if _identity(key) not in self._kept:
                if not self._has_time_for(takes_s(key)):
                    self.n_missing += 1
                    continue
                self._keep(key, make(key))
            found.append({**key, **self._kept[_identity(key)]})
        return found

    def _has_time_for(self, seconds: float) -> bool:
        return self._at_most_s is None or self._clock() - self._began_s + seconds <= self._at_most_s

    def _keep(self, key: Key, run: dict[str, Any]) -> None:
        line = json.dumps({"key": dict(key), "run": run})
        print(line, file=sys.stderr, flush=True)
        self._kept[_identity(key)] = json.loads(line)["run"]
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a") as file:
                file.write(line + "\n")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--resume` and `--at-most`."""
    parser.add_argument("--resume", type=Path, metavar="FILE", help="JSON lines of runs, which are not made again")
    parser.add_argument("--at-most", metavar="TIME", help="such as 9m: what would end later is left for the next time")


def _lines(file: Path) -> list[dict[str, Any]]:
    """The whole lines; one that was cut off, where the benchmark was ended while it wrote, is removed from the file."""
    text = file.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole)
    return [json.loads(line) for line in whole.splitlines()]


def _identity(key: Key) -> Hashable:
    return frozenset(key.items())

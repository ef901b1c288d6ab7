"""Charts that pages draw from figures, as SVG: they follow the colours of the page and are sharp at every size.

What is drawn stands in a table beside it as well, for whoever does not see it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 240
"""Of the drawing, in the pixels of a phone: there its letters have the size that they are written in."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 42
_STEPS = (1, 2, 2.5, 5, 10)
_MOST_TICKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The values along one side of a chart.

    Attributes:
        words: What they are, with their unit.
        low: The value at its beginning.
        high: The value at its end, larger than `low`.
    """

    words: str
    low: float
    high: float

    @classmethod
    def of_percents(cls, words: str, values: Sequence[float], *, least: float) -> "Scale":
        """Between round numbers around all values, 0-100. least: by so much the ends differ at least."""
        middle, half = (min(values) + max(values)) / 2, max(max(values) - min(values), least) / 2
        step = _round_step(2 * half)
        low, high = math.floor((middle - half) / step) * step, math.ceil((middle + half) / step) * step
        return cls(words=words, low=max(low, 0.0), high=min(high, 100.0))

    @property
    def ticks(self) -> tuple[float, ...]:
        """Round numbers along it."""
        step = _round_step(self.high - self.low)
        first = math.ceil(self.low / step - 1e-9)
        n = math.floor((self.high - first * step) / step + 1e-9) + 1
        return tuple(round((first + i) * step, 6) for i in range(n))

    def share(self, value: float) -> float:
        """Where a value lies, 0 at the beginning and 1 at the end."""
        return (value - self.low) / (self.high - self.low)


def _round_step(span: float) -> float:
    """The smallest round number of which at most so many fit into `span` as can be named beside each other."""
    least = span / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * step for step in _STEPS if power * step >= least * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Tick:
    """A named line across a chart.

    Attributes:
        at: Its place, in pixels from the left or from above.
        words: Its value.
    """

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One point of a chart.

    Attributes:
        x: Pixels from the left.
        y: Pixels from above.
        kind: Decides its shape and its colour.
    """

    x: float
    y: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything that a template draws, in pixels.

    Attributes:
        x_words: What is to the right.
        y_words: What is upwards.
        x_ticks: Lines upwards.
        y_ticks: Lines to the right.
        marks: The points, each place once.
        line: The corners of a line, as SVG writes them; empty where there is none.
    """

    x_words: str
    y_words: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    line: str

    width, height = WIDTH, HEIGHT
    left, right, top, bottom = _LEFT, WIDTH - _RIGHT, _TOP, HEIGHT - _BOTTOM


def draw(
    x: Scale,
    y: Scale,
    *,
    marks: Sequence[tuple[float, float, str]] = (),
    line: Sequence[tuple[float, float]] = (),
) -> Chart:
    """marks: value to the right, value upwards and kind of each. line: values to the right and upwards."""

    def across(value: float) -> float:
        return round(_LEFT + x.share(value) * (WIDTH - _LEFT - _RIGHT), 1)

    def up(value: float) -> float:
        return round(HEIGHT - _BOTTOM - y.share(value) * (HEIGHT - _BOTTOM - _TOP), 1)

    places = dict.fromkeys((across(at), up(value), kind) for at, value, kind in marks)
    return Chart(
        x_words=x.words,
        y_words=y.words,
        x_ticks=tuple(Tick(across(value), f"{value:,g}") for value in x.ticks),
        y_ticks=tuple(Tick(up(value), f"{value:,g}") for value in y.ticks),
        marks=tuple(Mark(*place) for place in places),
        line=" ".join(f"{across(at):g},{up(value):g}" for at, value in line),
    )

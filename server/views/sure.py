"""What the confidence from which on answers count as sure costs and brings, for the slider of a result."""

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

from automl.store.tables import Run
from server.views.test_photos import AnsweredPhoto

LOWEST_PERCENT, HIGHEST_PERCENT = 50.0, 99.9
"""Below one half an answer is more probably wrong than right; at 100 % none would be sure."""

_LISTED = (50, 60, 70, 80, 90, 95, 99)
_STEPS_IN_PERCENT = 10
_CHART_SIDE = 100


@dataclass(frozen=True, slots=True)
class SureStep:
    """What one threshold gives on the tested photos.

    Attributes:
        percent: The threshold.
        n_sure: Photos that get a sure answer.
        n_right: Those of them whose answer is right.
    """

    percent: float
    n_sure: int
    n_right: int

    @property
    def accuracy(self) -> float | None:
        """Share of the sure answers that are right, 0-1; None where there are none."""
        return self.n_right / self.n_sure if self.n_sure else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SureChoice:
    """The choice of a threshold.

    Attributes:
        n_photos: Tested photos.
        steps: One for each tenth of a percent, the lowest first.
        now: The threshold that counts; 100 % where no answer does.
        calibrated_percent: The threshold that the run found; None where it found none.
        is_own: Whether the user has chosen the one that counts.
    """

    n_photos: int
    steps: tuple[SureStep, ...]
    now: SureStep
    calibrated_percent: float | None
    is_own: bool

    lowest: ClassVar = LOWEST_PERCENT
    highest: ClassVar = HIGHEST_PERCENT

    @property
    def steps_json(self) -> str:
        """The steps for the page's script: `[[percent, sure answers, right ones of these], ...]`."""
        return json.dumps([[step.percent, step.n_sure, step.n_right] for step in self.steps], separators=(",", ":"))

    @property
    def rows(self) -> tuple[SureStep, ...]:
        """Some of the steps, for a table."""
        return tuple(step for step in self.steps if step.percent in _LISTED)

    @property
    def curve(self) -> str:
        """The points of a line in a square with sides of 100: sure answers to the right, right ones of these upwards.

        Of the latter only the upper half is shown.
        """
        places = dict.fromkeys(self._place(step) for step in self.steps if step.n_sure)
        return " ".join(f"{x:g},{y:g}" for x, y in places)

    @property
    def mark(self) -> tuple[float, float] | None:
        """Where the present threshold is on that line; None where no answer is sure."""
        return self._place(self.now) if self.now.n_sure else None

    def _place(self, step: SureStep) -> tuple[float, float]:
        wrong = 1 - (step.accuracy or 0.0)
        return round(_CHART_SIDE * step.n_sure / self.n_photos, 1), round(min(2 * wrong, 1.0) * _CHART_SIDE, 1)


def view_sure(run: Run, answers: Sequence[AnsweredPhoto] | None) -> SureChoice | None:
    """answers: to all tested photos. None where they are not kept, or there are none."""
    if not answers:
        return None
    calibration = run.report.calibration if run.report else None
    calibrated = calibration.threshold if calibration else None
    now = 1.0 if run.sure_from is None else run.sure_from
    tenths = range(round(LOWEST_PERCENT * _STEPS_IN_PERCENT), round(HIGHEST_PERCENT * _STEPS_IN_PERCENT) + 1)
    *steps, present = _steps([*(tenth / _STEPS_IN_PERCENT for tenth in tenths), round(100 * now, 1)], answers)
    return SureChoice(
        n_photos=len(answers),
        steps=tuple(steps),
        now=present,
        calibrated_percent=None if calibrated is None else round(100 * calibrated, 1),
        is_own=run.sure_threshold is not None,
    )


def _steps(percents: Sequence[float], answers: Sequence[AnsweredPhoto]) -> list[SureStep]:
    ordered = sorted(answers, key=lambda answer: answer.confidence)
    confidences = [answer.confidence for answer in ordered]
    n_right_before = list(accumulate((answer.is_right for answer in ordered), initial=0))
    found = []
    for percent in percents:
        start = bisect_left(confidences, percent / 100)
        found.append(SureStep(percent, len(ordered) - start, n_right_before[-1] - n_right_before[start]))
    return found

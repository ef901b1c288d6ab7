"""Runs of one data set side by side: their figures, their settings, and what they answered differently."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from automl.options import RUN_OPTIONS
from automl.records import RunSettings
from automl.store.tables import Run
from automl.text.durations import duration_in_words
from automl.text.names import backbones_in_words
from automl.text.numbers import counted, latency_in_words, percent, size_in_words
from automl.text.trial_names import STAGE_TITLES
from server.views.test_photos import Answer

_NOTHING = "–"
_RARE_BY_LUCK = 0.05


@dataclass(frozen=True, slots=True)
class Figure:
    """`interval`: of 95 %, "" where there is none. `is_best`: every other run of the row is worse, and not by luck."""

    words: str
    interval: str = ""
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `term`: what the field calls it. `differs`: the runs are not alike in it."""

    title: str
    term: str
    figures: tuple[Figure, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs, by their places, on the photos that both were tested with. `words`: what that says."""

    n_common: int
    only_first: int
    only_second: int
    p_value: float
    words: str


@dataclass(frozen=True, slots=True)
class Tests:
    """Whether the runs were tested alike; None where nobody can tell. `words`: what follows for their scores."""

    are_alike: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class _Measure:
    """One figure of a run. `better`: +1 where more is better, -1 where less is, 0 where neither is.

    `of`: from `metrics.json`, None where it is not known.
    """

    title: str
    term: str
    of: Callable[[Mapping[str, Any]], float | None]
    words: Callable[[float], str]
    better: int
    interval: str = ""


def _at(*path: str) -> Callable[[Mapping[str, Any]], float | None]:
    def value(result: Mapping[str, Any]) -> float | None:
        found: Any = result
        for name in path:
            found = (found or {}).get(name)
        return None if found is None else float(found)

    return value


_SCORES = (
    _Measure("Right on test photos", "accuracy", _at("test", "accuracy"), percent, 1, "accuracy"),
    _Measure(
        "Where every kind counts the same",
        "balanced accuracy",
        _at("test", "balanced_accuracy"),
        percent,
        1,
        "balanced_accuracy",
    ),
    _Measure("Found and rightly named", "macro F1", _at("test", "macro_f1"), percent, 1, "macro_f1"),
    _Measure(
        "How far its probabilities are off", "log loss", _at("test", "log_loss"), lambda x: f"{x:.3f}", -1, "log_loss"
    ),
    _Measure("How far its confidence is off", "calibration error, ECE", _at("test", "ece"), percent, -1),
)
_SIZE = _Measure("Size of the model", "", _at("winner", "n_bytes"), size_in_words, -1)
_LATENCY = _Measure("One photo takes", "latency, here", _at("winner", "latency_s"), latency_in_words, -1)
_EFFORTS = (
    _Measure("Time that it took", "", _at("time", "used_s"), duration_in_words, 0),
    _Measure("Tries", "trials", _at("n_trials"), lambda n: f"{n:,.0f}", 0),
)


def figure_rows(runs: Sequence[Run], are_alike: bool | None) -> list[Row]:
    """The scores, then what they cost.

    A best score is named only where the tests were alike and its interval lies apart from all the others': where they
    overlap, the runs may be equally good. A fastest one only where no two are built alike: each was timed when it was
    made, so between those only the other work of this machine can differ.
    """
    scores = [_measured(measure, runs, are_alike is True and _stands_apart(measure, runs)) for measure in _SCORES]
    built = {(tuple(winner.get("backbones") or ()), winner.get("image_size_px")) for winner in map(_winner, runs)}
    timed = _measured(_LATENCY, runs, may_be_best=len(built) == len(runs))
    return [
        *scores,
        _measured(_SIZE, runs, may_be_best=True),
        timed,
        *(_measured(one, runs, False) for one in _EFFORTS),
    ]


def made_rows(runs: Sequence[Run]) -> list[Row]:
    """What each was built on, from which version of the photos, and with which settings."""
    winners = list(map(_winner, runs))
    settings = [RunSettings.from_json(run.settings) for run in runs]
    rows = [
        _row("Built on", "", [backbones_in_words(winner.get("backbones") or ()) or _NOTHING for winner in winners]),
        _row("Photos at", "input size", [_size_px(winner.get("image_size_px")) for winner in winners]),
        _row("How it was trained", "", [STAGE_TITLES.get(winner.get("stage", ""), _NOTHING) for winner in winners]),
        _row("Version of the photos", "", [str(run.version.number) if run.version else _NOTHING for run in runs]),
    ]
    return rows + setting_rows(settings)


def setting_rows(settings: Sequence[RunSettings]) -> list[Row]:
    """What each run was asked for: a row for every option of the start form, the simple ones first."""
    return [
        _row(option.heading, option.name, [option.in_words(values) for values in settings])
        for option in RUN_OPTIONS.values()
    ]


def _winner(run: Run) -> Mapping[str, Any]:
    return run.result.get("winner") or {}


def compare_tests(tested: Sequence[Mapping[str, str] | None]) -> Tests:
    """tested: of each run the class of each test photo by its SHA-256, None where it is not known."""
    known = [photos for photos in tested if photos is not None]
    if len(known) < len(tested):
        return Tests(
            None,
            "An earlier version did not record which photos it tested with, so we cannot know whether these runs "
            "were tested with the same ones. Their scores may not be comparable.",
        )
    first = known[0]
    if all(photos == first for photos in known):
        return Tests(
            True, f"All were tested with the same {counted(len(first), 'photo')}, so their scores can be compared."
        )
    if all(photos.keys() == first.keys() for photos in known):
        n = sum(len({photos[digest] for photos in known}) > 1 for digest in first)
        return Tests(
            False,
            f"They were tested with the same photos, but {counted(n, 'photo')} had different labels. "
            "Scores based on different labels cannot be compared directly.",
        )
    return Tests(
        False,
        "They were not tested with the same photos, so their scores cannot be compared directly: a higher one may only "
        "mean easier photos.",
    )


def compare_pairs(names: Sequence[str], answers: Sequence[Sequence[Answer] | None]) -> list[Pair]:
    """Each two of the runs on the photos that both were tested with, under the same label."""
    known = [(name, {one.sha256: one for one in of}) for name, of in zip(names, answers, strict=True) if of is not None]
    return [_pair(*one, *other) for one, other in combinations(known, 2)]


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Two-sided exact McNemar test: how often luck alone parts the photos that only one of the two has right at least
    so unevenly, if each is as likely to be the first one's as the second one's."""
    n, fewer = only_first + only_second, min(only_first, only_second)
    n_as_uneven: int = 2 * sum(math.comb(n, k) for k in range(fewer + 1))
    n_all: int = 1 << n
    return min(1.0, n_as_uneven / n_all)


def _pair(first: str, one: Mapping[str, Answer], second: str, other: Mapping[str, Answer]) -> Pair:
    common = [digest for digest in one if digest in other and one[digest].really == other[digest].really]
    only_first = sum(one[digest].is_right and not other[digest].is_right for digest in common)
    only_second = sum(other[digest].is_right and not one[digest].is_right for digest in common)
    p_value = mcnemar_p(only_first, only_second)
    return Pair(
        n_common=len(common),
        only_first=only_first,
        only_second=only_second,
        p_value=p_value,
        words=_pair_in_words(first, second, len(common), only_first, only_second, p_value),
    )


def _pair_in_words(first: str, second: str, n_common: int, only_first: int, only_second: int, p_value: float) -> str:
    if not n_common:
        return f"{first} and {second} have no test photo in common."
    of = f"Of the {counted(n_common, 'photo')} that both were tested with,"
    if not only_first + only_second:
        return f"{of} {first} and {second} were right on the same ones."
    told = f"{of} {first} alone was right on {only_first:,}, and {second} alone on {only_second:,}."
    if p_value >= _RARE_BY_LUCK:
        return f"{told} The difference may be luck (exact McNemar test, p = {p_value:.2g})."
    better = first if only_first > only_second else second
    return (
        f"{told} Luck alone rarely does that, so {better} is probably better (exact McNemar test, p = {p_value:.2g})."
    )


def _measured(measure: _Measure, runs: Sequence[Run], may_be_best: bool) -> Row:
    values = [measure.of(run.result) for run in runs]
    known = [value for value in values if value is not None]
    words = [_NOTHING if value is None else measure.words(value) for value in values]
    best = ""
    if may_be_best and measure.better and len(set(words) - {_NOTHING}) > 1:  # what reads the same is not told apart
        best = measure.words(max(known, key=lambda value: value * measure.better))
    intervals = [_interval(run.result, measure) for run in runs]
    shown = [_between(measure, interval) if interval else "" for interval in intervals]
    return Row(
        measure.title,
        measure.term,
        tuple(Figure(text, interval, text == best) for text, interval in zip(words, shown, strict=True)),
        differs=len(set(words)) > 1,
    )


def _stands_apart(measure: _Measure, runs: Sequence[Run]) -> bool:
    """Whether the interval of the best run, by this figure, touches that of no other one."""
    values = [(measure.of(run.result), _interval(run.result, measure)) for run in runs]
    known = [(value * measure.better, interval) for value, interval in values if value is not None]
    if len(known) < 2 or any(interval is None for _, interval in known):
        return False
    best, *others = (interval for _, interval in sorted(known, key=lambda one: one[0], reverse=True) if interval)
    return all(best[0] > high or best[1] < low for low, high in others)


def _interval(result: Mapping[str, Any], measure: _Measure) -> Sequence[float] | None:
    test = result.get("test") or {}
    return {"accuracy": test.get("interval_95"), **(test.get("intervals") or {})}.get(measure.interval)


def _between(measure: _Measure, interval: Sequence[float]) -> str:
    low, high = map(measure.words, interval)
    return f"{low.removesuffix(' %')}–{high}"


def _row(title: str, term: str, words: Sequence[str]) -> Row:
    return Row(title, term, tuple(map(Figure, words)), differs=len(set(words)) > 1)


def _size_px(size_px: int | None) -> str:
    return f"{size_px} × {size_px} pixels" if size_px else _NOTHING

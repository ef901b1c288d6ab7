"""Runs of one data set side by side: their figures, their settings, and what they answered differently."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from automl.options import RUN_OPTIONS
from automl.records import RunSettings
from automl.records.report import Interval, RunReport, ScoreIntervals
from automl.store.results import report_of
from automl.store.tables import Run
from automl.text.durations import duration_in_words
from automl.text.messages import pages as page_messages
from automl.text.messages import pieces
from automl.text.names import backbones_in_words
from automl.text.numbers import latency_in_words, percent, size_in_words
from automl.text.one_or_many import OneOrMany
from automl.text.trial_names import STAGE_TITLES
from server.views.paired import PairedDifference, paired_difference
from server.views.test_photos import AnsweredPhoto

_NOTHING = "–"
RARE_BY_LUCK = 0.05
"""A difference with a smaller p-value is called probable."""

_MANY_CLIPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFigure:
    """What one run has in a row of the table.

    Attributes:
        words: The figure itself.
        interval: The 95 % interval; empty where there is none.
        is_best: Whether every other run of the row is worse, and not by luck.
    """

    words: str
    interval: str = ""
    is_best: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One row of the table.

    Attributes:
        title: What it is about.
        term: What the field calls it; may be empty.
        figures: One for each run.
        differs: Whether the runs are not alike in it.
    """

    title: str
    term: str
    figures: tuple[ComparedFigure, ...]
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPair:
    """Two runs on the photos that both were tested with.

    Attributes:
        first: What the first run is called in the comparison.
        second: What the second run is called in the comparison.
        n_common: How many photos both were tested with.
        only_first: How many of them only the first run has right.
        only_second: How many of them only the second run has right.
        leads: For each clip, or photo that is alone, by how many photos the first run is ahead on it; without zeros.
        difference: How much more often the first run is right; None where they have no photo in common.
    """

    first: str
    second: str
    n_common: int
    only_first: int
    only_second: int
    leads: tuple[int, ...]
    difference: PairedDifference | None

    @property
    def scores_in_words(self) -> str:
        """How often either is right on what both have been asked; empty where that is nothing."""
        found = self.difference
        if found is None:
            return ""
        is_first = found.lead >= 0
        low, high = (found.low, found.high) if is_first else (-found.high, -found.low)
        message = page_messages.AHEAD_ON_BOTH if found.lead else page_messages.EVEN_ON_BOTH
        return message.format(
            n=found.n,
            first=self.first,
            second=self.second,
            first_share=percent(found.n_first / found.n),
            second_share=percent(found.n_second / found.n),
            better=self.first if is_first else self.second,
            points=abs(found.lead) * 100,
            low=low * 100,
            high=high * 100,
        )

    @property
    def is_by_clip(self) -> bool:
        """Whether photos that only one run has right belong together."""
        return len(self.leads) < self.only_first + self.only_second

    @property
    def p_value(self) -> float:
        """See `mcnemar_p` and `sign_flip_p`."""
        return sign_flip_p(self.leads) if self.is_by_clip else mcnemar_p(self.only_first, self.only_second)

    @property
    def _message(self) -> OneOrMany:
        if self.p_value >= RARE_BY_LUCK:
            return page_messages.MAY_BE_LUCK_BY_CLIP if self.is_by_clip else page_messages.MAY_BE_LUCK
        return page_messages.PROBABLY_BETTER_BY_CLIP if self.is_by_clip else page_messages.PROBABLY_BETTER

    @property
    def words(self) -> str:
        """What these counts mean."""
        if not self.n_common:
            return page_messages.NONE_IN_COMMON.format(first=self.first, second=self.second)
        if not self.only_first + self.only_second:
            return page_messages.SAME_ONES_RIGHT.format(n=self.n_common, first=self.first, second=self.second)
        return self._message.format(
            n=self.n_common,
            first=self.first,
            second=self.second,
            only_first=self.only_first,
            only_second=self.only_second,
            better=self.first if self.only_first > self.only_second else self.second,
            p_value=self.p_value,
        )


@dataclass(frozen=True, slots=True)
class TestComparison:
    """Whether the runs were tested alike.

    Attributes:
        are_alike: None where that is not known.
        words: What follows for their scores.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    are_alike: bool | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """One figure of a report.

    Attributes:
        title: What it says, for everybody.
        term: What the field calls it; may be empty.
        of: Takes it out of a report; None where it was not measured.
        words: Brings it into words.
        better: +1 where more is better, -1 where less is, 0 where neither is.
        interval: Takes its 95 % interval out of a report, None where there is none.
    """

    title: str
    term: str = ""
    of: Callable[[RunReport], float | None]
    words: Callable[[float], str]
    better: int
    interval: Callable[[RunReport], Interval | None] = lambda _report: None


def _bootstrapped(of: Callable[[ScoreIntervals], Interval]) -> Callable[[RunReport], Interval | None]:
    return lambda report: of(report.score.intervals) if report.score.intervals else None


_SCORES = (
    _Measure(
        title=page_messages.ACCURACY,
        term=page_messages.ACCURACY_TERM,
        of=lambda report: report.score.accuracy,
        words=percent,
        better=1,
        interval=lambda report: report.score.interval_95,
    ),
    _Measure(
        title=page_messages.BALANCED_ACCURACY,
        term=page_messages.BALANCED_ACCURACY_TERM,
        of=lambda report: report.score.balanced_accuracy,
        words=percent,
        better=1,
        interval=_bootstrapped(lambda intervals: intervals.balanced_accuracy),
    ),
    _Measure(
        title=page_messages.MACRO_F1,
        term=page_messages.MACRO_F1_TERM,
        of=lambda report: report.score.macro_f1,
        words=percent,
        better=1,
        interval=_bootstrapped(lambda intervals: intervals.macro_f1),
    ),
    _Measure(
        title=page_messages.LOG_LOSS,
        term=page_messages.LOG_LOSS_TERM,
        of=lambda report: report.score.log_loss,
        words=lambda loss: f"{loss:.3f}",
        better=-1,
        interval=_bootstrapped(lambda intervals: intervals.log_loss),
    ),
    _Measure(
        title=page_messages.CONFIDENCE_ERROR,
        term=page_messages.CONFIDENCE_ERROR_TERM,
        of=lambda report: report.score.ece,
        words=percent,
        better=-1,
    ),
)
_SIZE = _Measure(title=page_messages.SIZE, of=lambda report: report.winner.n_bytes, words=size_in_words, better=-1)
_LATENCY = _Measure(
    title=page_messages.LATENCY,
    term=page_messages.LATENCY_TERM,
    of=lambda report: report.winner.latency_s,
    words=latency_in_words,
    better=-1,
)
_EFFORTS = (
    _Measure(title=page_messages.TIME, of=lambda report: report.time.used_s, words=duration_in_words, better=0),
    _Measure(
        title=page_messages.TRIES,
        term=page_messages.TRIES_TERM,
        of=lambda report: report.n_trials,
        words=lambda n: f"{n:,.0f}",
        better=0,
    ),
)


def figure_rows(reports: Sequence[RunReport], are_alike: bool | None) -> list[ComparisonRow]:
    """The scores, then what they cost.

    A best score is named only where the tests were alike and its interval lies apart from all the others': where they
    overlap, the runs may be equally good. A fastest one only where no two are built alike: each was timed when it was
    made, so between those only the other work of this machine can differ.
    """
    built = {(report.winner.backbones, report.winner.image_size_px) for report in reports}
    return [
        *(_measured(one, reports, are_alike is True and _stands_apart(one, reports)) for one in _SCORES),
        _measured(_SIZE, reports, may_be_best=True),
        _measured(_LATENCY, reports, may_be_best=len(built) == len(reports)),
        *(_measured(one, reports, may_be_best=False) for one in _EFFORTS),
    ]


def common_row(answers: Sequence[Sequence[AnsweredPhoto] | None]) -> ComparisonRow | None:
    """How often each run is right on the photos that all of them have been asked; None where there are none.

    The best one is named where it is ahead of each other one by more than luck gives.

    Args:
        answers: Of each run, under the labels of today; None where they are not kept.
    """
    known = [{one.sha256: one for one in of} for of in answers if of is not None]
    common = set.intersection(*(set(of) for of in known)) if len(known) == len(answers) else set()
    if not common:
        return None
    shares = [sum(of[digest].is_right for digest in common) / len(common) for of in known]
    best = shares.index(max(shares))
    pairs = (_pair(first="", one=known[best], second="", other=of) for i, of in enumerate(known) if i != best)
    stands_out = all(pair.p_value < RARE_BY_LUCK for pair in pairs)
    return ComparisonRow(
        title=page_messages.RIGHT_ON_COMMON,
        term=page_messages.RIGHT_ON_COMMON_TERM.format(n=len(common)),
        figures=tuple(
            ComparedFigure(words=percent(share), is_best=stands_out and i == best) for i, share in enumerate(shares)
        ),
        differs=len(set(shares)) > 1,
    )


def made_rows(runs: Sequence[Run]) -> list[ComparisonRow]:
    """What each finished run was built on, from which version of the photos, and with which settings."""
    winners = [report_of(run).winner for run in runs]
    rows = [
        _row(page_messages.BUILT_ON, "", [backbones_in_words(winner.backbones) for winner in winners]),
        _row(
            page_messages.PHOTOS_AT,
            page_messages.PHOTOS_AT_TERM,
            [pieces.SQUARE_PICTURE.format(n=one.image_size_px) for one in winners],
        ),
        _row(page_messages.HOW_TRAINED, "", [STAGE_TITLES[winner.stage] for winner in winners]),
        _row(
            page_messages.VERSION_OF_PHOTOS, "", [str(run.version.number) if run.version else _NOTHING for run in runs]
        ),
    ]
    return rows + setting_rows([run.settings for run in runs])


def setting_rows(settings: Sequence[RunSettings]) -> list[ComparisonRow]:
    """What each run was asked for: a row for every option of the start form, the simple ones first."""
    return [
        _row(option.heading, option.name, [option.in_words(values) for values in settings])
        for option in RUN_OPTIONS.values()
    ]


def compare_tests(tested: Sequence[Mapping[str, str] | None]) -> TestComparison:
    """tested: for each run the class of each test photo by its SHA-256, None where that is not known."""
    known = [photos for photos in tested if photos is not None]
    if len(known) < len(tested):
        return TestComparison(
            None,
            page_messages.TESTS_NOT_RECORDED,
        )
    first = known[0]
    if all(photos == first for photos in known):
        return TestComparison(True, page_messages.SAME_TESTS.format(n=len(first)))
    if all(photos.keys() == first.keys() for photos in known):
        n = sum(len({photos[digest] for photos in known}) > 1 for digest in first)
        return TestComparison(
            False,
            page_messages.OTHER_LABELS.format(n=n),
        )
    return TestComparison(
        False,
        page_messages.OTHER_TESTS,
    )


def compare_pairs(names: Sequence[str], answers: Sequence[Sequence[AnsweredPhoto] | None]) -> list[RunPair]:
    """Each two of the runs on the photos that both have been asked, under the labels of today."""
    known = [(name, {one.sha256: one for one in of}) for name, of in zip(names, answers, strict=True) if of is not None]
    return [
        _pair(first=first, one=one, second=second, other=other)
        for (first, one), (second, other) in combinations(known, 2)
    ]


def mcnemar_p(only_first: int, only_second: int) -> float:
    """The p-value of the two-sided exact McNemar test.

    It says how often the photos that only one of two runs has right would be divided at least so unevenly if each of
    them were as likely to be the first run's as the second's.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    n_as_uneven: int = 2 * sum(math.comb(n, k) for k in range(fewer + 1))
    n_all: int = 1 << n
    return min(1.0, n_as_uneven / n_all)


def sign_flip_p(leads: Sequence[int]) -> float:
    """The p-value of the two-sided sign-flip test, in which the photos of a clip count together.

    It says how often the sum of `leads` would be at least as large, either way, if on each clip either run were as
    likely to be the one that is ahead. For clips of one photo that is the exact McNemar test.
    """
    observed = abs(sum(leads))
    if len(leads) > _MANY_CLIPS:  # then the sum is normal
        return math.erfc(observed / math.sqrt(2 * sum(lead * lead for lead in leads)))
    n_ways = {0: 1}
    for lead in leads:
        added: dict[int, int] = defaultdict(int)
        for total, n in n_ways.items():
            added[total + lead] += n
            added[total - lead] += n
        n_ways = added
    n_as_far: int = sum(n for total, n in n_ways.items() if abs(total) >= observed)
    n_all: int = 1 << len(leads)
    return n_as_far / n_all


def _leads(one: Mapping[str, AnsweredPhoto], other: Mapping[str, AnsweredPhoto], common: Sequence[str]) -> list[int]:
    """By how many photos the first run is ahead on each clip, where it is not the same for both."""
    leads: defaultdict[str, int] = defaultdict(int)
    for digest in common:
        leads[one[digest].together] += one[digest].is_right - other[digest].is_right
    return [lead for lead in leads.values() if lead]


def _pair(*, first: str, one: Mapping[str, AnsweredPhoto], second: str, other: Mapping[str, AnsweredPhoto]) -> RunPair:
    """one, other: the answers of either run by the SHA-256 of the photo."""
    common = [digest for digest in one if digest in other and one[digest].really == other[digest].really]
    return RunPair(
        first=first,
        second=second,
        n_common=len(common),
        only_first=sum(one[digest].is_right and not other[digest].is_right for digest in common),
        only_second=sum(other[digest].is_right and not one[digest].is_right for digest in common),
        leads=tuple(_leads(one, other, common)),
        difference=paired_difference(one, other, common),
    )


def _measured(measure: _Measure, reports: Sequence[RunReport], may_be_best: bool) -> ComparisonRow:
    values = [measure.of(report) for report in reports]
    known = [value for value in values if value is not None]
    words = [_NOTHING if value is None else measure.words(value) for value in values]
    best = ""
    if may_be_best and measure.better and len(set(words) - {_NOTHING}) > 1:  # what reads the same is not told apart
        best = measure.words(max(known, key=lambda value: value * measure.better))
    intervals = [_between(measure, measure.interval(report)) for report in reports]
    return ComparisonRow(
        title=measure.title,
        term=measure.term,
        figures=tuple(
            ComparedFigure(words=text, interval=interval, is_best=text == best)
            for text, interval in zip(words, intervals, strict=True)
        ),
        differs=len(set(words)) > 1,
    )


def _stands_apart(measure: _Measure, reports: Sequence[RunReport]) -> bool:
    """Whether the interval of the best run, by this figure, touches that of no other one."""
    values = [(measure.of(report), measure.interval(report)) for report in reports]
    known = [(value * measure.better, interval) for value, interval in values if value is not None]
    if len(known) < 2 or any(interval is None for _, interval in known):
        return False
    best, *others = (interval for _, interval in sorted(known, key=lambda one: one[0], reverse=True) if interval)
    return all(best[0] > high or best[1] < low for low, high in others)


def _between(measure: _Measure, interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = map(measure.words, interval)
    return f"{low.removesuffix(' %')}–{high}"


def _row(title: str, term: str, words: Sequence[str]) -> ComparisonRow:
    return ComparisonRow(
        title=title,
        term=term,
        figures=tuple(ComparedFigure(words=one) for one in words),
        differs=len(set(words)) > 1,
    )

"""Whether a model is good enough, and what would make it better, from the figures of its report.

Each step is said only where the figures carry it: a kind is called weak where its answers can hardly be chance, and two
kinds are called mixed up where they make up most of several mistakes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, exp, floor, lgamma, log
from statistics import median

from automl.records.learning_curve import CurvePoint
from automl.records.report import ClassScore, RunReport
from automl.text.messages import advice as advice_messages

_MOST_USES, _HARMLESS, _AS_HELP = 0.95, 0.9, 0.75
"""Shares of right answers: the lower end of the interval for the first, the score itself for the others."""

_FEW_TESTED = 100
_ROUGH = 0.15
"""Width of the 95 % interval from which on a score is called rough."""

_MOST_DOUBTED = 0.01
"""Share of the photos it learned from. With more doubted labels these come before everything else."""

_CHANCE = 0.1
"""A kind is weak where it would do so badly by chance less often than this, were it like the others."""

_FALSELY_WEAK = 0.5
"""Of many kinds one always does badly by chance: so many may be called weak for that, on average."""

_A_POINT, _LITTLE_GAIN = 0.01, 0.015
"""What all photos taught more than half of them: at least so much where more photos help, at most so much where not."""

_LITTLE_LEARNED = 0.1
"""By so much a score must be above that of the same answer to every photo, or nothing was learned."""

_MIN_WRONG, _MIN_MIXED = 2, 3
_MIN_SHARE_MIXED, _MIN_SHARE_MUTUAL = 0.5, 0.25
_RARE = 0.75
"""A kind with fewer photos than this share of what is usual can be put level by adding photos."""

_FEW_LEARNED = 100
"""Photos of a kind. Of more, nobody can say without trying whether still more would help."""

_ROUND_TO = 5


class StepKind(StrEnum):
    """Where a step leads to."""

    PHOTOS = "photos"
    """The photos of the data set, and adding to them."""

    TRAIN = "train"
    """Training again with what was corrected."""

    DOUBTS = "doubts"
    """The photos whose labels are doubted."""

    MISTAKES = "mistakes"
    """The mistakes."""

    TRY = "try"
    """Trying the model on photos."""

    LONGER = "longer"
    """Searching again."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that would help.

    Attributes:
        kind: Where it is done.
        words: What to do and why, in a sentence or two.
    """

    kind: StepKind
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a person wants to know first of a model.

    Attributes:
        verdict: Whether it is good enough.
        steps: What would help, the best first; at least one.
    """

    verdict: str
    steps: tuple[Step, ...]

    @property
    def first(self) -> Step:
        return self.steps[0]


def advise(
    report: RunReport,
    *,
    n_doubted: int,
    n_corrected: int = 0,
    was_stopped: bool = False,
    curve: Sequence[CurvePoint] = (),
) -> Advice:
    """What the figures of a finished run say.

    Args:
        report: Its figures.
        n_doubted: Photos whose label is doubted, and that nobody has corrected or left out since.
        n_corrected: Labels that were corrected since the run.
        was_stopped: Whether the user ended the search early.
        curve: What more photos were worth, by rising numbers of them; empty where that is not known.
    """
    check = [Step(StepKind.DOUBTS, advice_messages.CHECK_LABELS.format(n=n_doubted))] if n_doubted else []
    steps = [Step(StepKind.TRAIN, advice_messages.TRAIN_AGAIN.format(n=n_corrected))] if n_corrected else []
    if _may_be_luck(report):
        words = advice_messages.LOOK_AT_THE_PHOTOS if _has_learned_nothing(report) else advice_messages.TEST_MORE
        steps += [Step(StepKind.PHOTOS, words), *check]
    else:
        is_urgent = n_doubted > _MOST_DOUBTED * (report.data.n_learned if report.data else 0)
        found = [*_about_mistakes(report, curve)]
        steps += [*check, *found] if is_urgent else [*found, *check]
        steps += [Step(StepKind.LONGER, advice_messages.SEARCH_LONGER)] if was_stopped else []
        steps += _about_the_score(report)
    return Advice(verdict=_verdict(report), steps=tuple(steps))


def _verdict(report: RunReport) -> str:
    score = report.score
    if _has_learned_nothing(report):
        return advice_messages.NOT_LEARNED.format(label=_most_common(report))
    if _may_be_luck(report):
        n_right = round(score.baseline_accuracy * score.n_images)
        return advice_messages.MAY_BE_LUCK.format(label=_most_common(report), n_right=n_right, n=score.n_images)
    if score.n_correct == score.n_images:
        few = advice_messages.NO_MISTAKE_OF_FEW.format(n=score.n_images)
        return few if score.n_images < _FEW_TESTED else advice_messages.NO_MISTAKE
    wrong = 1 - score.accuracy
    one_in = max(2, round(1 / wrong)) if wrong > 0 else score.n_images
    if score.interval_95[0] >= _MOST_USES:
        return advice_messages.GOOD_FOR_MOST.format(one_in=one_in)
    if score.accuracy >= _HARMLESS:
        return advice_messages.GOOD_IF_HARMLESS.format(one_in=one_in)
    if score.accuracy >= _AS_HELP:
        return advice_messages.GOOD_AS_HELP.format(one_in=one_in)
    return advice_messages.NOT_GOOD_YET.format(n_wrong=max(3, round(10 * wrong)))


def _about_mistakes(report: RunReport, curve: Sequence[CurvePoint]) -> Iterator[Step]:
    """Which photos would help against the mistakes; that it should be tried elsewhere where there is none."""
    score = report.score
    n_mistakes = score.n_images - score.n_correct
    if not n_mistakes:
        yield Step(StepKind.TRY, advice_messages.TRY_ELSEWHERE)
        return
    weak, mixed = _weakest(report), _mixed_up(report)
    if weak and not (mixed and mixed.is_mutual and weak.label in (mixed.one, mixed.other)):
        yield Step(StepKind.PHOTOS, _about_weak(report, weak))
    if mixed:
        words = advice_messages.CONFUSED.format(
            n_mixed=mixed.n, n_mistakes=n_mistakes, one=mixed.one, other=mixed.other
        )
        yield Step(StepKind.PHOTOS, words)
    is_known = bool(weak or mixed)
    if not is_known:
        yield Step(StepKind.MISTAKES, advice_messages.LOOK_AT_MISTAKES.format(n=n_mistakes))
    worth = _worth_of_photos(report, curve[-2], curve[-1], is_known=is_known) if len(curve) > 1 else ""
    if not worth and not curve and not is_known:
        worth = _more_of_all(report)
    if worth:
        yield Step(StepKind.PHOTOS, worth)


def _worth_of_photos(report: RunReport, half: CurvePoint, whole: CurvePoint, *, is_known: bool) -> str:
    """Whether more photos would help; empty where nobody can say.

    is_known: whether it is known which photos would help, so that nobody is told that none does.
    """
    figures = {"half": round(100 * half.right), "whole": round(100 * whole.right)}
    if whole.gain >= _A_POINT and whole.gain > 2 * whole.gain_error:
        # Each doubling takes away about the same share of the mistakes.
        wrong = (1 - report.score.accuracy) * (1 - whole.right) / (1 - half.right)
        return advice_messages.PHOTOS_HELP.format(doubled=round(100 * (1 - wrong)), **figures)
    if not is_known and whole.gain + 2 * whole.gain_error < _LITTLE_GAIN:
        return advice_messages.PHOTOS_HARDLY_HELP.format(**figures)
    return ""


def _more_of_all(report: RunReport) -> str:
    """What is true of few photos, where it was not measured; empty where there are many, or nobody has counted."""
    usual = median(row.n_learned for row in report.data.classes) if report.data else _FEW_LEARNED
    return advice_messages.MORE_OF_ALL.format(n_of_a_class=round(usual)) if usual < _FEW_LEARNED else ""


def _about_the_score(report: RunReport) -> Iterator[Step]:
    score = report.score
    low, high = score.interval_95
    if score.n_images < _FEW_TESTED and high - low > _ROUGH:
        words = advice_messages.FEW_TESTED.format(n=score.n_images, low=floor(100 * low), high=ceil(100 * high))
        yield Step(StepKind.PHOTOS, words)


def _may_be_luck(report: RunReport) -> bool:
    """Whether it is not clearly better than the same answer to every photo."""
    return report.score.interval_95[0] <= report.score.baseline_accuracy


def _has_learned_nothing(report: RunReport) -> bool:
    """Whether it is not better than that at all, but for a little."""
    return _may_be_luck(report) and report.score.accuracy - report.score.baseline_accuracy < _LITTLE_LEARNED


def _most_common(report: RunReport) -> str:
    counts = [sum(row) for row in report.score.confusion]
    return report.classes[counts.index(max(counts))] if counts else ""


def _n_right(row: ClassScore) -> int:
    return round(row.recall * row.n_images)


def _weakest(report: RunReport) -> ClassScore | None:
    """The kind that does worse than the others together, by more than chance; None where there is none."""
    rows = [row for row in report.score.per_class if row.n_images]
    n_right, n_tested = sum(map(_n_right, rows)), sum(row.n_images for row in rows)
    most = min(_CHANCE, _FALSELY_WEAK / max(1, len(rows)))
    candidates = [
        row
        for row in rows
        if row.n_images - _n_right(row) >= _MIN_WRONG
        and _chance(row, n_right=n_right - _n_right(row), n_tested=n_tested - row.n_images) < most
    ]
    return min(candidates, key=lambda row: (row.recall, -row.n_images), default=None)


def _chance(row: ClassScore, *, n_right: int, n_tested: int) -> float:
    """How often a kind would have no more right answers than this one has, were it like the others.

    n_right, n_tested: of the other kinds. One wrong answer is added to theirs, so that a few right ones are no proof.
    """
    share, n = n_right / (n_tested + 1), row.n_images
    if share <= row.recall:
        return 1.0
    right, wrong = log(share), log(1 - share)
    return sum(exp(_log_choose(n, k) + k * right + (n - k) * wrong) for k in range(_n_right(row) + 1))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _about_weak(report: RunReport, weak: ClassScore) -> str:
    learned = {row.label: row.n_learned for row in report.data.classes} if report.data else {}
    values = {"label": weak.label, "n_right": _n_right(weak), "n_tested": weak.n_images}
    own, others = learned.get(weak.label, 0), [n for label, n in learned.items() if label != weak.label]
    if not own or not others:
        return advice_messages.WEAK_UNCOUNTED.format(**values)
    usual = median(others)
    if own < _RARE * usual:
        return advice_messages.WEAK_AND_RARE.format(n_learned=own, n_more=_rounded(usual - own), **values)
    return advice_messages.WEAK.format(n_more=_rounded(own), **values)


def _rounded(n: float) -> int:
    """To a number that nobody takes for exact."""
    step = _ROUND_TO if n < 100 else 10 * _ROUND_TO
    return max(step, step * round(n / step))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mixed:
    """Two kinds that are taken for each other.

    Attributes:
        one: A kind.
        other: The other one.
        n: How many photos of either were taken for the other.
        is_mutual: Whether both are often taken for the other, and not only one of them.
    """

    one: str
    other: str
    n: int
    is_mutual: bool


def _mixed_up(report: RunReport) -> _Mixed | None:
    """Two kinds that make up most of the mistakes; None where there are none, or no others."""
    score, classes = report.score, report.classes
    mixed = _mixed_counts(score.confusion) if len(classes) > 2 else Counter()
    one, other = max(mixed, key=mixed.__getitem__, default=(0, 0))
    n = mixed[one, other]
    if n < _MIN_MIXED or n <= _MIN_SHARE_MIXED * (score.n_images - score.n_correct):
        return None
    rarer = min(score.confusion[one][other], score.confusion[other][one])
    return _Mixed(one=classes[one], other=classes[other], n=n, is_mutual=rarer >= _MIN_SHARE_MUTUAL * n)


def _mixed_counts(confusion: Sequence[Sequence[int]]) -> Counter[tuple[int, int]]:
    """How often two kinds, by their indices, were taken for each other."""
    mixed: Counter[tuple[int, int]] = Counter()
    for really, row in enumerate(confusion):
        if sum(row) > row[really]:
            for said, n in enumerate(row):
                if n and said != really:
                    mixed[min(really, said), max(really, said)] += n
    return mixed

"""The figures of a report as the rows of tables, which the report and the model card print."""

from dataclasses import dataclass

import numpy as np

from automl.records.report import FormatReport, Interval, RunReport, ScoreReport
from automl.text.durations import duration_in_words
from automl.text.messages import delivery as delivery_messages
from automl.text.numbers import latency_in_words, percent, size_in_words

_NOTHING = "–"


_CONFIDENCE_TERMS = (
    delivery_messages.CONFIDENCE_ERROR_TERM_TEST,
    delivery_messages.CONFIDENCE_ERROR_TERM_BEFORE,
    delivery_messages.CONFIDENCE_ERROR_TERM_AFTER,
)
_COUNTED_CONFIDENCE_TERMS = (
    delivery_messages.COUNTED_ERROR_TERM_TEST,
    delivery_messages.COUNTED_ERROR_TERM_BEFORE,
    delivery_messages.COUNTED_ERROR_TERM_AFTER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """One score, in words.

    Attributes:
        title: What it says, for everybody.
        term: What the field calls it.
        value: The score itself.
        interval: The 95 % interval; empty where there is none.
    """

    title: str
    term: str
    value: str
    interval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixUp:
    """One kind of mistake on the test photos.

    Attributes:
        truth: The class that the photos show.
        predicted: The class that the model named.
        n: How many photos of `truth` were taken for `predicted`.
        n_true: All test photos of `truth`.
    """

    truth: str
    predicted: str
    n: int
    n_true: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """One format of the model, as it was loaded again, in words; a figure that was not measured is a dash.

    Attributes:
        title: Its name.
        size: Of its file.
        accuracy: On the test photos; a dash where there was no test set.
        agreement: Share of the photos that it was tried on to which it gives the delivered model's answer.
        largest_difference: Largest difference of a probability from that of the delivered model.
        latency: Time for one photo.
        is_true: Whether it answers as the model does.
        words: What came of it; may be empty.
    """

    title: str
    size: str
    accuracy: str
    agreement: str
    largest_difference: str
    latency: str
    is_true: bool
    words: str


def score_rows(report: RunReport) -> list[ScoreRow]:
    """Every score that is known, the honest ones of the test first."""
    return [*_share_rows(report.score), *_first_model_rows(report), *_probability_rows(report), _validation_row(report)]


def mix_ups(report: RunReport) -> list[MixUp]:
    """Every kind of mistake, the most frequent ones first; of equal ones those of the earlier classes."""
    confusion = np.array(report.score.confusion, dtype=np.int64)
    mistakes = confusion.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[: np.count_nonzero(mistakes)]
    cells = [divmod(int(cell), len(mistakes)) for cell in order]
    n_true = confusion.sum(axis=1)
    return [
        MixUp(
            truth=report.classes[row],
            predicted=report.classes[column],
            n=int(mistakes[row, column]),
            n_true=int(n_true[row]),
        )
        for row, column in cells
    ]


def export_rows(report: RunReport) -> list[ExportRow]:
    """The formats of the download."""
    return [_export_row(one) for one in report.exports]


def _share_rows(score: ScoreReport) -> list[ScoreRow]:
    intervals = score.intervals
    shares = [
        (delivery_messages.ACCURACY, delivery_messages.ACCURACY_TERM, score.accuracy, score.interval_95),
        (
            delivery_messages.BALANCED_ACCURACY,
            delivery_messages.BALANCED_ACCURACY_TERM,
            score.balanced_accuracy,
            intervals.balanced_accuracy if intervals else None,
        ),
        (
            delivery_messages.MACRO_F1,
            delivery_messages.MACRO_F1_TERM,
            score.macro_f1,
            intervals.macro_f1 if intervals else None,
        ),
        (delivery_messages.TOP_5, delivery_messages.TOP_5_TERM, score.top5_accuracy, None),
        (delivery_messages.WITHOUT_A_MODEL, delivery_messages.WITHOUT_A_MODEL_TERM, score.baseline_accuracy, None),
    ]
    return [
        ScoreRow(title=title, term=term, value=percent(share), interval=_between(interval))
        for title, term, share, interval in shares
        if share is not None
    ]


def _first_model_rows(report: RunReport) -> list[ScoreRow]:
    first = report.first_model
    if first is None:
        return []
    title = delivery_messages.FIRST_MODEL.format(time=duration_in_words(first.at_s))
    return [
        ScoreRow(
            title=title,
            term=delivery_messages.ACCURACY_TERM,
            value=percent(first.accuracy),
            interval=_between(first.interval_95),
        )
    ]


def _probability_rows(report: RunReport) -> list[ScoreRow]:
    """What the probabilities are worth; no rows for what the version that made the run did not measure."""
    rows, score, calibration = [], report.score, report.calibration
    if score.log_loss is not None:
        low_high = score.intervals.log_loss if score.intervals else None
        interval = f"{low_high[0]:.3f}–{low_high[1]:.3f}" if low_high else ""
        rows.append(
            ScoreRow(
                title=delivery_messages.LOG_LOSS,
                term=delivery_messages.LOG_LOSS_TERM,
                value=f"{score.log_loss:.3f}",
                interval=interval,
            )
        )
    tested, before, after = _CONFIDENCE_TERMS if score.is_held_out else _COUNTED_CONFIDENCE_TERMS
    if score.ece is not None:
        rows.append(_confidence_row(tested, score.ece))
    if calibration and calibration.ece_before is not None and calibration.ece_after is not None:
        rows.append(_confidence_row(before, calibration.ece_before))
        rows.append(_confidence_row(after, calibration.ece_after))
    return rows


def _confidence_row(term: str, ece: float) -> ScoreRow:
    return ScoreRow(title=delivery_messages.CONFIDENCE_ERROR, term=term, value=percent(ece))


def _validation_row(report: RunReport) -> ScoreRow:
    title, term = delivery_messages.VALIDATED, delivery_messages.VALIDATED_TERM
    if not report.score.is_held_out:
        title, term = delivery_messages.COUNTED_ROW, delivery_messages.COUNTED_ROW_TERM
    return ScoreRow(
        title=title,
        term=term.format(goal=report.goal.replace("_", " ")),
        value=percent(report.validation.score),
    )


def _export_row(one: FormatReport) -> ExportRow:
    return ExportRow(
        title=one.title,
        size=_NOTHING if one.n_bytes is None else size_in_words(one.n_bytes),
        accuracy=percent(one.accuracy),
        agreement=percent(one.agreement),
        largest_difference=_NOTHING if one.largest_difference is None else f"{one.largest_difference:.2g}",
        latency=_NOTHING if one.latency_s is None else latency_in_words(one.latency_s),
        is_true=one.is_true,
        words=one.words,
    )


def _between(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"{percent(interval[0]).removesuffix(' %')}–{percent(interval[1])}"

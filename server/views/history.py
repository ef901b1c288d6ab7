"""What the details of a result draw: each try by the time at which it ended, and what more photos are worth."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.records.learning_curve import CurvePoint
from automl.store.tables import LogEntry, Run, TrialSummary
from automl.text.messages import pages as page_messages
from automl.text.messages import plots as plot_messages
from automl.text.trial_names import STAGE_TITLES
from server.views.charts import Chart, Scale, draw

_LEAST_POINTS = 2.0
_HOURS_FROM_S, _MINUTES_FROM_S = 2 * 3600.0, 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHistory:
    """The search of a run.

    Attributes:
        chart: Its tries, and the best score so far as a line.
        kinds: What the marks stand for, by their kind.
        bests: Each better model, the first one first.
    """

    chart: Chart
    kinds: dict[str, str]
    bests: tuple[LogEntry, ...]


def view_history(session: Session, run: Run) -> SearchHistory | None:
    """None where fewer than two tries have a score: there is nothing to draw."""
    ended_s = TrialSummary.started_s + TrialSummary.duration_s
    query = select(ended_s, TrialSummary.score, TrialSummary.stage).where(TrialSummary.run_id == run.id)
    found = session.execute(query.order_by(TrialSummary.number)).all()
    rows = [(end_s, score, stage) for end_s, score, stage in found if score is not None]
    if len(rows) < 2:
        return None
    bests = tuple(session.scalars(select(LogEntry).where(LogEntry.run_id == run.id, LogEntry.kind == "best")))
    unit_s, words = _clock(max(end_s for end_s, _, _ in rows))
    marks = [(end_s / unit_s, 100 * score, stage) for end_s, score, stage in rows]
    end = max(at for at, _, _ in marks)
    scores = [score for _, score, _ in marks] + [100 * best.score for best in bests if best.score is not None]
    y = Scale.of_percents(page_messages.RIGHT_ON_NOT_LEARNED, scores, least=_LEAST_POINTS)
    return SearchHistory(
        chart=draw(
            Scale(words=words, low=0.0, high=max(1.0, 1.02 * end)), y, marks=marks, line=_steps(bests, unit_s, end=end)
        ),
        kinds={stage: title for stage, title in STAGE_TITLES.items() if any(stage == kind for _, _, kind in marks)},
        bests=bests,
    )


def _clock(longest_s: float) -> tuple[float, str]:
    """Seconds of one unit of the time, and what it is called."""
    if longest_s >= _HOURS_FROM_S:
        return 3600.0, plot_messages.HOURS_SINCE_START
    if longest_s >= _MINUTES_FROM_S:
        return 60.0, plot_messages.MINUTES_SINCE_START
    return 1.0, plot_messages.SECONDS_SINCE_START


def _steps(bests: Sequence[LogEntry], unit_s: float, *, end: float) -> list[tuple[float, float]]:
    """The corners of the line of the best score, which stays until the next one."""
    corners: list[tuple[float, float]] = []
    for best in bests:
        if best.score is None or best.used_s is None:
            continue
        at = best.used_s / unit_s
        if corners:
            corners.append((at, corners[-1][1]))
        corners.append((at, 100 * best.score))
    return [*corners, (max(end, corners[-1][0]), corners[-1][1])] if corners else []


def draw_worth(points: Sequence[CurvePoint]) -> Chart | None:
    """How often a quick model was right that had learned from so many photos; None where that was not measured."""
    if len(points) < 2:
        return None
    line = [(point.n_learned, 100 * point.right) for point in points]
    x = Scale(words=page_messages.PHOTOS_LEARNED_FROM, low=0.0, high=1.05 * line[-1][0])
    y = Scale.of_percents(page_messages.RIGHT_ON_NOT_LEARNED, [right for _, right in line], least=_LEAST_POINTS)
    return draw(x, y, marks=[(*corner, "heads") for corner in line], line=line)

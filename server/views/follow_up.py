"""What may follow a run: the same again, a longer or a smaller one, and another one to compare it with."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.records import RunSettings, RunState
from automl.records.report import ParetoRow, RunReport
from automl.store.results import report_of
from automl.store.tables import Run
from automl.text.messages import advice as advice_messages
from server.forms import form_values

_BUDGETS_S = (120.0, 600.0, 3600.0, 4 * 3600.0, 12 * 3600.0, 24 * 3600.0)
_BYTES_PER_MB = 1_000_000
_WORTH_IT = 0.9
"""A model that is less than a tenth smaller is no answer to "smaller"."""

_MUCH_SMALLER, _LITTLE, _AS_GOOD_POINTS = 1.5, 0.01, 0.05
"""By how many times a model must be smaller to be offered, and how much less it may score than the delivered one."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A run that one button starts.

    Attributes:
        fields: The form that starts it, with the run that it follows.
        settings: The same as settings.
    """

    fields: Mapping[str, str]
    settings: RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSteps:
    """What may follow a finished run; None where a step makes no sense.

    Attributes:
        again: The same on the photos of today.
        longer: The same with more time.
        smaller: The same with a smaller model.
        smaller_words: What a smaller model that was tried is worth beside the delivered one; empty where that is not
            known, or not worth it.
        other: The run to compare with.
    """

    again: FollowUp
    longer: FollowUp | None
    smaller: FollowUp | None
    smaller_words: str
    other: Run | None


def next_steps(session: Session, run: Run, max_budget_s: int) -> NextSteps:
    """max_budget_s: the longest that this installation allows.

    Raises:
        NotFound: the run has no result.
    """
    settings, report = run.settings, report_of(run)
    alternative = smaller_alternative(report)
    longer, smaller = longer_search(settings, max_budget_s), smaller_model(settings, report)
    if alternative:
        smaller = settings.model_copy(update={"max_model_mb": _limit_mb(alternative.n_bytes)})
    return NextSteps(
        again=_follow_up(run, settings),
        longer=_follow_up(run, longer) if longer else None,
        smaller=_follow_up(run, smaller) if smaller else None,
        smaller_words=_alternative_in_words(report, alternative) if alternative else "",
        other=run_to_compare(session, run),
    )


def longer_search(settings: RunSettings, max_budget_s: int) -> RunSettings | None:
    """With the next larger budget that this installation allows."""
    now_s = settings.budget_s
    longer = [budget_s for budget_s in _BUDGETS_S if now_s is not None and now_s < budget_s <= max_budget_s]
    return settings.model_copy(update={"budget_s": longer[0]}) if longer else None


def smaller_model(settings: RunSettings, report: RunReport) -> RunSettings | None:
    """At most half the size of the delivered model, or the size of the smallest that was tried where that is larger.

    None where no smaller model is worth a run, or sizes were not measured.
    """
    sizes = [row.n_bytes for row in report.pareto if row.n_bytes]
    present = report.winner.n_bytes
    if not sizes or not present:
        return None
    wanted = max(present / 2, min(sizes))
    if wanted > present * _WORTH_IT:
        return None
    return settings.model_copy(update={"max_model_mb": _limit_mb(wanted)})


def smaller_alternative(report: RunReport) -> ParetoRow | None:
    """The smallest model that was tried and costs less than a point; None where none is much smaller.

    Only a score of the same photos can be compared with that of the delivered model.
    """
    present, validation = report.winner.n_bytes, report.validation
    if not present:
        return None
    fair = [
        row
        for row in report.pareto
        if row.score is not None
        and row.n_images == validation.n_images
        and validation.score - row.score < _LITTLE
        and 0 < row.n_bytes * _MUCH_SMALLER <= present
    ]
    return min(fair, key=lambda row: row.n_bytes, default=None)


def _alternative_in_words(report: RunReport, row: ParetoRow) -> str:
    times = f"{round((report.winner.n_bytes or 0) / row.n_bytes * 2) / 2:g}"
    points = 100 * (report.validation.score - (row.score or 0))
    if points < _AS_GOOD_POINTS:
        return advice_messages.TIMES_SMALLER_AS_GOOD.format(times=times)
    return advice_messages.TIMES_SMALLER.format(times=times, points=f"{points:.1f}")


def _limit_mb(n_bytes: float) -> float:
    return math.ceil(n_bytes / _BYTES_PER_MB * 10) / 10


def parent_of(session: Session, run: Run) -> Run | None:
    """The run that it follows, be it in the bin."""
    return session.get(Run, run.parent_id) if run.parent_id else None


def run_to_compare(session: Session, run: Run) -> Run | None:
    """The run that it follows, else the latest other run of the same photos; only a run that has a result."""
    parent = parent_of(session, run)
    if parent is not None and parent.state is RunState.DONE and parent.deleted_at is None:
        return parent
    others = select(Run).where(Run.dataset_id == run.dataset_id, Run.id != run.id, Run.state == RunState.DONE)
    others = others.where(Run.deleted_at.is_(None))
    return session.scalars(others.order_by(Run.finished_at.desc()).limit(1)).first()


def _follow_up(run: Run, settings: RunSettings) -> FollowUp:
    return FollowUp({**form_values(settings), "parent": run.id}, settings)

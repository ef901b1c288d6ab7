"""Which waiting run comes next, so that one person's many runs do not keep another's first one waiting.

The broker's messages only say that a run waits; which one a worker begins with is decided here when it is free, since
by then others may have asked for a run.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session, load_only

from automl.records import DatasetState, RunState
from automl.store.runs import RunClaim, claim_run
from automl.store.tables import Dataset, Run, now

_RUNNING = [state for state in RunState if state.is_running()]
_NEEDED = (Run.id, Run.started_by_id, Run.created_at, Run.budget_s, Run.used_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When a waiting run will be begun with.

    Attributes:
        n_ahead: How many runs are under way or will be begun with first.
        within_s: Seconds until a worker is free for it, if all of these take the time that they are allowed.
    """

    n_ahead: int
    within_s: float


def waiting_runs(session: Session, *, runs_at_once: int = 0, settle_s: float = 0.0) -> list[Run]:
    """The runs that a worker could begin with now, in the order in which it should.

    Accounts take turns: first come the first runs of all who have none under way, the older request first, then the
    second ones, and so on. Runs of sample images that are still being made are not among them.

    Args:
        session: The transaction.
        runs_at_once: How many runs of one account may be under way; 0: any number.
        settle_s: Runs that are younger than this, in seconds, are left out.

    Returns:
        Rows of which only what the order needs has been read.
    """
    being_made = Run.dataset.has(and_(Dataset.state == DatasetState.CHECKING, ~Dataset.files.any()))
    query = select(Run).where(
        Run.state == RunState.QUEUED,
        Run.created_at <= now() - timedelta(seconds=settle_s),
        Run.deleted_at.is_(None),
        Run.dataset.has(Dataset.deleted_at.is_(None)),
        ~being_made,
    )
    waiting = session.scalars(query.order_by(Run.created_at, Run.id).options(load_only(*_NEEDED))).all()
    return _in_turns(waiting, _n_under_way(session), runs_at_once)


def claim_next_run(session: Session, *, owner: str, lease_s: float, runs_at_once: int = 0) -> RunClaim | None:
    """Takes the lease of the run whose turn it is for the worker `owner`; None where no run can be begun with.

    Two workers that are free in the same moment may begin with one run more of an account than `runs_at_once`.
    """
    for run in waiting_runs(session, runs_at_once=runs_at_once):
        if claim := claim_run(session, run.id, owner=owner, lease_s=lease_s):
            return claim
    return None


def turn_of(session: Session, run: Run, *, runs_at_once: int = 0) -> Turn:
    """When it is a waiting run's turn. While one waits, all workers are busy: there are as many as runs under way."""
    left_s = [max(0.0, budget_s - (used_s or 0.0)) for budget_s, used_s in session.execute(_under_way())]
    n_ahead, free_after_s = len(left_s), left_s or [0.0]
    heapq.heapify(free_after_s)
    for other in waiting_runs(session, runs_at_once=runs_at_once):
        if other.id == run.id:
            return Turn(n_ahead=n_ahead, within_s=free_after_s[0])
        begins_s = heapq.heappop(free_after_s)
        heapq.heappush(free_after_s, begins_s + max(0.0, other.budget_s - (other.used_s or 0.0)))
        n_ahead += 1
    return Turn(n_ahead=n_ahead, within_s=free_after_s[0])  # its account has as many under way as it may


def _under_way() -> Select[float, float]:
    return select(Run.budget_s, Run.used_s).where(Run.state.in_(_RUNNING))


def _n_under_way(session: Session) -> Counter[str | None]:
    counted = select(Run.started_by_id, func.count()).where(Run.state.in_(_RUNNING)).group_by(Run.started_by_id)
    return Counter({account_id: n for account_id, n in session.execute(counted)})  # noqa: C416 - rows are no pairs to mypy


def _in_turns(waiting: Sequence[Run], under_way: Counter[str | None], runs_at_once: int) -> list[Run]:
    """`waiting`: the older request first."""
    n_before = defaultdict(int, under_way)  # runs of an account that come before its next one
    ranked = []
    for run in waiting:
        rank = n_before[run.started_by_id]
        n_before[run.started_by_id] += 1
        if not runs_at_once or rank < runs_at_once:
            ranked.append((rank, run))
    return [run for _, run in sorted(ranked, key=lambda pair: pair[0])]

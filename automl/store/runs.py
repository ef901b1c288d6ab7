"""What may become of a run: its states, the requests of its user, and the lease under which one worker has it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.orm import Session

from automl.errors import BadSetting, LeaseLost, NotAllowedNow
from automl.records import RunState
from automl.store.database_clock import from_now
from automl.store.run_clock import begin_ending, is_ending
from automl.store.tables import LogEntry, Run, now
from automl.text.durations import duration_in_words
from automl.text.messages import store as store_messages

LEGAL_RUN_CHANGES: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.PREPARING, RunState.CANCELLED, RunState.FAILED}),
    RunState.PREPARING: frozenset({RunState.SEARCHING, RunState.CANCELLED, RunState.FAILED, RunState.QUEUED}),
    RunState.SEARCHING: frozenset({RunState.FINISHING, RunState.CANCELLED, RunState.FAILED, RunState.QUEUED}),
    RunState.FINISHING: frozenset({RunState.DONE, RunState.CANCELLED, RunState.FAILED, RunState.QUEUED}),
    RunState.DONE: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}
"""A run whose worker has died goes back to `queued`."""


def change_run_state(run: Run, state: RunState) -> None:
    """Moves `run` to `state` and keeps its times.

    Raises:
        NotAllowedNow: the change is not in `LEGAL_RUN_CHANGES`.
    """
    if state not in LEGAL_RUN_CHANGES[run.state]:
        raise NotAllowedNow(store_messages.NO_SUCH_CHANGE.format(old=run.state, new=state))
    if state is RunState.FINISHING:
        begin_ending(run)
    run.state = state
    run.progress = None
    run.log.add(LogEntry(kind="state", text=state.value))
    if state is RunState.PREPARING and run.started_at is None:
        run.started_at = now()
    if not state.is_running():
        run.trying = None
    if state.is_finished():
        run.activity = state.value.capitalize()  # else the page would show the last activity for ever
        run.finished_at = now()
        run.lease_owner, run.lease_until = "", None


def fail_run(run: Run, code: str, message: str) -> None:
    """Ends a run as failed, with words for its page."""
    change_run_state(run, RunState.FAILED)
    run.error_code, run.error_message = code, message


def request_stop(run: Run) -> None:
    """Asks a run to end its search now and deliver the best model so far.

    Raises:
        NotAllowedNow: it has ended, or there is no model yet.
    """
    if run.state.is_finished():
        raise NotAllowedNow(store_messages.ENDED_ALREADY)
    if run.state is RunState.QUEUED:
        raise NotAllowedNow(store_messages.NOT_STARTED)
    if run.best_score is None:
        raise NotAllowedNow(store_messages.NO_MODEL_YET)
    if not is_ending(run):
        begin_ending(run)
    run.stop_requested = True


def request_cancel(run: Run) -> None:
    """Asks a run to end at once, without a model. A run that still waits is cancelled here.

    Raises:
        NotAllowedNow: It has ended already.
    """
    if run.state.is_finished():
        raise NotAllowedNow(store_messages.ENDED_ALREADY)
    run.cancel_requested = True
    if run.state is RunState.QUEUED:
        change_run_state(run, RunState.CANCELLED)


def request_more_time(run: Run, seconds: float, *, max_budget_s: float, used_s: float, progress: float) -> None:
    """Makes the budget of a run longer; its worker reads that within a second.

    Args:
        run: The run.
        seconds: How much longer.
        max_budget_s: The longest budget that this server allows.
        used_s: Seconds that are used up now.
        progress: Where its progress is now, 0-1; it goes on from there.

    Raises:
        NotAllowedNow: The search is over, or was asked to end.
        BadSetting: The budget would be longer than `max_budget_s`.
    """
    if run.state.is_finished():
        raise NotAllowedNow(store_messages.ENDED_SO_NO_MORE_TIME)
    if run.cancel_requested or run.stop_requested:
        raise NotAllowedNow(store_messages.ENDING_SO_NO_MORE_TIME)
    if run.state is RunState.FINISHING:
        raise NotAllowedNow(store_messages.TESTED_SO_NO_MORE_TIME)
    budget_s = run.budget_s + seconds
    if budget_s > max_budget_s:
        longest = duration_in_words(max_budget_s)
        raise BadSetting(store_messages.TOO_LONG.format(longest=longest))
    run.progress_from, run.progress_from_s = progress, used_s
    run.budget_s, run.settings = budget_s, run.settings.model_copy(update={"budget_s": budget_s})
    text = store_messages.MORE_TIME_GIVEN.format(more=duration_in_words(seconds), all=duration_in_words(budget_s))
    run.log.add(LogEntry(kind="time", text=text, used_s=used_s))


@dataclass(frozen=True, slots=True)
class RunClaim:
    """The right to write what becomes of a run, for as long as no other claim is made.

    Attributes:
        run_id: The run.
        number: Of the lease; a later claim has a greater one.
    """

    run_id: str
    number: int

    def hold(self, connection: Connection) -> None:
        """The fence of whoever writes under this claim, see `database.Fence`. Raises LeaseLost."""
        # A write that changes nothing: from here on the row cannot be claimed by another until this transaction ends.
        same = update(Run).where(Run.id == self.run_id, Run.lease_number == self.number)
        if not connection.execute(same.values(lease_number=self.number)).rowcount:
            raise LeaseLost


def claim_run(session: Session, run_id: str, *, owner: str, lease_s: float) -> RunClaim | None:
    """Takes the lease of a queued run for the worker `owner`, in one atomic statement; None if that is not possible.

    A run that another worker has a lease of, or that has ended, is not claimed. So a message that is delivered twice
    finds nothing to do.
    """
    is_free = or_(Run.lease_until.is_(None), Run.lease_until < from_now(0.0))
    number = session.scalar(
        update(Run)
        .where(Run.id == run_id, Run.state == RunState.QUEUED, is_free)
        .values(
            lease_owner=owner,
            lease_until=from_now(lease_s),
            lease_number=Run.lease_number + 1,
            attempts=Run.attempts + 1,
        )
        .returning(Run.lease_number)
    )
    return None if number is None else RunClaim(run_id, number)


def renew_lease(session: Session, claim: RunClaim, *, lease_s: float) -> bool:
    """Makes the lease of a run under way last longer; False if it is no longer this claim's."""
    renewed = session.execute(
        update(Run)
        .where(Run.id == claim.run_id, Run.lease_number == claim.number, Run.lease_owner != "")
        .values(lease_until=from_now(lease_s))
        .returning(Run.id),
        execution_options={"synchronize_session": False},
    ).all()
    return bool(renewed)


def take_lease_back(session: Session, claim: RunClaim, *, lease_until: datetime | None) -> bool:
    """Ends the claim of a worker that is gone; False if it was renewed or ended meanwhile. One atomic statement.

    Args:
        session: The transaction; what becomes of the run must be written in the same one.
        claim: What the run was held under.
        lease_until: When the lease was to end. A worker that still lives has moved that.
    """
    taken = session.execute(
        update(Run)
        .where(Run.id == claim.run_id, Run.lease_number == claim.number, Run.lease_until == lease_until)
        .values(lease_number=Run.lease_number + 1)
        .returning(Run.id),
        execution_options={"synchronize_session": False},
    ).all()
    return bool(taken)


def runs_with_lost_lease(session: Session) -> list[Run]:
    """Runs under way whose worker has not renewed its lease in time."""
    running = [state for state in RunState if state.is_running()]
    return list(session.scalars(select(Run).where(Run.state.in_(running), Run.lease_until < from_now(0.0))))

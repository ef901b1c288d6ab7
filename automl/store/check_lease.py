"""The lease of a check: one process at a time looks through a data set, and whoever has lost it writes nothing more."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, Connection, and_, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from automl.errors import LeaseLost
from automl.records import DatasetState
from automl.store.database import Database
from automl.store.database_clock import from_now
from automl.store.lease_owner import LeaseOwner
from automl.store.patience import is_away, patiently
from automl.store.tables import Dataset

_LOOK_EVERY_S = 0.2
_MOST_RENEWALS_S = 5.0
_NOT_DELETED = Dataset.deleted_at.is_(None)
_SQL = {"synchronize_session": False}

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CheckClaim:
    """The right to check a data set, for as long as no other claim is made and it is not deleted.

    Attributes:
        dataset_id: The data set.
        number: Of the lease; a later claim has a greater one.
    """

    dataset_id: str
    number: int

    def hold(self, connection: Connection) -> None:
        """The fence of whoever checks it, see `database.Fence`. Raises LeaseLost."""
        if not connection.execute(update(Dataset).where(self._is_ours()).values(lease_number=self.number)).rowcount:
            raise LeaseLost

    def renew(self, session: Session, lease_s: float) -> bool:
        """Makes the lease last longer; False if it is another's by now."""
        later = update(Dataset).where(self._is_ours()).values(lease_until=from_now(lease_s))
        return bool(session.execute(later.returning(Dataset.id), execution_options=_SQL).all())

    def release(self, session: Session) -> None:
        """Lets the next one check it; does nothing if it is another's already."""
        mine = and_(Dataset.id == self.dataset_id, Dataset.lease_number == self.number)
        session.execute(update(Dataset).where(mine).values(lease_owner="", lease_until=None), execution_options=_SQL)

    def _is_ours(self) -> ColumnElement[bool]:
        return and_(Dataset.id == self.dataset_id, Dataset.lease_number == self.number, _NOT_DELETED)


def is_being_checked() -> ColumnElement[bool]:
    """For a query of data sets: a process has the lease, and has been heard of. It may have died since."""
    return and_(Dataset.lease_until.is_not(None), Dataset.lease_until >= from_now(0.0))


def has_checker(session: Session, dataset_id: str) -> bool:
    """Whether a process checks the data set that lives, for all that can be seen from here."""
    owner = session.scalar(select(Dataset.lease_owner).where(Dataset.id == dataset_id, is_being_checked()))
    return owner is not None and not LeaseOwner.is_known_dead(owner)


def claim_check(session: Session, dataset_id: str, lease_s: float, *, is_for_asked: bool = False) -> CheckClaim | None:
    """Takes the lease, in one atomic statement; None where another process has it.

    is_for_asked: None also where nobody asks for a check, or nobody does any more.
    """
    owner = session.scalar(select(Dataset.lease_owner).where(Dataset.id == dataset_id))
    is_free = ~is_being_checked()
    if owner and LeaseOwner.is_known_dead(owner):
        is_free = or_(is_free, Dataset.lease_owner == owner)
    number = session.scalar(
        update(Dataset)
        .where(Dataset.id == dataset_id, _is_wanted(is_for_asked), is_free)
        .values(
            lease_owner=str(LeaseOwner.mine()), lease_until=from_now(lease_s), lease_number=Dataset.lease_number + 1
        )
        .returning(Dataset.lease_number),
        execution_options=_SQL,
    )
    return None if number is None else CheckClaim(dataset_id, number)


def end_check(session: Session, dataset_id: str) -> None:
    """Takes the lease away from whoever checks the data set, and leaves it to the next one that asks for it."""
    session.execute(
        update(Dataset)
        .where(Dataset.id == dataset_id)
        .values(lease_owner="", lease_until=None, lease_number=Dataset.lease_number + 1),
        execution_options=_SQL,
    )


def _is_wanted(is_for_asked: bool) -> ColumnElement[bool]:
    """Whether a data set is to be checked: it is not deleted, and, where that counts, a check of it is asked for."""
    return and_(_NOT_DELETED, Dataset.state == DatasetState.CHECKING) if is_for_asked else _NOT_DELETED


@contextmanager
def leased_check(
    database: Database, dataset_id: str, lease_s: float, *, is_for_asked: bool = False
) -> Iterator[Database]:
    """Waits until no other process checks the data set; inside, the lease is renewed as long as this process lives.

    Yields the database for all that the check writes: a transaction of it raises LeaseLost, and changes nothing, once
    the lease is another's, the check was cancelled or the data set is deleted.

    is_for_asked: whether only a data set is checked whose check is asked for; LeaseLost where it was cancelled before.
    """
    claim = _wait_for_claim(database, dataset_id, lease_s, is_for_asked=is_for_asked)
    is_over = threading.Event()
    renewing = threading.Thread(
        target=_keep_renewing, args=(database, claim, lease_s, is_over), name="check-lease", daemon=True
    )
    renewing.start()
    try:
        yield database.fenced(claim.hold)
    finally:
        is_over.set()
        renewing.join()
        _release(database, claim)


def _wait_for_claim(database: Database, dataset_id: str, lease_s: float, *, is_for_asked: bool) -> CheckClaim:
    """Raises LeaseLost where the data set is deleted, or its check cancelled, meanwhile."""
    while (claim := _try_to_claim(database, dataset_id, lease_s, is_for_asked=is_for_asked)) is None:
        time.sleep(_LOOK_EVERY_S)
    return claim


@patiently
def _try_to_claim(database: Database, dataset_id: str, lease_s: float, *, is_for_asked: bool) -> CheckClaim | None:
    with database.session() as session:
        claim = claim_check(session, dataset_id, lease_s, is_for_asked=is_for_asked)
        wanted = select(Dataset.id).where(Dataset.id == dataset_id, _is_wanted(is_for_asked))
        if claim is None and not session.scalar(wanted):
            raise LeaseLost
        return claim


@patiently
def _release(database: Database, claim: CheckClaim) -> None:
    with database.session() as session:
        claim.release(session)


def _keep_renewing(database: Database, claim: CheckClaim, lease_s: float, is_over: threading.Event) -> None:
    while not is_over.wait(min(_MOST_RENEWALS_S, lease_s / 3)):
        try:
            with database.session() as session:
                if not claim.renew(session, lease_s):
                    return  # the check finds out with its next transaction
        except DBAPIError as error:
            if not is_away(error):
                raise
            _log.warning("the lease of a check could not be renewed", reason=type(error.orig).__name__)

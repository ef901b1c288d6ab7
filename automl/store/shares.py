"""Whose a data set is, and who else may see or change it. Its runs, and all that they made, go with it."""

from collections.abc import Collection, Sequence
from enum import IntEnum

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from automl.errors import BadSetting, NotAllowedNow
from automl.store.accounts import find_by_email
from automl.store.tables import Artifact, Dataset, DatasetShare, Run
from automl.text.messages import accounts as account_messages

MAX_SHARES = 100
"""Of one data set."""


class Right(IntEnum):
    """What somebody may do with a data set; a greater one includes the smaller ones."""

    NONE = 0
    SEE = 1
    CHANGE = 2
    OWN = 3


def right_to(session: Session, dataset_id: str, account_id: str) -> Right:
    """What an account may do with a data set, also in the bin, its role aside; NONE also where there is none."""
    owner_id = session.scalar(select(Dataset.owner_id).where(Dataset.id == dataset_id))
    if owner_id == account_id:
        return Right.OWN
    share = session.get(DatasetShare, (dataset_id, account_id))
    if share is None:
        return Right.NONE
    return Right.CHANGE if share.may_change else Right.SEE


def is_visible_to(account_id: str) -> ColumnElement[bool]:
    """A condition on data sets: those that an account owns or that were shared with it."""
    shared = select(DatasetShare.dataset_id).where(DatasetShare.account_id == account_id)
    return or_(Dataset.owner_id == account_id, Dataset.id.in_(shared))


def who_sees(session: Session, run_ids: Collection[str]) -> set[tuple[str, str | None]]:
    """Each of these runs with each account that owns its data set, or that it is shared with; roles aside."""
    of_runs = Run.id.in_(run_ids)
    owners = select(Run.id, Dataset.owner_id).join(Dataset, Dataset.id == Run.dataset_id).where(of_runs)
    others = select(Run.id, DatasetShare.account_id)
    others = others.join(DatasetShare, DatasetShare.dataset_id == Run.dataset_id).where(of_runs)
    return {(run_id, account_id) for query in (owners, others) for run_id, account_id in session.execute(query)}


def dataset_of_run(session: Session, run_id: str) -> str | None:
    return session.scalar(select(Run.dataset_id).where(Run.id == run_id))


def dataset_of_artifact(session: Session, artifact_id: str) -> str | None:
    query = select(Run.dataset_id).join(Artifact, Artifact.run_id == Run.id)
    return session.scalar(query.where(Artifact.id == artifact_id))


def shares_of(session: Session, dataset_id: str) -> Sequence[DatasetShare]:
    """Who else may see a data set, the one who could first before the others."""
    query = select(DatasetShare).where(DatasetShare.dataset_id == dataset_id)
    return session.scalars(query.order_by(DatasetShare.created_at)).all()


def share(session: Session, dataset: Dataset, email: str, *, may_change: bool) -> DatasetShare:
    """Lets the account with this address see a data set, or changes what it may do.

    Raises:
        BadSetting: Nobody who could sign in has the address, or it is the owner's.
        NotAllowedNow: As many others as possible may see it already.
    """
    account = find_by_email(session, email)
    if account is None or account.disabled_at is not None:
        raise BadSetting(account_messages.NOBODY_WITH_ADDRESS)
    if account.id == dataset.owner_id:
        raise BadSetting(account_messages.OWNER_ALREADY)
    found = session.get(DatasetShare, (dataset.id, account.id))
    if found is None:
        if len(shares_of(session, dataset.id)) >= MAX_SHARES:
            raise NotAllowedNow(account_messages.TOO_MANY_SHARES.format(most=MAX_SHARES))
        found = DatasetShare(dataset_id=dataset.id, account_id=account.id)
        session.add(found)
    found.may_change = may_change
    return found


def end_share(session: Session, dataset_id: str, account_id: str) -> str | None:
    """Ends what an account could see; it is not told how a run ends that it wanted to be told of, either.

    Returns:
        The address of the account; None where it could not see the data set, and nothing was done.
    """
    found = session.get(DatasetShare, (dataset_id, account_id))
    if found is None:
        return None
    email = found.account.email
    told = update(Run).where(Run.dataset_id == dataset_id, Run.notify_email == email)
    session.execute(told.values(notify_email=""), execution_options={"synchronize_session": False})
    session.delete(found)
    return email

"""Accounts: who may sign in to this server."""

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from automl.errors import BadSetting, NotAllowedNow, NotFound
from automl.records import Role, RunState
from automl.store.bin import BinKind, put_into_bin
from automl.store.database import Database
from automl.store.passwords import hashed, is_right, refuse_weak
from automl.store.runs import request_cancel
from automl.store.sign_ins import end_sign_ins
from automl.store.tables import Account, ApiToken, Dataset, DatasetShare, OneTimeLink, OpenidIdentity, Run, now
from automl.text.messages import accounts as account_messages
from automl.text.upload_names import clean_text

_MAX_EMAIL_CHARS = 254
_MAX_NAME_CHARS = 100
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def has_accounts(session: Session) -> bool:
    """Whether anybody has one. Until then there is nobody whom a server that only this machine reaches could ask."""
    return bool(session.scalar(select(exists().where(Account.id.is_not(None)))))


def has_administrator(session: Session) -> bool:
    """Whether somebody administers this server and can sign in."""
    return bool(session.scalar(select(exists().where(*_ADMINISTERS))))


def add_account(session: Session, *, email: str, name: str, role: Role, password: str | None) -> Account:
    """Makes an account. What was made while nobody needed one belongs to the first administrator from then on.

    Args:
        session: The transaction.
        email: The address, which nobody else has.
        name: What others read.
        role: What it may do.
        password: None for an account that signs in by other means.

    Raises:
        BadSetting: This is no e-mail address, somebody has it already, or the password is weak.
    """
    email, name = checked_email(email), checked_name(name)
    if password is not None:
        refuse_weak(password, email, name)
    if find_by_email(session, email) is not None:
        raise BadSetting(account_messages.EMAIL_TAKEN.format(email=email))
    is_first = role is Role.ADMINISTRATOR and not has_administrator(session)
    account = Account(email=email, name=name, role=role, password_hash="" if password is None else hashed(password))
    session.add(account)
    session.flush()
    if is_first:
        session.execute(update(Dataset).where(Dataset.owner_id.is_(None)).values(owner_id=account.id))
        session.execute(update(Run).where(Run.started_by_id.is_(None)).values(started_by_id=account.id))
    return account


def checked_email(text: str) -> str:
    """The address in lower case. Raises BadSetting where it is none."""
    email = clean_text(text).lower()
    if len(email) > _MAX_EMAIL_CHARS or not _EMAIL.fullmatch(email):
        raise BadSetting(account_messages.NO_EMAIL)
    return email


def checked_name(text: str) -> str:
    """What others read. Raises BadSetting where it is too long."""
    name = clean_text(text)
    if len(name) > _MAX_NAME_CHARS:
        raise BadSetting(account_messages.NAME_TOO_LONG.format(most=_MAX_NAME_CHARS))
    return name


def find_account(session: Session, account_id: str) -> Account:
    """Raises NotFound, also where it is closed: whoever let it in again would have an account without a name."""
    account = session.get(Account, account_id)
    if account is None or account.is_closed:
        raise NotFound(account_messages.NO_ACCOUNT)
    return account


def find_by_email(session: Session, email: str) -> Account | None:
    return session.scalar(select(Account).where(Account.email == clean_text(email).lower()))


def all_accounts(session: Session) -> Sequence[Account]:
    """In the order of their addresses, without those that were closed."""
    return session.scalars(select(Account).where(Account.email.contains("@")).order_by(Account.email)).all()


def account_of(database: Database, email: str, password: str) -> Account | None:
    """The account with this address and password that may sign in; None where there is none.

    It takes as long where nobody has the address, so that nobody learns who has an account.
    """
    with database.session() as session:
        account = find_by_email(session, email)
    is_known = is_right(password, account.password_hash if account else "")
    return account if account is not None and is_known and account.disabled_at is None else None


def set_password(session: Session, account: Account, password: str) -> None:
    """Another password. Every browser in which it was signed in must sign in again.

    Raises:
        BadSetting: It is weak.
    """
    refuse_weak(password, account.email, account.name)
    account.password_hash = hashed(password)
    end_sign_ins(session, account.id)


def set_role(session: Session, account: Account, role: Role) -> None:
    """Raises NotAllowedNow: nobody would administer this server any more."""
    _take_turn(session, account)
    if role is not Role.ADMINISTRATOR:
        _refuse_last(session, account)
    account.role = role


def set_disabled(session: Session, account: Account, is_disabled: bool) -> None:
    """Somebody who is disabled is signed out everywhere and cannot sign in; what is his stays.

    Raises:
        NotAllowedNow: Nobody would administer this server any more.
    """
    if not is_disabled:
        account.disabled_at = None
        return
    _take_turn(session, account)
    _refuse_last(session, account)
    account.disabled_at = account.disabled_at or now()
    end_sign_ins(session, account.id)


def close_account(session: Session, account: Account) -> None:
    """Ends an account for good: what is his is removed, and nothing tells any more who it was.

    His data sets go with their runs; runs that are under way are cancelled. The row stays, without a name, since runs
    on data sets of others may be his.

    Raises:
        NotAllowedNow: Nobody would administer this server any more.
    """
    set_disabled(session, account, True)
    for run in session.scalars(select(Run).join(Run.dataset).where(_is_under_way(account), Run.deleted_at.is_(None))):
        request_cancel(run)
    for dataset_id in session.scalars(select(Dataset.id).where(Dataset.owner_id == account.id)).all():
        put_into_bin(session, BinKind.DATASET, dataset_id, keep_s=0.0)
    for table in (ApiToken, DatasetShare, OneTimeLink, OpenidIdentity):
        session.execute(delete(table).where(table.account_id == account.id))
    session.execute(
        update(Run).where(Run.notify_email == account.email).values(notify_email=""),
        execution_options={"synchronize_session": False},
    )
    account.email, account.name, account.password_hash = f"closed {account.id}", "", ""


def _is_under_way(account: Account) -> ColumnElement[bool]:
    """Whether a run that has not ended is his, or of one of his data sets."""
    unfinished = [state for state in RunState if not state.is_finished()]
    return Run.state.in_(unfinished) & or_(Dataset.owner_id == account.id, Run.started_by_id == account.id)


_ADMINISTERS = (Account.role == Role.ADMINISTRATOR, Account.disabled_at.is_(None))


def _take_turn(session: Session, account: Account) -> None:
    """From here on no other transaction takes an administrator away, until this one ends: else two administrators who
    do it to each other at once would leave none."""
    # All hold the same row, the oldest, which is never removed. A write that changes nothing, as in `store.turns`.
    oldest = select(Account.id).order_by(Account.created_at, Account.id).limit(1).scalar_subquery()
    held = update(Account).where(Account.id == oldest).values(name=Account.name)
    session.execute(held, execution_options={"synchronize_session": False})
    session.refresh(account)


def _refuse_last(session: Session, account: Account) -> None:
    others = select(func.count()).where(*_ADMINISTERS, Account.id != account.id)
    if account.role is Role.ADMINISTRATOR and account.disabled_at is None and not session.scalar(others):
        raise NotAllowedNow(account_messages.LAST_ADMINISTRATOR)

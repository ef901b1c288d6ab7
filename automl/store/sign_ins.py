"""Browsers in which somebody has signed in."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from automl.settings import Settings
from automl.store.random_secrets import hash_of, new_secret
from automl.store.tables import Account, SignIn, now

_MAX_AGENT_CHARS = 200
_SEEN_EVERY_S = 60.0


def begin_sign_in(session: Session, settings: Settings, account: Account, *, agent: str) -> str:
    """Signs somebody in, and returns the secret for the cookie of his browser, which cannot be had again.

    Args:
        session: The transaction.
        settings: Say for how long.
        account: Who.
        agent: What his browser calls itself.
    """
    session.execute(delete(SignIn).where(SignIn.expires_at <= now()))
    secret = new_secret()
    expires_at = now() + timedelta(days=settings.sign_in_days)
    row = SignIn(
        account_id=account.id, token_hash=hash_of(secret), agent=agent[:_MAX_AGENT_CHARS], expires_at=expires_at
    )
    session.add(row)
    return secret


def find_sign_in(session: Session, settings: Settings, secret: str) -> SignIn | None:
    """What a cookie opens; None where its time is up, it was ended, or the account is disabled. Counts as a use."""
    query = select(SignIn).where(SignIn.token_hash == hash_of(secret)).options(joinedload(SignIn.account))
    found = session.scalar(query)
    at = now()
    if found is None or found.account.disabled_at is not None:
        return None
    if found.expires_at <= at or found.seen_at <= at - timedelta(hours=settings.sign_in_idle_hours):
        return None
    if (at - found.seen_at).total_seconds() > _SEEN_EVERY_S:
        found.seen_at = at
    return found


def sign_ins_of(session: Session, account_id: str) -> Sequence[SignIn]:
    """All that go on, the one that was used last first."""
    query = select(SignIn).where(SignIn.account_id == account_id, SignIn.expires_at > now())
    return session.scalars(query.order_by(SignIn.seen_at.desc())).all()


def end_sign_in(session: Session, account_id: str, sign_in_id: str) -> None:
    """Does nothing where it has ended already, or is somebody else's."""
    session.execute(delete(SignIn).where(SignIn.id == sign_in_id, SignIn.account_id == account_id))


def end_sign_ins(session: Session, account_id: str, *, but_id: str = "") -> None:
    """Ends all of an account, except `but_id`."""
    session.execute(delete(SignIn).where(SignIn.account_id == account_id, SignIn.id != but_id))

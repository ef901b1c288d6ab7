"""Tokens with which programs act for somebody: in a header of each request, instead of signing in."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload

from automl.errors import BadSetting, NotAllowedNow
from automl.records import TokenScope
from automl.store.random_secrets import hash_of, new_secret
from automl.store.tables import ApiToken, now
from automl.text.messages import administration as messages
from automl.text.upload_names import clean_text

MAX_TOKENS = 50
"""Of one account."""

MAX_DAYS = 366
_MAX_NAME_CHARS = 100
_PREFIX = "darkroom_"  # so that scanners for secrets, and people, see what it is
_USED_EVERY_S = 60.0


def make_token(session: Session, account_id: str, *, name: str, scope: TokenScope, days: int) -> str:
    """Makes a token and returns it; it cannot be had again, since only its hash is kept.

    Args:
        session: The transaction.
        account_id: For whom it acts.
        name: What it is for, in the words of its owner.
        scope: What it may do.
        days: After so many it opens nothing, 1 to `MAX_DAYS`.

    Raises:
        BadSetting: It has no name, a name that is too long, or `days` is out of range.
        NotAllowedNow: The account has `MAX_TOKENS` already.
    """
    name = clean_text(name)
    if not name or len(name) > _MAX_NAME_CHARS:
        raise BadSetting(messages.NEEDS_PURPOSE.format(most=_MAX_NAME_CHARS))
    if not 1 <= days <= MAX_DAYS:
        raise BadSetting(messages.BAD_DAYS.format(most=MAX_DAYS))
    session.execute(delete(ApiToken).where(ApiToken.account_id == account_id, ApiToken.expires_at <= now()))
    n_there = session.scalar(select(func.count()).where(ApiToken.account_id == account_id)) or 0
    if n_there >= MAX_TOKENS:
        raise NotAllowedNow(messages.TOO_MANY_TOKENS.format(most=MAX_TOKENS))
    secret = _PREFIX + new_secret()
    expires_at = now() + timedelta(days=days)
    row = ApiToken(account_id=account_id, name=name, token_hash=hash_of(secret), scope=scope, expires_at=expires_at)
    session.add(row)
    return secret


def find_token(session: Session, secret: str) -> ApiToken | None:
    """The token; None where it was revoked, its time is up, or its account is disabled. Counts as a use."""
    query = select(ApiToken).where(ApiToken.token_hash == hash_of(secret)).options(joinedload(ApiToken.account))
    found = session.scalar(query)
    at = now()
    if found is None or found.expires_at <= at or found.account.disabled_at is not None:
        return None
    if found.used_at is None or (at - found.used_at).total_seconds() > _USED_EVERY_S:
        found.used_at = at
    return found


def tokens_of(session: Session, account_id: str) -> Sequence[ApiToken]:
    """All that open something, the newest first."""
    query = select(ApiToken).where(ApiToken.account_id == account_id, ApiToken.expires_at > now())
    return session.scalars(query.order_by(ApiToken.created_at.desc())).all()


def end_tokens(session: Session, account_id: str) -> Sequence[tuple[str, str]]:
    """Ends all of an account; returns the id and the name of each that still opened something."""
    ended = delete(ApiToken).where(ApiToken.account_id == account_id)
    rows = session.execute(ended.returning(ApiToken.id, ApiToken.name, ApiToken.expires_at)).all()
    return [(token_id, name) for token_id, name, expires_at in rows if expires_at > now()]


def revoke_token(session: Session, account_id: str, token_id: str) -> str | None:
    """Its name; None where it is gone already, or somebody else's."""
    is_it = (ApiToken.id == token_id, ApiToken.account_id == account_id)
    return session.scalar(delete(ApiToken).where(*is_it).returning(ApiToken.name))

"""Links that work once: to set a server up, to invite somebody, and for a forgotten password."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from automl.errors import NotFound
from automl.records import LinkPurpose, Role
from automl.store.accounts import has_administrator
from automl.store.random_secrets import hash_of, new_secret
from automl.store.tables import OneTimeLink, now
from automl.text.messages import accounts as account_messages

_KEPT_S = {LinkPurpose.SETUP: 86_400.0, LinkPurpose.INVITATION: 7 * 86_400.0, LinkPurpose.PASSWORD: 86_400.0}


def make_link(
    session: Session, purpose: LinkPurpose, *, role: Role = Role.MEMBER, account_id: str | None = None
) -> str:
    """Makes a link and returns the secret of its address, which cannot be had again.

    Those for setting up, and those for the password of one account, replace the ones before.

    Args:
        session: The transaction.
        purpose: What it is for.
        role: Of the account that it makes.
        account_id: The account whose password it sets.
    """
    session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at <= now()))
    if purpose is not LinkPurpose.INVITATION:
        earlier = (OneTimeLink.purpose == purpose, OneTimeLink.account_id == account_id)
        session.execute(delete(OneTimeLink).where(*earlier))
    secret = new_secret()
    expires_at = now() + timedelta(seconds=_KEPT_S[purpose])
    row = OneTimeLink(
        purpose=purpose, token_hash=hash_of(secret), role=role, account_id=account_id, expires_at=expires_at
    )
    session.add(row)
    return secret


def setup_path(session: Session) -> str | None:
    """The path of a new link that makes the first administrator; None where there is one. Earlier ones work no more."""
    return None if has_administrator(session) else path_of(make_link(session, LinkPurpose.SETUP))


def path_of(secret: str) -> str:
    """Where the web server answers to such a link."""
    return f"/once/{secret}"


def find_link(session: Session, secret: str) -> OneTimeLink:
    """Raises NotFound: no link has this secret, it was used, its time is up, or it makes the first administrator of a
    server that has got one in another way."""
    link = session.scalar(select(OneTimeLink).where(OneTimeLink.token_hash == hash_of(secret)))
    is_late = link is not None and link.purpose is LinkPurpose.SETUP and has_administrator(session)
    if link is None or is_late or link.expires_at <= now():
        raise NotFound(account_messages.LINK_USED)
    return link


def use_link(session: Session, secret: str) -> OneTimeLink:
    """The link, which nobody can use any more once this transaction ends.

    Raises:
        NotFound: As `find_link`; also where somebody else is just using it.
    """
    link = find_link(session, secret)
    if not session.execute(delete(OneTimeLink).where(OneTimeLink.id == link.id).returning(OneTimeLink.id)).all():
        raise NotFound(account_messages.LINK_USED)
    return link


def invitations(session: Session) -> Sequence[OneTimeLink]:
    """Those that nobody has used yet and that still work, the newest first."""
    is_open = (OneTimeLink.purpose == LinkPurpose.INVITATION, OneTimeLink.expires_at > now())
    return session.scalars(select(OneTimeLink).where(*is_open).order_by(OneTimeLink.created_at.desc())).all()


def take_invitation_back(session: Session, link_id: str) -> bool:
    """Whether it was still there."""
    is_it = (OneTimeLink.purpose == LinkPurpose.INVITATION, OneTimeLink.id == link_id)
    return bool(session.execute(delete(OneTimeLink).where(*is_it).returning(OneTimeLink.id)).all())

"""Read-only links to one page of a run, for people who have no other access.

The address of a link has a secret in it, which is shown once, when the link is made; the database has only its hash.
"""

from collections.abc import Sequence
from datetime import timedelta
from hmac import compare_digest

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from automl.errors import NotAllowedNow, NotFound
from automl.records import LinkedPage
from automl.store.database import find_run
from automl.store.random_secrets import hash_of, new_secret
from automl.store.tables import SharedLink, now
from automl.text.messages import store as store_messages

MAX_LINKS_OF_A_RUN = 20


def make_link(session: Session, run_id: str, page: LinkedPage, *, keep_s: float, shows_photos: bool) -> str:
    """Makes a link and returns its secret, which cannot be had again.

    Args:
        session: An open transaction.
        run_id: The run whose page it opens.
        page: What it shows.
        keep_s: Seconds until it opens nothing any more.
        shows_photos: Whether the page may show photos of the data set.

    Raises:
        NotFound: There is no such run.
        NotAllowedNow: The run has as many links as it may have.
    """
    find_run(session, run_id)
    session.execute(delete(SharedLink).where(SharedLink.expires_at <= now()))
    if (session.scalar(select(func.count()).where(SharedLink.run_id == run_id)) or 0) >= MAX_LINKS_OF_A_RUN:
        raise NotAllowedNow(store_messages.TOO_MANY_LINKS.format(most=MAX_LINKS_OF_A_RUN))
    secret = new_secret()
    session.add(
        SharedLink(
            run_id=run_id,
            page=page,
            token_hash=hash_of(secret),
            shows_photos=shows_photos,
            expires_at=now() + timedelta(seconds=keep_s),
        )
    )
    return secret


def find_link(session: Session, secret: str, page: LinkedPage) -> SharedLink:
    """The link that a secret opens.

    It is looked up by the hash, so that the time which that takes tells nothing about secrets that are nearly right.

    Raises:
        NotFound: No link to this page has that secret, it has ended or was taken back, or its run was deleted.
    """
    wanted = hash_of(secret)
    link = session.scalar(select(SharedLink).where(SharedLink.token_hash == wanted))
    if link is None or not compare_digest(link.token_hash, wanted) or link.page != page or link.expires_at <= now():
        raise NotFound(store_messages.LINK_ENDED)
    try:
        find_run(session, link.run_id)
    except NotFound:  # also where it is in the bin, which is nothing that a stranger is told
        raise NotFound(store_messages.LINK_ENDED) from None
    return link


def links_of(session: Session, run_id: str) -> Sequence[SharedLink]:
    """The links of a run that open something, the latest first."""
    query = select(SharedLink).where(SharedLink.run_id == run_id, SharedLink.expires_at > now())
    return session.scalars(query.order_by(SharedLink.created_at.desc())).all()


def take_back(session: Session, run_id: str, link_id: str) -> LinkedPage | None:
    """Ends a link at once. What it opened; None where it has ended already."""
    is_it = (SharedLink.id == link_id, SharedLink.run_id == run_id)
    return session.scalar(delete(SharedLink).where(*is_it).returning(SharedLink.page))

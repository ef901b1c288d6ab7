"""Which account belongs to somebody whom an OpenID provider knows."""

from sqlalchemy.orm import Session

from automl.store.tables import Account, OpenidIdentity


def account_of_identity(session: Session, issuer: str, subject: str) -> Account | None:
    """The account that signs in as this subject of this issuer; None where there is none yet."""
    found = session.get(OpenidIdentity, (issuer, subject))
    return None if found is None else session.get_one(Account, found.account_id)


def remember_identity(session: Session, account: Account, issuer: str, subject: str) -> None:
    """From now on, whoever the issuer calls so signs in to this account."""
    session.add(OpenidIdentity(issuer=issuer, subject=subject, account_id=account.id))

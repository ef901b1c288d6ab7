"""Who sends the current request."""

from dataclasses import dataclass

from flask import g

from automl.records import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who uses this server.

    Attributes:
        account_id: His account; None where nobody needs one.
        role: What he may do. Where nobody needs an account, everybody is an administrator.
    """

    account_id: str | None = None
    role: Role = Role.ADMINISTRATOR


def visitor() -> Visitor:
    """The visitor that the current request was admitted for."""
    found = g.get("visitor", Visitor())
    assert isinstance(found, Visitor)
    return found

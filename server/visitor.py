"""Who sends the current request."""

from dataclasses import dataclass

from flask import g

from automl.errors import UserError
from automl.records import Role, TokenScope
from automl.text.messages import accounts as account_messages


class SignInNeeded(UserError):
    """A stranger asks for what only people with an account may have."""

    code = "sign_in_needed"


class NotPermitted(UserError):
    """Somebody asks for what his role does not allow."""

    code = "not_permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who uses this server.

    Attributes:
        account_id: His account; None where nobody needs one.
        role: What he may do. Where nobody needs an account, everybody is an administrator.
        name: What the pages call him.
        sign_in_id: The sign-in that the request comes from; empty where it comes from a program.
        scope: What the token of a program may do; None where it comes from a browser.
    """

    account_id: str | None = None
    role: Role = Role.ADMINISTRATOR
    name: str = ""
    sign_in_id: str = ""
    scope: TokenScope | None = None


def known_visitor() -> Visitor | None:
    """The sender of the current request; None for a stranger."""
    found = g.visitor
    assert found is None or isinstance(found, Visitor)
    return found


def visitor() -> Visitor:
    """The sender of the current request.

    Raises:
        SignInNeeded: Nobody knows who that is.
    """
    found = known_visitor()
    if found is None:
        raise SignInNeeded(account_messages.SIGN_IN_FIRST)
    return found

"""The way to the OpenID provider and back."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from automl.errors import NotFound
from automl.records import AuditAction, Role
from automl.store.accounts import add_account, find_by_email, has_administrator
from automl.store.openid_identities import account_of_identity, remember_identity
from automl.store.tables import Account
from automl.text.messages import accounts as account_messages
from automl.text.messages import server as server_messages
from server import identity
from server.audit import record
from server.openid import Identity, Provider, SignInRefused, let_connect, provider
from server.pages.accounts import next_page
from server.services import services

blueprint = Blueprint("openid", __name__, url_prefix="/sign-in/provider")


@blueprint.get("")
def begin() -> ResponseReturnValue:
    """Sends the browser to the provider."""
    return _known_provider().begin(next_page())


@blueprint.get("/back")
def finish() -> ResponseReturnValue:
    """Where the provider sends it afterwards."""
    asked = _known_provider()
    proven, wanted = asked.finish()
    with services().database.session() as session:
        account = _account_of(session, asked, proven)
        if account is None:
            let_connect(proven)
            return redirect(url_for("accounts.ask", next=None if wanted in ("", "/") else wanted), 303)
        identity.sign_in(session, account, by_provider=True)
        record(session, AuditAction.SIGNED_IN, account_id=account.id, detail=asked.title)
    return redirect(wanted or url_for("home.index"), 303)


@blueprint.get("/leave")
def leave() -> ResponseReturnValue:
    """To the provider's own page for signing out."""
    return redirect(_known_provider().address_to_leave() or url_for("accounts.ask"), 303)


def _account_of(session: Session, asked: Provider, proven: Identity) -> Account | None:
    """The account of somebody; the first time a new one, where his domain may have them.

    None where an account with his address is there already. Somebody else may have made it under this address, so its
    password must connect the two.

    Raises:
        SignInRefused: He has none, or it is disabled.
    """
    if not has_administrator(session):
        raise SignInRefused(account_messages.NO_ADMINISTRATOR_YET)
    account = account_of_identity(session, proven.issuer, proven.subject)
    if account is None:
        if not (proven.email and proven.is_verified):
            raise SignInRefused(account_messages.ADDRESS_NOT_VERIFIED.format(title=asked.title))
        present = find_by_email(session, proven.email)
        if present is not None and present.password_hash:
            return None
        if present is not None:
            raise SignInRefused(account_messages.ADDRESS_OF_ANOTHER.format(email=proven.email))
        account = _new_account(session, proven)
        remember_identity(session, account, proven.issuer, proven.subject)
    if account.disabled_at is not None:
        raise SignInRefused(account_messages.ACCOUNT_IS_DISABLED)
    return account


def _new_account(session: Session, proven: Identity) -> Account:
    """Raises SignInRefused where nobody of this domain gets one by himself."""
    settings = services().settings
    if proven.email.rpartition("@")[2] not in settings.openid_domain_names:
        raise SignInRefused(account_messages.NOT_INVITED.format(email=proven.email))
    role = Role(settings.openid_role)
    account = add_account(session, email=proven.email, name=proven.name[:100], role=role, password=None)
    record(session, AuditAction.ACCOUNT_MADE, account_id=account.id, object_kind="account", object_id=account.id)
    return account


def _known_provider() -> Provider:
    found = provider()
    if found is None:
        raise NotFound(server_messages.NOTHING_AT_ADDRESS)
    return found

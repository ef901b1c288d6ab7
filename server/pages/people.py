"""For administrators: who may sign in, and what was done on this server."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from automl.records import AuditAction, LinkPurpose, Role
from automl.store.accounts import all_accounts, find_account, set_disabled, set_role
from automl.store.audit import PAGE, events_before
from automl.store.one_time_links import invitations, make_link, take_invitation_back
from automl.store.tables import Account
from server.audit import record
from server.forms import chosen, row_id
from server.pages.accounts import own_account_id
from server.services import services

blueprint = Blueprint("people", __name__)


@blueprint.get("/people")
def index() -> str:
    """All accounts."""
    with services().database.session() as session:
        own_id = own_account_id(session)
        accounts, invited = all_accounts(session), invitations(session)
    return render_template("people/index.html", accounts=accounts, invited=invited, own_id=own_id)


@blueprint.post("/people/invitations")
def invite() -> str:
    """Makes a link that makes an account of the form's `role`, and shows it: this once, since only its hash is kept."""
    role = chosen(Role, request.form.get("role", ""))
    with services().database.session() as session:
        own_account_id(session)
        secret = make_link(session, LinkPurpose.INVITATION, role=role)
        record(session, AuditAction.INVITED, object_kind="account", detail=role)
    return render_template("people/link.html", address=_address(secret), account=None)


@blueprint.post("/people/invitations/<link_id>/take-back")
def take_back(link_id: str) -> ResponseReturnValue:
    """Ends an invitation that nobody has used yet."""
    with services().database.session() as session:
        own_account_id(session)
        if take_invitation_back(session, link_id):
            record(session, AuditAction.INVITATION_ENDED, object_kind="account")
    return redirect(url_for("people.index"), 303)


@blueprint.post("/people/<account_id>/reset-link")
def make_reset_link(account_id: str) -> str:
    """Makes a link by which somebody who has forgotten his password gives himself another one, and shows it."""
    with services().database.session() as session:
        account = _account_of_somebody(session, account_id)
        secret = make_link(session, LinkPurpose.PASSWORD, account_id=account.id)
        record(session, AuditAction.RESET_LINK_MADE, object_kind="account", object_id=account_id, detail=account.email)
    return render_template("people/link.html", address=_address(secret), account=account)


@blueprint.post("/people/<account_id>/role")
def change_role(account_id: str) -> ResponseReturnValue:
    """Raises NotAllowedNow: nobody would administer this server any more."""
    role = chosen(Role, request.form.get("role", ""))
    with services().database.session() as session:
        account = _account_of_somebody(session, account_id)
        set_role(session, account, role)
        detail = f"{account.email}: {role}"
        record(session, AuditAction.ROLE_CHANGED, object_kind="account", object_id=account_id, detail=detail)
    return redirect(url_for("people.index"), 303)


@blueprint.post("/people/<account_id>/disable")
def disable(account_id: str) -> ResponseReturnValue:
    """Raises NotAllowedNow: nobody would administer this server any more."""
    return _set_disabled(account_id, True)


@blueprint.post("/people/<account_id>/enable")
def enable(account_id: str) -> ResponseReturnValue:
    return _set_disabled(account_id, False)


@blueprint.get("/people/events")
def show_audit() -> str:
    """What was done, the newest first; `before`: only what is older than the event with this id."""
    text = request.args.get("before", "")
    is_id = text.isascii() and text.isdecimal() and len(text) < 19
    with services().database.session() as session:
        events = events_before(session, row_id(int(text)) if is_id else None)
    older = events[-1].id if len(events) == PAGE else None
    return render_template("people/events.html", events=events, older=older, is_first=not is_id)


def _set_disabled(account_id: str, is_disabled: bool) -> ResponseReturnValue:
    action = AuditAction.DISABLED if is_disabled else AuditAction.ENABLED
    with services().database.session() as session:
        account = _account_of_somebody(session, account_id)
        set_disabled(session, account, is_disabled)
        record(session, action, object_kind="account", object_id=account_id, detail=account.email)
    return redirect(url_for("people.index"), 303)


def _account_of_somebody(session: Session, account_id: str) -> Account:
    """Raises NotFound: There is none, or nobody needs an account here."""
    own_account_id(session)
    return find_account(session, account_id)


def _address(secret: str) -> str:
    """Of the link, as others reach this server."""
    path = url_for("accounts.open_link", secret=secret)
    return (services().settings.public_url or request.host_url).rstrip("/") + path

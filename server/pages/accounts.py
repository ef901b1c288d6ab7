"""Signing in and out, the first administrator, and what somebody may change about his own account."""

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from automl.errors import BadSetting
from automl.records import AuditAction, LinkPurpose, Role
from automl.store.accounts import (
    account_of,
    add_account,
    checked_name,
    close_account,
    find_account,
    find_by_email,
    has_administrator,
    set_password,
)
from automl.store.api_tokens import end_tokens, tokens_of
from automl.store.one_time_links import find_link, use_link
from automl.store.passwords import is_right
from automl.store.quotas import usage_of
from automl.store.sign_ins import end_sign_in, end_sign_ins, sign_ins_of
from automl.text.messages import accounts as account_messages
from automl.text.messages import administration as administration_messages
from server import identity
from server.attempts import TooManyAttempts
from server.audit import record
from server.errors import STATUS_OF_CODE
from server.openid import connect_waiting, waiting_identity
from server.services import services
from server.visitor import known_visitor, visitor

blueprint = Blueprint("accounts", __name__)

_PAGES_OF_LINKS = {
    LinkPurpose.SETUP: "accounts/setup.html",
    LinkPurpose.INVITATION: "accounts/invited.html",
    LinkPurpose.PASSWORD: "accounts/new_password.html",
}


@blueprint.get("/sign-in")
def ask() -> ResponseReturnValue:
    """The form; on a server that nobody administers yet, how to begin."""
    if known_visitor() is not None:
        return redirect(next_page())
    with services().database.session() as session:
        is_set_up = has_administrator(session)
    connects = waiting_identity()
    return render_template(
        "accounts/sign_in.html",
        is_set_up=is_set_up,
        next=next_page(),
        email=connects.email if connects else "",
        connects=connects is not None,
        has_left="left" in request.args,
        problem="",
    )


@blueprint.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    attempts = identity.failed_attempts()
    if not attempts.begin(email):
        return _page_of_sign_in(email, administration_messages.TOO_MANY_ATTEMPTS), 429
    account = account_of(services().database, email, password)
    with services().database.session() as session:
        if account is not None:
            connect_waiting(session, account)
            identity.sign_in(session, account)
            record(session, AuditAction.SIGNED_IN, account_id=account.id)
            attempts.forget(email)
            return redirect(next_page(), 303)
        known = find_by_email(session, email)  # an unknown address is not written down: it may be a password
        record(session, AuditAction.SIGN_IN_FAILED, detail=known.email if known else "")
    return _page_of_sign_in(email, account_messages.NOT_TOGETHER), 403


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    who = known_visitor()
    if who is not None and who.sign_in_id:
        with services().database.session() as session:
            record(session, AuditAction.SIGNED_OUT)
    was_by_provider = identity.sign_out()
    return redirect(url_for("accounts.ask", left=1 if was_by_provider else None), 303)


@blueprint.get("/once/<secret>")
def open_link(secret: str) -> str:
    """What a link that works once is for: setting this server up, an invitation, or another password."""
    return _page_of_link(secret)


@blueprint.post("/once/<secret>")
def follow_link(secret: str) -> ResponseReturnValue:
    """Does that, and signs in. Another password ends all that the account was open with, its tokens, too."""
    try:
        password = _password_typed_twice()
        with services().database.session() as session:
            link = use_link(session, secret)
            if link.account_id:
                account = find_account(session, link.account_id)
                set_password(session, account, password)
                _end_tokens(session, account.id)
            else:
                role = Role.ADMINISTRATOR if link.purpose is LinkPurpose.SETUP else link.role
                email, name = request.form.get("email", ""), request.form.get("name", "")
                account = add_account(session, email=email, name=name, role=role, password=password)
            record(session, AuditAction.LINK_USED, account_id=account.id, detail=link.purpose)
            identity.sign_in(session, account)
    except BadSetting as error:  # nothing was changed, so the link still works
        return _page_of_link(secret, problem=error.message), 400
    return redirect(url_for("home.index"), 303)


@blueprint.get("/account")
def show() -> str:
    return _page_of_account()


@blueprint.post("/account")
def change() -> ResponseReturnValue:
    """Another name."""
    try:
        with services().database.session() as session:
            find_account(session, own_account_id(session)).name = checked_name(request.form.get("name", ""))
    except BadSetting as error:
        return _page_of_account(problem=error.message), 400
    return redirect(url_for("accounts.show"), 303)


@blueprint.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Another password; all other browsers are signed out. With `end_tokens`, its tokens end, too."""
    try:
        _require_password()
        password = _password_typed_twice()
        with services().database.session() as session:
            account = find_account(session, own_account_id(session))
            if not account.password_hash:
                raise BadSetting(account_messages.NOTHING_TO_CHANGE)
            set_password(session, account, password)
            record(session, AuditAction.PASSWORD_CHANGED, object_kind="account", object_id=account.id)
            if request.form.get("end_tokens"):
                _end_tokens(session, account.id)
            identity.sign_in(session, account)
    except (BadSetting, TooManyAttempts) as error:
        return _page_of_account(problem=error.message), STATUS_OF_CODE[error.code]
    return redirect(url_for("accounts.show", _anchor="browsers"), 303)


@blueprint.post("/account/sign-ins/<sign_in_id>/end")
def end(sign_in_id: str) -> ResponseReturnValue:
    """Signs one browser out; `others`: all but this one."""
    with services().database.session() as session:
        own_id = own_account_id(session)
        if sign_in_id == "others":
            end_sign_ins(session, own_id, but_id=visitor().sign_in_id)
        else:
            end_sign_in(session, own_id, sign_in_id)
        record(session, AuditAction.SIGN_INS_ENDED, object_kind="account", object_id=own_id)
    return redirect(url_for("accounts.show", _anchor="browsers"), 303)


@blueprint.get("/account/close")
def ask_to_close() -> str:
    """Asks, and says what goes."""
    return _page_of_closing()


@blueprint.post("/account/close")
def close() -> ResponseReturnValue:
    """Ends the account, with all that is its, for good."""
    try:
        _require_password()
        with services().database.session() as session:
            account = find_account(session, own_account_id(session))
            record(session, AuditAction.ACCOUNT_CLOSED, object_kind="account", object_id=account.id)
            close_account(session, account)
    except (BadSetting, TooManyAttempts) as error:
        return _page_of_closing(problem=error.message), STATUS_OF_CODE[error.code]
    identity.sign_out()
    return redirect(url_for("accounts.ask"), 303)


def _page_of_closing(problem: str = "") -> str:
    with services().database.session() as session:
        usage = usage_of(session, own_account_id(session))
        has_password = bool(find_account(session, own_account_id(session)).password_hash)
    return render_template("accounts/close.html", usage=usage, has_password=has_password, problem=problem)


def _page_of_sign_in(email: str, problem: str) -> str:
    values = {"next": next_page(), "email": email[:254], "connects": waiting_identity() is not None}
    return render_template("accounts/sign_in.html", is_set_up=True, problem=problem, **values)


def own_account_id(session: Session) -> str:
    """Raises NotFound where nobody needs an account, so that nobody has a page of his own."""
    return find_account(session, visitor().account_id or "").id


def _page_of_account(problem: str = "") -> str:
    with services().database.session() as session:
        account = find_account(session, own_account_id(session))
        browsers, tokens = sign_ins_of(session, account.id), tokens_of(session, account.id)
    values = {"account": account, "browsers": browsers, "tokens": tokens, "this": visitor().sign_in_id}
    return render_template("accounts/show.html", **values, problem=problem)


def _page_of_link(secret: str, problem: str = "") -> str:
    with services().database.session() as session:
        link = find_link(session, secret)
        account = find_account(session, link.account_id) if link.account_id else None
    values = {name: request.form.get(name, "")[:254] for name in ("email", "name")}
    return render_template(_PAGES_OF_LINKS[link.purpose], account=account, problem=problem, **values)


def _require_password() -> None:
    """For what nobody may do who only finds a browser signed in. A wrong password counts as one at signing in.

    Raises:
        NotFound: Nobody needs an account.
        BadSetting: The form does not have the present password of the account; of one without a password, its address.
        TooManyAttempts: It was not right too often.
    """
    attempts = identity.failed_attempts()
    with services().database.session() as session:
        account = find_account(session, own_account_id(session))
    present = request.form.get("present", "")
    if not account.password_hash:
        if present.strip().lower() != account.email:
            raise BadSetting(account_messages.TYPE_YOUR_ADDRESS)
        return
    if not attempts.begin(account.email):
        raise TooManyAttempts(administration_messages.TOO_MANY_WRONG)
    if is_right(present, account.password_hash):
        attempts.forget(account.email)
        return
    with services().database.session() as session:
        record(session, AuditAction.PASSWORD_WRONG, object_kind="account", object_id=account.id)
    raise BadSetting(account_messages.NOT_THE_PRESENT_ONE)


def _end_tokens(session: Session, account_id: str) -> None:
    for token_id, name in end_tokens(session, account_id):
        ended = {"object_kind": "token", "object_id": token_id, "detail": name}
        record(session, AuditAction.TOKEN_REVOKED, account_id=account_id, **ended)


def _password_typed_twice() -> str:
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        raise BadSetting(account_messages.NOT_THE_SAME_TWICE)
    return password


def next_page() -> str:
    """The page that was asked for before signing in; only one of ours, whatever the address says."""
    wanted = request.values.get("next", "")
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return url_for("home.index")
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return wanted if is_ours else url_for("home.index")

"""Tokens of programs that act for somebody, on the page of his account."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from automl.errors import BadSetting
from automl.records import AuditAction, TokenScope
from automl.store.api_tokens import make_token, revoke_token
from automl.text.messages import administration as administration_messages
from server.audit import record
from server.forms import chosen
from server.pages.accounts import own_account_id
from server.services import services

blueprint = Blueprint("tokens", __name__, url_prefix="/account/tokens")


@blueprint.post("")
def make() -> str:
    """Makes a token and shows it: this once, since only its hash is kept.

    Raises:
        BadSetting: The form asks for what is not offered.
        NotAllowedNow: There are too many.
    """
    form = request.form
    scope = chosen(TokenScope, form.get("scope", ""))
    if not form.get("days", "").isascii() or not form["days"].isdecimal():
        raise BadSetting(administration_messages.NO_SUCH_CHOICE)
    name = form.get("name", "")
    with services().database.session() as session:
        secret = make_token(session, own_account_id(session), name=name, scope=scope, days=int(form["days"][:9]))
        record(session, AuditAction.TOKEN_MADE, object_kind="token", detail=f"{name} ({scope})")
    return render_template("accounts/token.html", token=secret, name=name)


@blueprint.post("/<token_id>/revoke")
def revoke(token_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        name = revoke_token(session, own_account_id(session), token_id)
        if name is not None:
            record(session, AuditAction.TOKEN_REVOKED, object_kind="token", object_id=token_id, detail=name)
    return redirect(url_for("accounts.show", _anchor="tokens"), 303)

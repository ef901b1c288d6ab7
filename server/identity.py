"""Who sends a request: somebody who has signed in, anybody where nobody needs to, or a stranger.

Nobody needs an account while only this machine reaches the server (`Settings.needs_accounts`) and there is none. From
the first account on, and wherever others reach the server, everybody signs in. Until there is an administrator, such a
server shows nothing but the page behind the link that makes one.

Flask-Login keeps the secret of a sign-in in Flask's cookie, which is signed; what it opens is in the database, so each
sign-in can be ended there. Programs send a token in the header `Authorization: Bearer …`, which no browser sends by
itself; it counts more than a cookie.
"""

import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask, Request, current_app, g, request
from flask import session as cookie
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.orm import Session

from automl.records import TokenScope
from automl.settings import Settings
from automl.store.accounts import has_accounts
from automl.store.api_tokens import find_token
from automl.store.random_secrets import new_secret
from automl.store.sign_ins import begin_sign_in, end_sign_in, find_sign_in
from automl.store.tables import Account
from server.attempts import FailedAttempts
from server.services import services
from server.visitor import Visitor, known_visitor

COOKIE = "darkroom"
_LOOK_EVERY_S = 1.0
_FOR_NOBODY = frozenset(
    {"static", "home.health", "home.favicon", "probes.is_alive", "probes.is_ready", "probes.metrics"}
)
"""These answer the same to everybody, also while the database is away."""
_ACCOUNTS = "darkroom_accounts"
_BY_PROVIDER = "by_provider"


class SignedIn(UserMixin):  # type: ignore[misc]
    """Somebody in one browser, as Flask-Login sees him: by the secret of the sign-in, which it puts into the cookie."""

    def __init__(self, secret: str, visitor: Visitor) -> None:
        self.id, self.visitor = secret, visitor


@dataclass
class _Accounts:
    """Whether anybody has an account, looked up once a second until somebody has; and who has failed to sign in."""

    failed_attempts: FailedAttempts
    are_there: bool = False
    looked_s: float = field(default=float("-inf"))

    def look(self) -> bool:
        if not self.are_there and time.monotonic() - self.looked_s > _LOOK_EVERY_S:
            with services().database.session() as session:
                self.are_there = has_accounts(session)
            self.looked_s = time.monotonic()
        return self.are_there


class _Cookies(SecureCookieSessionInterface):
    """Signs the cookie with a key that lasts, and lets it travel over TLS only where it came that way."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        # Without a cookie there is nothing to look into, and no key to make.
        return super().open_session(app, request) if COOKIE in request.cookies else self.session_class()

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's
        return request.is_secure

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if not app.secret_key:
            app.secret_key = _kept_key(self._key_file)
        return super().get_signing_serializer(app)


def install(app: Flask, settings: Settings) -> None:
    """Must come before everything that asks who the visitor is."""
    app.config.update(SESSION_COOKIE_NAME=COOKIE, SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_HTTPONLY=True)
    app.config["PERMANENT_SESSION_LIFETIME"] = settings.sign_in_days * 86_400
    app.session_interface = _Cookies(settings.home / "cookie.key")
    manager = LoginManager(app, add_context_processor=False)
    manager.session_protection = None  # an address that changes on the way is no reason to sign in again
    manager.user_loader(_by_cookie)
    app.extensions[_ACCOUNTS] = _Accounts(FailedAttempts(settings))
    app.before_request(_find_visitor)
    app.context_processor(lambda: {"visitor": g.get("visitor")})


def sign_in(session: Session, account: Account, *, by_provider: bool = False) -> None:
    """Signs the sender of the current request in. What his cookie held before, which others may know, opens nothing.

    Args:
        session: The transaction.
        account: Who he is.
        by_provider: Whether an OpenID provider has said so.
    """
    cookie.clear()
    if by_provider:
        cookie[_BY_PROVIDER] = True
    secret = begin_sign_in(session, services().settings, account, agent=request.user_agent.string)
    cookie.permanent = True
    login_user(SignedIn(secret, _visitor_of(account)))
    _accounts().are_there = True


def sign_out() -> bool:
    """Ends the sign-in that the current request comes from. Whether an OpenID provider had begun it."""
    was_by_provider = bool(cookie.get(_BY_PROVIDER))
    visitor = known_visitor()
    if visitor is not None and visitor.account_id is not None:
        with services().database.session() as session:
            end_sign_in(session, visitor.account_id, visitor.sign_in_id)
    logout_user()
    cookie.clear()
    return was_by_provider


def failed_attempts() -> FailedAttempts:
    """To sign in to this server."""
    return _accounts().failed_attempts


def has_cookie() -> bool:
    """Whether a browser that has signed in sends the current request; scripts of other sites could make it do so."""
    return COOKIE in request.cookies


def _find_visitor() -> None:
    g.visitor = None if request.endpoint in _FOR_NOBODY else _sender()


def _sender() -> Visitor | None:
    header = request.authorization
    found = None
    if header is not None and header.type == "bearer":  # others may be meant for a proxy
        found = _by_token(header.token or "")
    # Without a cookie it is not looked into, so that answers which are the same for all may be kept by all.
    elif has_cookie() and current_user.is_authenticated:
        found = current_user.visitor
    if found is None and not services().settings.needs_accounts and not _accounts().look():
        return Visitor()
    return found


def _by_cookie(secret: str) -> SignedIn | None:
    with services().database.session() as session:
        found = find_sign_in(session, services().settings, secret)
        return None if found is None else SignedIn(secret, _visitor_of(found.account, found.id))


def _by_token(secret: str) -> Visitor | None:
    with services().database.session() as session:
        found = find_token(session, secret)
        return None if found is None else _visitor_of(found.account, scope=found.scope)


def _visitor_of(account: Account, sign_in_id: str = "", scope: TokenScope | None = None) -> Visitor:
    shown = account.shown_name
    return Visitor(account_id=account.id, role=account.role, name=shown, sign_in_id=sign_in_id, scope=scope)


def _accounts() -> _Accounts:
    found = current_app.extensions[_ACCOUNTS]
    assert isinstance(found, _Accounts)
    return found


def _kept_key(path: Path) -> str:
    """The key in a file that only this user may read, which is made where it is not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Whole or not at all: an empty file, left by a process that was killed, would let nobody sign in any more.
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as made:  # only this user may read it
            made.write(new_secret())
            made.flush()
            with suppress(FileExistsError):  # another process has made one in this moment
                os.link(made.name, path)
    return path.read_text()

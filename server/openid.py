"""Signing in with an OpenID provider: authorization code flow with PKCE, state and nonce, by Authlib.

What the provider says is believed only after its ID token was verified: signature, issuer, audience, time and nonce.
The provider's addresses and keys come from its discovery document; keys that are not known yet are fetched again.
"""

import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, current_app, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from automl.errors import BadSetting, UserError
from automl.settings import THIS_MACHINE, Settings
from automl.store.openid_identities import remember_identity
from automl.store.tables import Account
from automl.text.messages import accounts as account_messages

_NAME = "openid"
_TIMEOUT_S = 10.0
_NEXT, _WAITING = "openid_next", "openid_waiting"
_WAITS_S = 600.0
_log = structlog.stdlib.get_logger(__name__)


class SignInRefused(UserError):
    """Somebody could not be signed in by the provider, or may not be here."""

    code = "sign_in_refused"


class ProviderAway(UserError):
    """The provider does not answer, or answers what no provider should."""

    code = "provider_away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody is, as the provider has proven.

    Attributes:
        issuer: The provider.
        subject: What it calls him.
        email: His address; empty where it does not tell.
        is_verified: Whether the address is certainly his.
        name: What he is called; may be empty.
    """

    issuer: str
    subject: str
    email: str
    is_verified: bool
    name: str


class Provider:
    """The provider of the settings.

    Args:
        app: Its requests begin and end the flow.
        settings: With `openid_issuer`.

    Raises:
        BadSetting: Something is missing, or the provider would be asked without TLS.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        from authlib.integrations.flask_client import OAuth  # takes a moment, and only few servers need it

        if not (settings.openid_client_id and settings.public_url):
            raise BadSetting(account_messages.OPENID_NEEDS)
        address = urlsplit(settings.openid_issuer)
        if address.scheme != "https" and address.hostname not in THIS_MACHINE:
            raise BadSetting(account_messages.OPENID_NOT_SAFE.format(issuer=settings.openid_issuer))
        self.title = settings.openid_title
        self._settings = settings
        self._client = OAuth(app).register(
            _NAME,
            client_id=settings.openid_client_id,
            client_secret=settings.openid_client_secret or None,
            server_metadata_url=settings.openid_issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "default_timeout": _TIMEOUT_S,
                **({} if settings.openid_client_secret else {"token_endpoint_auth_method": "none"}),
            },
        )

    def begin(self, next_page: str) -> ResponseReturnValue:
        """Sends the browser to the provider. `next_page`: of this server, for afterwards.

        Raises:
            ProviderAway: It does not answer.
        """
        self._forget()
        try:
            self._look()
            answer: ResponseReturnValue = self._client.authorize_redirect(self._address("openid.finish"))
        except _faults() as error:
            raise self._away(error) from error
        cookie[_NEXT] = next_page
        return answer

    def finish(self) -> tuple[Identity, str]:
        """Who the provider has sent back, and the page that he wanted.

        Raises:
            SignInRefused: The provider did not sign him in, or what he brings was not made for this browser.
            ProviderAway: It does not answer, or its token is not right.
        """
        from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
        from joserfc.errors import JoseError

        next_page = cookie.get(_NEXT) or ""
        try:
            self._look()
            claims = self._client.authorize_access_token().get("userinfo")
        except MismatchingStateError as error:
            raise SignInRefused(account_messages.NOT_PROVEN.format(title=self.title)) from error
        except OAuthError as error:
            _log.warning("the OpenID provider signed nobody in", reason=error.error)
            raise SignInRefused(account_messages.PROVIDER_REFUSED.format(title=self.title)) from error
        except JoseError as error:
            _log.warning("an ID token was refused", reason=str(error.error))
            raise SignInRefused(account_messages.NOT_PROVEN.format(title=self.title)) from error
        except _faults() as error:
            raise self._away(error) from error
        finally:
            self._forget()
        if not claims or not claims.get("sub"):
            raise self._away(ValueError("no ID token"))
        return self._identity(claims), next_page

    def address_to_leave(self) -> str | None:
        """Where the provider ends its own session; None where it has no such address, or does not answer."""
        try:
            self._look()
            if not self._client.server_metadata.get("end_session_endpoint"):
                return None
            made: str = self._client.create_logout_url(
                self._address("accounts.ask"), client_id=self._settings.openid_client_id
            )["url"]
        except _faults() as error:
            _log.warning("the OpenID provider does not answer", reason=type(error).__name__)
            return None
        return made

    def _identity(self, claims: dict[str, Any]) -> Identity:
        is_verified = claims.get("email_verified") in (True, "true") or self._settings.openid_trusts_addresses
        return Identity(
            issuer=str(claims["iss"]),
            subject=str(claims["sub"]),
            email=str(claims.get("email") or "").strip().lower(),
            is_verified=is_verified,
            name=str(claims.get("name") or ""),
        )

    def _look(self) -> None:
        """Reads the discovery document, once, which must be that of the issuer."""
        metadata = self._client.load_server_metadata()
        if str(metadata.get("issuer", "")).rstrip("/") != self._settings.openid_issuer.rstrip("/"):
            self._client.server_metadata.clear()
            raise ValueError("the discovery document is another issuer's")

    def _away(self, error: Exception) -> ProviderAway:
        _log.warning("the OpenID provider does not answer as it should", reason=f"{type(error).__name__}: {error}")
        return ProviderAway(account_messages.PROVIDER_AWAY.format(title=self.title))

    def _address(self, endpoint: str) -> str:
        """Of this server as people know it: the host of a request may be anything."""
        return self._settings.public_url.rstrip("/") + url_for(endpoint)

    @staticmethod
    def _forget() -> None:
        """Whatever an earlier attempt has left in the cookie."""
        for name in [name for name in cookie if name in (_NEXT, _WAITING) or name.startswith(f"_state_{_NAME}")]:
            cookie.pop(name)


def let_connect(proven: Identity) -> None:
    """Keeps in the cookie who somebody is, until he has signed in with the password of the account of his address."""
    cookie[_WAITING] = {**asdict(proven), "until": time.time() + _WAITS_S}


def waiting_identity() -> Identity | None:
    """Who waits for that in the browser of the current request."""
    kept = dict(cookie.get(_WAITING) or {})
    return Identity(**kept) if kept and kept.pop("until") > time.time() else None


def connect_waiting(session: Session, account: Account) -> None:
    """From now on, he signs in to this account; does nothing where nobody waits, or the account has another address."""
    waiting = waiting_identity()
    if waiting is not None and waiting.email == account.email:
        remember_identity(session, account, waiting.issuer, waiting.subject)


def install(app: Flask, settings: Settings) -> None:
    """Raises BadSetting where the settings of the provider are not complete."""
    if settings.openid_issuer:
        app.extensions["darkroom_openid"] = Provider(app, settings)
    app.context_processor(lambda: {"provider": provider()})


def provider() -> Provider | None:
    """None where people sign in with passwords alone."""
    found = current_app.extensions.get("darkroom_openid")
    assert found is None or isinstance(found, Provider)
    return found


def _faults() -> tuple[type[Exception], ...]:
    """What Authlib raises where a provider is away, or answers something else."""
    from requests import RequestException

    return RequestException, ValueError, RuntimeError, KeyError, TypeError

"""A small OpenID provider on this machine, which can also be a bad one."""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "darkroom", "told to nobody"


@dataclass
class TestProvider:
    """What it says of whoever signs in, and what it does wrong.

    Attributes:
        person: The claims of the one who is signed in there.
        wrong: Claims of the ID token that are not what they should be.
        signs_with: The key; another one than it publishes makes bad signatures.
        is_refusing: Whether it sends people back without having signed them in.
        is_broken: Whether its discovery document is one of somebody else.
    """

    __test__ = False  # no class of tests

    issuer: str = ""
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "17", "email": "mia@example.org", "email_verified": True, "name": "Mia"}
    )
    wrong: dict[str, Any] = field(default_factory=dict)
    keys: list[RSAKey] = field(default_factory=list)
    signs_with: RSAKey | None = None
    is_refusing: bool = False
    is_broken: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rotate(self) -> None:
        """Another key from now on; the old one is not published any more."""
        self.keys = [RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})]
        self.signs_with = self.keys[0]

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = {name: value for name, value in {**claims, **self.person, **self.wrong}.items() if value is not None}
        assert self.signs_with is not None
        return jwt.encode({"alg": "RS256", "kid": self.keys[0].kid}, claims, self.signs_with)


def _app(provider: TestProvider) -> Flask:
    app = Flask(__name__)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> ResponseReturnValue:
        issuer = provider.issuer
        return jsonify(
            issuer="https://somebody.example" if provider.is_broken else issuer,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            jwks_uri=f"{issuer}/keys",
            end_session_endpoint=f"{issuer}/leave",
            id_token_signing_alg_values_supported=["RS256"],
        )

    @app.get("/authorize")
    def authorize() -> ResponseReturnValue:
        asked = request.args.to_dict()
        provider.asked.append(asked)
        if provider.is_refusing:
            answer = {"error": "access_denied", "state": asked["state"]}
        else:
            code = secrets.token_hex(8)
            provider.codes[code] = asked
            answer = {"code": code, "state": asked["state"]}
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}")

    @app.post("/token")
    def token() -> ResponseReturnValue:
        asked = provider.codes.pop(request.form["code"], None)
        authorization = request.authorization
        is_client = authorization is not None and (authorization.username, authorization.password) == (
            CLIENT_ID,
            CLIENT_SECRET,
        )
        verifier = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if asked is None or not is_client or asked["code_challenge"] != challenge:
            return jsonify(error="invalid_grant"), 400
        return jsonify(access_token="a", token_type="Bearer", expires_in=60, id_token=provider.id_token(asked["nonce"]))

    @app.get("/keys")
    def keys() -> ResponseReturnValue:
        return jsonify(keys=[key.as_dict(private=False) for key in provider.keys])

    @app.get("/leave")
    def leave() -> ResponseReturnValue:
        return redirect(request.args["post_logout_redirect_uri"])

    return app


@contextmanager
def running_provider() -> Iterator[TestProvider]:
    provider = TestProvider()
    provider.rotate()
    server = make_server("127.0.0.1", 0, _app(provider), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sent_back(address: str) -> str:
    """The path and query of an address that the provider sends the browser to."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"

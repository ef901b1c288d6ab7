"""Security headers of every response, and protection against requests that other web sites cause."""

from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.sansio.utils import host_is_trusted

from automl.text.messages import server as server_messages
from server.errors import CrossSite
from server.identity import has_cookie
from server.services import services

_DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # Pico draws its check marks and arrows with data: pictures
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def _policy(directives: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


PHONE_POLICY = _policy(
    _DIRECTIVES | {"script-src": "'self' 'wasm-unsafe-eval'", "worker-src": "'self'", "manifest-src": "'self'"}
)
"""The Content-Security-Policy of the one page that runs a model itself, which is WebAssembly, and can be installed."""

CAMERA = "camera=(self), microphone=(), geolocation=()"
"""The Permissions-Policy of the pages that may use the camera."""

_HEADERS = {
    "Content-Security-Policy": _policy(_DIRECTIVES),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


_OF_PROXIES = frozenset({"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"})


def install(app: Flask) -> None:
    app.before_request(_refuse_other_names)
    app.before_request(_refuse_cross_site)
    app.after_request(_add_headers)


def _refuse_other_names() -> None:
    """Protects against DNS rebinding: a foreign host name may be made to resolve to this server's address, and then the
    scripts of that host could read every page.

    Raises:
        CrossSite: the request's host name is not one of this server's, or a proxy hands it on that the settings do not
            name, so that others could reach what only this machine's people may.
    """
    settings = services().settings
    if not host_is_trusted(request.host, settings.trusted_hosts):
        raise CrossSite(server_messages.OTHER_HOST.format(host=request.host[:100]))
    if not settings.needs_accounts and not _OF_PROXIES.isdisjoint(request.headers.keys()):
        raise CrossSite(server_messages.UNKNOWN_PROXY)


def _refuse_cross_site() -> None:
    """Protects against cross-site request forgery.

    Browsers name the site that caused a request: in Sec-Fetch-Site or, over plain HTTP from another machine, in Origin.
    Programs such as curl send neither and are let through, unless they send the cookie of a browser.

    Raises:
        CrossSite: a page of another site caused this request, which would change something.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        allowed = site in ("same-origin", "none")
    else:
        allowed = not has_cookie() if origin is None else _host_of(origin) == request.host
    if not allowed:
        raise CrossSite(server_messages.OTHER_SITE)


def _host_of(origin: str) -> str:
    """The host and port of an Origin; empty for one that no browser would send."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static":
        return response  # the same for everybody
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    elif not response.cache_control.no_store:  # a browser may keep it, but nothing that others share with it
        response.cache_control.public = False
        response.cache_control.private = True
    return response

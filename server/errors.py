"""The one boundary where errors become HTTP answers: JSON for the API, a page for everything else."""

from typing import Any

import structlog
from flask import Flask, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from automl.errors import DarkroomError, InBin, UserError
from automl.store.patience import is_away
from automl.text.messages import accounts as account_messages
from automl.text.messages import quotas as quota_messages
from automl.text.messages import server as server_messages
from server.access import is_by_link, path_for_logs
from server.edit_conflicts import EditConflict
from server.openid import ProviderAway, SignInRefused
from server.services import services
from server.visitor import NotPermitted

_log = structlog.stdlib.get_logger(__name__)

STATUS_OF_CODE: dict[str, int] = {
    "user_error": 400,
    "bad_setting": 400,
    "bad_upload": 400,
    "bad_image": 422,
    "bad_dataset": 422,
    "bad_bundle": 422,
    "upload_too_large": 413,
    "cross_site": 403,
    "sign_in_needed": 401,
    "not_permitted": 403,
    "sign_in_refused": 403,
    "provider_away": 503,
    "not_found": 404,
    "in_bin": 404,
    "not_allowed_now": 409,
    "edit_conflict": 409,
    "outdated": 412,
    "too_many_attempts": 429,
    "weights_error": 503,
    "source_unavailable": 503,
    "bad_weights": 503,
    "no_backbone": 503,
    "queue_unavailable": 503,
    "too_busy": 503,
    "disk_full": 507,
    "store_damaged": 503,
    "trial_failed": 500,
    "head_too_large": 500,
    "run_failed": 500,
    "internal": 500,
}
"""Every code of the tree in `automl.errors`, and those that only the server raises."""

_DATABASE_AWAY = "database_away"
"""The one code that belongs to no error of ours."""

_CODE_OF_STATUS = {
    400: ("bad_request", server_messages.BAD_REQUEST),
    404: ("not_found", server_messages.NOTHING_AT_ADDRESS),
    405: ("method_not_allowed", server_messages.OTHER_KIND_OF_REQUEST),
    408: ("bad_upload", server_messages.CONNECTION_LOST),
    413: ("upload_too_large", server_messages.TOO_MUCH),
    415: ("bad_upload", server_messages.UNKNOWN_KIND_OF_DATA),
    416: ("bad_range", server_messages.NOT_THAT_LONG),
    429: ("too_often", quota_messages.TOO_OFTEN),
}

_PROBES = ("/health", "/healthz", "/readyz", "/metrics")
_AGAIN_AFTER_S = 5

_KEPT_HEADERS = frozenset({"Allow", "Content-Range"})


_TITLES = {
    400: server_messages.DID_NOT_WORK_TITLE,
    401: account_messages.SIGN_IN_TITLE,
    403: server_messages.OTHER_PAGE_TITLE,
    404: server_messages.NOTHING_HERE_TITLE,
    405: server_messages.DID_NOT_WORK_TITLE,
    409: server_messages.NOT_NOW_TITLE,
    413: server_messages.TOO_MUCH_TITLE,
    429: server_messages.TOO_OFTEN_TITLE,
    422: server_messages.PHOTOS_NOT_USABLE_TITLE,
    503: server_messages.NOT_AVAILABLE_TITLE,
    507: server_messages.DISK_FULL_TITLE,
}


class CrossSite(UserError):
    """A form that another web site sent with this user's browser."""

    code = "cross_site"


class TooBusy(UserError):
    """More work at once than this machine should do for the asking."""

    code = "too_busy"


def install(app: Flask) -> None:
    app.register_error_handler(DarkroomError, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(Exception, _unknown)


def wants_json() -> bool:
    return request.path.startswith("/api/") or request.path in _PROBES


def _known(error: DarkroomError) -> ResponseReturnValue:
    status = STATUS_OF_CODE[error.code]
    if status == 500:
        return _unknown(error)
    if status > 500:
        _log.warning("request refused", code=error.code, reason=error.message)
    if isinstance(error, EditConflict) and not wants_json():
        services().figures.errors.labels(error.code).inc()
        return render_template("errors/conflict.html", conflict=error, back=_page_before()), status
    return _answer(status, error.code, error.message)


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:  # redirects are exceptions too
        return error
    code, message = _CODE_OF_STATUS.get(error.code, ("bad_request", error.description or server_messages.DID_NOT_WORK))
    headers = {name: value for name, value in error.get_headers() if name in _KEPT_HEADERS}
    body, status, more = _answer(error.code, code, message)
    return body, status, {**more, **headers}


def _database(error: DBAPIError) -> ResponseReturnValue:
    if not is_away(error):
        return _unknown(error)
    _log.warning("request refused: the database does not answer", reason=type(error.orig).__name__)
    if request.method not in ("GET", "HEAD"):
        return _answer(503, _DATABASE_AWAY, server_messages.DATABASE_AWAY_NOT_DONE)
    body, status, headers = _answer(503, _DATABASE_AWAY, server_messages.DATABASE_AWAY)
    return body, status, {**headers, "Refresh": str(_AGAIN_AFTER_S)}


def _unknown(error: Exception) -> ResponseReturnValue:
    # What an exception says may contain paths and other people's data: it goes to the log, never to the page.
    _log.error("request failed", method=request.method, path=path_for_logs(), exc_info=error)
    return _answer(500, "internal", server_messages.INTERNAL)


def _answer(status: int, code: str, message: str) -> tuple[Any, int, dict[str, str]]:
    services().figures.errors.labels(code).inc()
    headers = {"Retry-After": str(_AGAIN_AFTER_S)} if status == 503 else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
        headers["HX-Redirect"] = url_for("accounts.ask")  # a page that is drawn again by itself
    if wants_json():
        return jsonify(error={"code": code, "message": message}), status, headers
    title = _TITLES.get(status, server_messages.WENT_WRONG_TITLE)
    if code == NotPermitted.code:
        title = account_messages.NOT_PERMITTED_TITLE
    if code in (SignInRefused.code, ProviderAway.code):
        title = account_messages.PROVIDER_TITLE
    if is_by_link():  # whoever has only a link has no use for the ways that the other page offers
        return render_template("shared/error.html", title=title, message=message), status, headers
    is_in_bin = code == InBin.code
    if is_in_bin:
        title = server_messages.IN_BIN_TITLE
    page = render_template(
        "errors/error.html",
        title=title,
        message=message,
        status=status,
        back=_page_before(),
        is_in_bin=is_in_bin,
        comes_again=code == _DATABASE_AWAY and request.method == "GET",
    )
    return page, status, headers


def _page_before() -> str | None:
    """The page of ours whose form led here."""
    before = request.referrer or ""
    return before if request.method == "POST" and before.startswith(request.host_url) else None

"""The log of requests: an id for each, which all lines carry that are written while it is answered."""

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from server.access import path_for_logs

_log = structlog.stdlib.get_logger(__name__)

HEADER = "X-Request-ID"
_SOUND_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


def install(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def _begin() -> None:
    """A proxy in front may have given the request an id already; it is taken over where it is harmless in a log."""
    given = request.headers.get(HEADER, "")
    g.request_id = given if _SOUND_ID.fullmatch(given) else uuid4().hex
    g.request_began_s = time.monotonic()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    took_ms = round(1000 * (time.monotonic() - g.request_began_s), 1)
    _log.debug("answered", method=request.method, path=path_for_logs(), status=response.status_code, took_ms=took_ms)
    return response


def _forget(_error: BaseException | None) -> None:
    # The thread answers other requests after this one.
    structlog.contextvars.unbind_contextvars("request_id")

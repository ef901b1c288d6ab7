"""An application whose pages wait a moment for a database that has just been away."""

import time
from collections.abc import Callable
from typing import TypeVar

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from automl.store.patience import is_away

PAUSES_S = (0.2, 0.8, 2.0)
"""Before each further try. Nobody waits longer for a page without being told why."""

_Answer = TypeVar("_Answer")

_SAFE = frozenset({"GET", "HEAD"})


class PatientFlask(Flask):
    """Answers what changes nothing anew, while the database does not answer."""

    def preprocess_request(self) -> ResponseReturnValue | None:
        """Who sends the request, and whether he may; nothing is changed by that, whatever the request does then."""
        return _patiently(super().preprocess_request)

    def dispatch_request(self) -> ResponseReturnValue:
        return _patiently(super().dispatch_request) if request.method in _SAFE else super().dispatch_request()


def _patiently(answer: Callable[[], _Answer]) -> _Answer:
    for pause_s in PAUSES_S:
        try:
            return answer()
        except DBAPIError as error:
            if not is_away(error):
                raise
        time.sleep(pause_s)
    return answer()

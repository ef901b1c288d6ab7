"""An application whose pages wait a moment for a database that has just been away."""

import time

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from automl.store.patience import is_away

PAUSES_S = (0.2, 0.8, 2.0)
"""Before each further try. Nobody waits longer for a page without being told why."""

_SAFE = frozenset({"GET", "HEAD"})


class PatientFlask(Flask):
    """Answers what changes nothing anew, while the database does not answer."""

    def dispatch_request(self) -> ResponseReturnValue:
        for pause_s in PAUSES_S if request.method in _SAFE else ():
            try:
                return super().dispatch_request()
            except DBAPIError as error:
                if not is_away(error):
                    raise
            time.sleep(pause_s)
        return super().dispatch_request()

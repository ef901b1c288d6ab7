"""The HTTP API, version 1: JSON in and out. `docs/api.md` describes it.

A route is a function in one of these modules; what it answers with is a model in `server.api.resources`, and what it
reads one in `server.api.bodies`.
"""

from server.api import bin as bin_api
from server.api import datasets, edits, exports, predictions, runs, sortings, uploads

_MODULES = (datasets, edits, uploads, runs, exports, predictions, sortings, bin_api)

BLUEPRINTS = tuple(module.blueprint for module in _MODULES)

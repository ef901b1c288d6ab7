"""What all answers of the API have in common."""

from datetime import datetime
from typing import Annotated

from flask import jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.main import IncEx

Timestamp = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]
"""A moment in UTC, such as "2026-01-31T12:00:00.000000+00:00"."""


class Resource(BaseModel):
    """An answer of the API, or a part of one. Fields that were not set are left out of its JSON."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class ErrorDetail(Resource):
    """What went wrong."""

    code: str
    """One of the codes of `automl/errors.py`; it stays the same from version to version."""

    message: str
    """A sentence for people."""


class ErrorResource(Resource):
    """The answer to a request that failed."""

    error: ErrorDetail


def respond(resource: BaseModel, status: int = 200, without: IncEx | None = None) -> ResponseReturnValue:
    """The answer to a request. `without`: parts that are left out, as `BaseModel.model_dump` takes them."""
    return jsonify(resource.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=without)), status

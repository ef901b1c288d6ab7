"""Types of columns that SQLAlchemy does not have: moments in UTC, and records that are kept as JSON."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, JsonValue
from sqlalchemy import JSON, DateTime, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

_Record = TypeVar("_Record", bound=BaseModel)


class UtcDateTime(TypeDecorator[datetime]):
    """Stored as UTC, and comes back as that: SQLite forgets time zones, and PostgreSQL answers in its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonRecord(TypeDecorator[_Record], Generic[_Record]):
    """A record that is kept as JSON.

    Args:
        read: Makes the record from its JSON, of this version of Darkroom or of an older one.
        is_whole: Whether fields that nobody has set are kept, too, so that they stay as they are when a later version
            has other defaults.
    """

    impl = JSON
    cache_ok = True

    def __init__(self, read: Callable[[dict[str, JsonValue]], _Record], *, is_whole: bool = False) -> None:
        super().__init__()
        self.read, self.is_whole = read, is_whole

    def process_bind_param(self, value: _Record | None, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else value.model_dump(mode="json", by_alias=True, exclude_unset=not self.is_whole)

    def process_result_value(self, value: Any, dialect: Dialect) -> _Record | None:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else self.read(value)

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        """What is asked of a part of the JSON is no record."""
        return self.impl_instance.coerce_compared_value(op, value)


class OptionalRecord(JsonRecord[_Record]):
    """A record that may be missing: None is kept as an empty object, so the column is never NULL."""

    cache_ok = True

    def process_bind_param(self, value: _Record | None, dialect: Dialect) -> Any:
        return {} if value is None else super().process_bind_param(value, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> _Record | None:
        return super().process_result_value(value, dialect) if value else None

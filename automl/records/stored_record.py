"""What all records have in common that the database keeps as JSON."""

from pydantic import BaseModel, ConfigDict


class StoredRecord(BaseModel):
    """A frozen record that is written to JSON and read again; keys of another version of Darkroom are ignored."""

    model_config = ConfigDict(
        frozen=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,
    )

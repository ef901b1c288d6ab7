"""The JSON Schema of records, as files that documentation and other programs read."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

Schemas = Mapping[str, type]
"""A table of records: the name of a schema to the Pydantic model, or the dataclass, that it describes."""


def schema_text(record: type) -> str:
    """The schema of one record, as its file has it."""
    schema = TypeAdapter(record).json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def write_schemas(schemas: Schemas, folder: Path) -> None:
    """One file for each name of the table; other schemas in the folder are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, record in schemas.items():
        (folder / f"{name}.json").write_text(schema_text(record))

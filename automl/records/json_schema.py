"""The JSON Schema of records, as files that documentation and other programs read."""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, JsonValue, TypeAdapter

Schemas = Mapping[str, type]
"""A table of records: the name of a schema to the Pydantic model, or the dataclass, that it describes."""


def schema_text(record: type) -> str:
    """The schema of one record, as its file has it, with the docstrings of its fields as descriptions."""
    schema = TypeAdapter(record).json_schema()
    models = {model.__name__: model for model in _models_below(BaseModel)}
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("title") in models:
            _describe(part.get("properties", {}), models[part["title"]])
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def write_schemas(schemas: Schemas, folder: Path) -> None:
    """One file for each name of the table; other schemas in the folder are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, record in schemas.items():
        (folder / f"{name}.json").write_text(schema_text(record))


def _models_below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in model.__subclasses__():
        yield child
        yield from _models_below(child)


def _describe(properties: dict[str, dict[str, JsonValue]], model: type[BaseModel]) -> None:
    # Pydantic can do this by itself, but at every import of every model, for which it reads the source files.
    for parent in model.__mro__:
        # Pydantic's own classes have no fields, and one that it makes of a generic class has no source.
        if (
            issubclass(parent, BaseModel)
            and not parent.__module__.startswith("pydantic")
            and "[" not in parent.__name__
        ):
            for name, text in _docstrings_of_fields(parent):
                field = model.model_fields.get(name)
                key = (field.alias or name) if field else name
                if key in properties:
                    properties[key] = dict(sorted(({"description": text} | properties[key]).items()))


def _docstrings_of_fields(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)
    for field, text in pairwise(definition.body):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
            yield field.target.id, inspect.cleandoc(text.value.value)

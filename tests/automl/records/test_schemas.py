"""The JSON Schema of a report that is kept with the documentation."""

import json

import pytest

from automl.records.json_schema import schema_text
from automl.records.report.schemas import FOLDER, SCHEMAS


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_kept_schema_is_that_of_the_code(name: str) -> None:
    kept = FOLDER / f"{name}.json"
    assert kept.is_file() and kept.read_text() == schema_text(SCHEMAS[name]), (
        "run python -m automl.records.report.schemas"
    )


def test_no_schema_is_kept_of_what_is_not_there_any_more() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(SCHEMAS)


def test_the_schema_has_the_keys_of_the_json() -> None:
    schema = json.loads(schema_text(SCHEMAS["report"]))
    assert {"schema", "test", "winner", "settings", "exports"} <= set(schema["required"])
    assert "score" not in schema["properties"]

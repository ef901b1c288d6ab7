"""The table of security items names tests that exist, and says of each item how it stands."""

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROWS = re.findall(r"^\| (\d+\.\d.*?) \| (.*?) \| (.*) \|$", (REPOSITORY / "docs/security.md").read_text(), re.MULTILINE)


def names_in(path: Path) -> set[str]:
    """Names of the functions and methods of a file, as pytest writes those of tests."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return found


def test_the_table_is_there():
    assert len(ROWS) > 60


@pytest.mark.parametrize(("item", "about", "held_by"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_each_item_is_held_by_a_test_that_exists_or_is_said_not_to_be(item, about, held_by):
    named = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", held_by)
    assert named or held_by.startswith(("*not met*", "**accounts**", "[SECURITY.md]"))
    for file, test in named:
        assert test in names_in(REPOSITORY / file)

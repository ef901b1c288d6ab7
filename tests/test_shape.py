"""Rules about the shape of the code that no linter checks. `docs/architecture.md` gives the reasons and the figures."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGES = ("automl", "server", "worker")
MOST_POSITIONAL = 5
LONGEST_TEMPLATE_LINE = 160
LOOSE_DICTS_PER_1000_LINES = 1.0

DELIVERED_WITH_ONE_NAME = {"Classifier"}
"""Each of the three delivered programs has a class of this name, so that a user's code works with any of them."""


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", list(modules()), ids=name_of)
def test_no_call_passes_six_or_more_arguments_by_position(path: Path) -> None:
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    assert [f"line {call.lineno}" for call in calls if len(call.args) > MOST_POSITIONAL] == []


def test_each_class_name_means_one_thing() -> None:
    homes = defaultdict(set)
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(name_of(path))
    assert {name: places for name, places in homes.items() if len(places) > 1}.keys() == DELIVERED_WITH_ONE_NAME


def test_dictionaries_of_anything_are_rare() -> None:
    texts = [path.read_text() for path in modules()]
    n_loose = sum(len(re.findall(r"(?:[dD]ict|Mapping)\[str, Any\]", text)) for text in texts)
    assert 1000 * n_loose / sum(text.count("\n") for text in texts) <= LOOSE_DICTS_PER_1000_LINES


@pytest.mark.parametrize("path", sorted((REPOSITORY / "templates").rglob("*.html")), ids=name_of)
def test_the_lines_of_a_template_fit_on_a_screen(path: Path) -> None:
    too_long = [
        number for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > LONGEST_TEMPLATE_LINE
    ]
    assert too_long == []

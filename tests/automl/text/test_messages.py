"""Rules about the catalogue of messages, so that it can be given to a translator as it is."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from automl.text import messages
from automl.text.one_or_many import OneOrMany

REPOSITORY = Path(__file__).parents[3]
USERS = ("automl", "server", "worker", "bench", "scripts", "tests")
ROWS = ("automl/records/", "automl/settings.py", "automl/formats.py", "automl/backbone_table.py")
"""Tables whose rows hold their own titles and helps."""
FOR_PROGRAMMERS = ("ValueError", "RuntimeError", "TypeError")
ALONE = ("automl/serving/predict", "automl/store/migrations/")
"""Programs that are delivered and run without Darkroom, and migrations, which never change."""


def catalogue() -> Iterator[tuple[str, str | OneOrMany]]:
    for module in pkgutil.iter_modules(messages.__path__):
        for name, value in vars(importlib.import_module(f"{messages.__name__}.{module.name}")).items():
            if name.isupper():
                yield f"{module.name}.{name}", value


def texts_of(message: str | OneOrMany) -> tuple[str, ...]:
    return (message.one, message.many) if isinstance(message, OneOrMany) else (message,)


def fields_of(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


def test_a_message_is_whole_and_filled_by_name() -> None:
    texts = [(name, text) for name, message in catalogue() for text in texts_of(message)]
    assert [name for name, text in texts if not text or text != text.strip()] == []
    assert [name for name, text in texts if not all(field.isidentifier() for field in fields_of(text))] == []


def test_one_and_many_are_filled_with_the_same_values() -> None:
    fields = {name: [fields_of(text) | {"n"} for text in texts_of(message)] for name, message in catalogue()}
    assert [name for name, each in fields.items() if each[0] != each[-1]] == []


def test_every_message_is_said_somewhere() -> None:
    sources = [path for package in USERS for path in (REPOSITORY / package).rglob("*.py")]
    used = set(re.findall(r"(?:messages|pieces)\.([A-Z][A-Z0-9_]+)", "\n".join(path.read_text() for path in sources)))
    assert [name for name, _ in catalogue() if name.split(".")[1] not in used] == []


def test_the_number_chooses_the_sentence() -> None:
    message = OneOrMany(one="{n:,} photo of {name}", many="{n:,} photos of {name}")
    assert message.format(n=1, name="a cat") == "1 photo of a cat"
    assert message.format(n=0, name="a cat") == "0 photos of a cat"
    assert message.format(n=1200, name="a cat") == "1,200 photos of a cat"


def test_no_sentence_stands_outside() -> None:
    elsewhere = (*ROWS, *ALONE, "automl/text/messages/")
    paths = [path for package in ("automl", "server", "worker") for path in (REPOSITORY / package).rglob("*.py")]
    names = {path: path.relative_to(REPOSITORY).as_posix() for path in paths}
    found = [
        f"{name}:{line}"
        for path, name in names.items()
        if not name.startswith(elsewhere)
        for line in lines_with_sentences(ast.parse(path.read_text()))
    ]
    assert found == []


def lines_with_sentences(tree: ast.Module) -> Iterator[int]:
    """Where text ends as a sentence does; docstrings and what is raised for programmers are no messages."""
    passed_over = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc and ast.unparse(node.exc).startswith(FOR_PROGRAMMERS):
            passed_over |= {id(argument) for argument in ast.walk(node.exc)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in passed_over else None
        if isinstance(text, str) and re.search(r" .*[a-z)]\.$", text, re.DOTALL):
            yield node.lineno

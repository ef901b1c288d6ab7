"""The tables of the documentation that follow from the code: `python -m scripts.documents` writes them.

Each stands between two comments, `<!-- NAME: begin, ... -->` and `<!-- NAME: end -->`; what is between them is
replaced. A test fails where a table is not what the code says.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.option_kinds import Control, Option
from automl.options import RUN_OPTIONS
from automl.settings import SETTINGS, Setting

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTable:
    """One table of a document.

    Attributes:
        document: the file, below `docs/`.
        name: what its two comments call it.
        lines: makes its lines, the head included.
    """

    document: str
    name: str
    lines: Callable[[], list[str]]

    @property
    def path(self) -> Path:
        return REPOSITORY / "docs" / self.document

    def written(self, text: str) -> str:
        """`text`, which is that of the document, with the table of today."""
        comment = f"<!-- {self.name}: begin, written by `python -m scripts.documents` -->"
        table = "\n".join([comment, *self.lines(), f"<!-- {self.name}: end -->"])
        found = re.compile(rf"<!-- {self.name}: begin.*?<!-- {self.name}: end -->", re.DOTALL)
        text, n = found.subn(lambda _: table, text)
        if n != 1:
            raise ValueError(f"{self.document} has {n} tables called {self.name}, not one.")
        return text


def main() -> int:
    for table in TABLES:
        table.path.write_text(table.written(table.path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def _options_for_users() -> list[str]:
    rows = [(f"`{option.name}`", f"`{option.flag}`", option.title, option.help) for option in RUN_OPTIONS.values()]
    return _table(("name", "command line", "in words", "what it does"), rows)


def _options_of_api() -> list[str]:
    rows = [
        (f"`{option.name}`", option.sentences, option.values_in_words, _default_of_option(option))
        for option in RUN_OPTIONS.values()
    ]
    return _table(("field", "meaning", "values", "default"), rows)


def _default_of_option(option: Option[Any]) -> str:
    """The value that is to be sent for the same, where there is one that people would read as such."""
    if option.is_unset(option.default) or option.control is Control.OWN:
        return option.default_in_words
    return f"`{option.text(option.default)}`"


def _settings() -> list[str]:
    rows = [(f"`{row.variable}`", f"`{_default_in_words(row)}`", row.unit, row.help) for row in SETTINGS]
    return _table(("variable", "default", "unit", "what it is"), rows)


def _default_in_words(row: Setting) -> str:
    """The default as it reads on every machine."""
    if isinstance(row.default, int):
        return f"{row.default:,}" if row.default >= 10_000 else str(row.default)
    text = str(row.default).replace(str(REPOSITORY), "<repository>")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return text.replace(cache, "~/.cache") or "(empty)"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    cells = [list(head), *map(list, rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], "|---" * len(cells[0]) + "|", *lines[1:]]


TABLES = (
    MadeTable(document="user-guide.md", name="options", lines=_options_for_users),
    MadeTable(document="api.md", name="options", lines=_options_of_api),
    MadeTable(document="settings.md", name="settings", lines=_settings),
)

if __name__ == "__main__":
    sys.exit(main())

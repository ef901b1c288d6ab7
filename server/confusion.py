"""The confusion matrix of a result, as a page shows it: each count leads to its photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from automl.words import counted

N_PAIRS = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """`shade`: 0-10, the share of its row. `href`: "" where no photos can be shown. `words`: what it counts."""

    n: int
    shade: int
    is_right: bool
    href: str
    words: str


@dataclass(frozen=True, slots=True)
class Head:
    """A class at the edge of the matrix."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    """`found`: the share of its photos that was rightly named (recall), None where it has none."""

    head: Head
    cells: tuple[Cell, ...]
    found: float | None


@dataclass(frozen=True, slots=True)
class MixUp:
    """`n` of the `n_really` test photos of one class were taken for another."""

    really: str
    said: str
    n: int
    n_really: int
    href: str
    words: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """`pairs`: the most frequent of `n_pairs` kinds of mistake."""

    columns: tuple[Head, ...]
    rows: tuple[Row, ...]
    pairs: tuple[MixUp, ...]
    n_pairs: int
    n_mistakes: int


def view_confusion(result: Mapping[str, Any], answers_page: str) -> Matrix | None:
    """answers_page: address of the page with the photos; "" where there is none. None before the test."""
    counts = (result.get("test") or {}).get("confusion")
    if not counts:
        return None
    classes = result["classes"]
    page = _Addresses(answers_page, classes)
    rows = tuple(_row(page, classes, index, row) for index, row in enumerate(counts))
    pairs = sorted(_pairs(rows, classes, counts), key=lambda pair: -pair.n)
    return Matrix(
        columns=tuple(Head(label, page.of(said=index)) for index, label in enumerate(classes)),
        rows=rows,
        pairs=tuple(pairs[:N_PAIRS]),
        n_pairs=len(pairs),
        n_mistakes=sum(pair.n for pair in pairs),
    )


def in_words(n: int, really: str | None, said: str | None) -> str:
    """ "3 photos of rose taken for tulip"; of one class alone where the other is None; all mistakes where both are."""
    photos = counted(n, "photo")
    if really is None and said is None:
        return counted(n, "mistake")
    if said is None:
        return f"{photos} of {really}"
    if really is None:
        return f"{photos} that it called {said}"
    return f"{photos} of {really}, rightly named" if really == said else f"{photos} of {really} taken for {said}"


class _Addresses:
    """Each name is quoted once: a large matrix has thousands of links."""

    def __init__(self, page: str, classes: Sequence[str]) -> None:
        self._page = page
        self._quoted = [quote(label, safe="") for label in classes]

    def of(self, really: int | None = None, said: int | None = None) -> str:
        named = (("really", really), ("said", said))
        query = "&".join(f"{name}={self._quoted[index]}" for name, index in named if index is not None)
        return f"{self._page}?{query}" if self._page else ""


def _row(page: _Addresses, classes: Sequence[str], index: int, counts: Sequence[int]) -> Row:
    total = sum(counts)
    cells = tuple(
        Cell(
            n=n,
            shade=-(-10 * n // total) if total else 0,
            is_right=column == index,
            href=page.of(index, column) if n else "",
            words=in_words(n, classes[index], classes[column]) if n else "",
        )
        for column, n in enumerate(counts)
    )
    return Row(Head(classes[index], page.of(really=index)), cells, counts[index] / total if total else None)


def _pairs(rows: Sequence[Row], classes: Sequence[str], counts: Sequence[Sequence[int]]) -> list[MixUp]:
    return [
        MixUp(row.head.label, classes[column], cell.n, sum(counts[index]), cell.href, cell.words)
        for index, row in enumerate(rows)
        for column, cell in enumerate(row.cells)
        if cell.n and not cell.is_right
    ]

"""The confusion matrix of a result, as a page shows it: each count leads to its photos."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from automl.text.numbers import counted

N_PAIRS = 10
MAX_DRAWN = 60
"""Classes. The matrix grows with their square: nobody reads a larger one, and with 1,000 it would be 25 MB of page."""


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
    """`columns`, `rows`: empty where it is not drawn. `pairs`: the most frequent of `n_pairs` kinds of mistake."""

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
    drawn = range(len(classes) if len(classes) <= MAX_DRAWN else 0)
    mistakes = list(_mistakes(counts))
    pairs = nlargest(N_PAIRS, mistakes, key=itemgetter(0))
    return Matrix(
        columns=tuple(Head(classes[index], page.of(said=index)) for index in drawn),
        rows=tuple(_row(page, classes, index, counts[index]) for index in drawn),
        pairs=tuple(_mix_up(page, classes, counts, *pair) for pair in pairs),
        n_pairs=len(mistakes),
        n_mistakes=sum(n for n, _, _ in mistakes),
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


def _mistakes(counts: Sequence[Sequence[int]]) -> Iterator[tuple[int, int, int]]:
    """How often, and the indices of the class and of the answer: of each kind of mistake, row by row."""
    for really, row in enumerate(counts):
        if sum(row) > row[really]:
            yield from ((n, really, said) for said, n in enumerate(row) if n and said != really)


def _mix_up(
    page: _Addresses, classes: Sequence[str], counts: Sequence[Sequence[int]], n: int, really: int, said: int
) -> MixUp:
    label, answer = classes[really], classes[said]
    return MixUp(label, answer, n, sum(counts[really]), page.of(really, said), in_words(n, label, answer))

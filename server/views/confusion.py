"""The confusion matrix of a result, as a page shows it: each count leads to its photos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import quote

from automl.records.report import RunReport
from automl.text.messages import pages as page_messages

N_PAIRS = 10
MAX_DRAWN = 60
"""Classes. The matrix grows with their square: nobody reads a larger one, and with 1,000 it would be 25 MB of page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """How many photos of one class were taken for one class.

    Attributes:
        n: The count.
        shade: Its share of the row, in steps from 0 to 10.
        is_right: Whether it lies on the diagonal.
        href: Address of the page with these photos; empty where there is none.
        words: What is counted; empty for a count of 0.
    """

    n: int
    shade: int
    is_right: bool
    href: str
    words: str


@dataclass(frozen=True, slots=True)
class MatrixClass:
    """A class at the edge of the matrix.

    Attributes:
        label: Its name.
        href: Address of the page with its photos; empty where there is none.
    """

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """The test photos of one class.

    Attributes:
        head: The class.
        cells: One for each class that the model may have named.
        found: The share that was rightly named (recall); None where the class has no test photo.
    """

    head: MatrixClass
    cells: tuple[MatrixCell, ...]
    found: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusedPair:
    """One kind of mistake.

    Attributes:
        really: The class that the photos show.
        said: The class that the model named.
        n: How many photos of `really` were taken for `said`.
        n_really: All test photos of `really`.
        href: Address of the page with these photos; empty where there is none.
        words: What is counted.
    """

    really: str
    said: str
    n: int
    n_really: int
    href: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionMatrix:
    """The whole matrix.

    Attributes:
        columns: The classes that the model may name; empty where the matrix is too large to be drawn.
        rows: The classes of the photos; empty where the matrix is too large to be drawn.
        pairs: The most frequent kinds of mistake.
        n_pairs: How many kinds of mistake there are.
    """

    columns: tuple[MatrixClass, ...]
    rows: tuple[MatrixRow, ...]
    pairs: tuple[ConfusedPair, ...]
    n_pairs: int


def view_confusion(report: RunReport, answers_page: str) -> ConfusionMatrix:
    """answers_page: address of the page with the photos; empty where there is none."""
    counts, classes = report.score.confusion, report.classes
    page = _Addresses(answers_page, classes)
    drawn = range(len(classes) if is_drawn(report) else 0)
    mistakes = list(_mistakes(counts))
    return ConfusionMatrix(
        columns=tuple(MatrixClass(classes[index], page.of(said=index)) for index in drawn),
        rows=tuple(_row(page, classes, index=index, counts=counts[index]) for index in drawn),
        pairs=tuple(
            _pair(page, classes, counts=counts[one.really], one=one)
            for one in nlargest(N_PAIRS, mistakes, key=_how_often)
        ),
        n_pairs=len(mistakes),
    )


def is_drawn(report: RunReport) -> bool:
    """Whether the matrix is small enough to be read."""
    return len(report.classes) <= MAX_DRAWN


def n_mistakes(report: RunReport) -> int:
    """How many answers were wrong."""
    return sum(sum(row) - row[really] for really, row in enumerate(report.score.confusion))


def in_words(n: int, really: str | None, said: str | None) -> str:
    """ "3 photos of rose taken for tulip"; of one class alone where the other is None; all mistakes where both are."""
    if really is None and said is None:
        return page_messages.MISTAKES.format(n=n)
    if said is None:
        return page_messages.PHOTOS_OF.format(n=n, really=really)
    if really is None:
        return page_messages.PHOTOS_CALLED.format(n=n, said=said)
    message = page_messages.RIGHTLY_NAMED if really == said else page_messages.TAKEN_FOR
    return message.format(n=n, really=really, said=said)


class _Addresses:
    """Each name is quoted once: a large matrix has thousands of links."""

    def __init__(self, page: str, classes: Sequence[str]) -> None:
        self._page = page
        self._quoted = [quote(label, safe="") for label in classes]

    def of(self, really: int | None = None, said: int | None = None) -> str:
        named = (("really", really), ("said", said))
        query = "&".join(f"{name}={self._quoted[index]}" for name, index in named if index is not None)
        return f"{self._page}?{query}" if self._page else ""


def _row(page: _Addresses, classes: Sequence[str], *, index: int, counts: Sequence[int]) -> MatrixRow:
    total = sum(counts)
    cells = tuple(
        MatrixCell(
            n=n,
            shade=-(-10 * n // total) if total else 0,
            is_right=column == index,
            href=page.of(index, column) if n else "",
            words=in_words(n, classes[index], classes[column]) if n else "",
        )
        for column, n in enumerate(counts)
    )
    head = MatrixClass(classes[index], page.of(really=index))
    return MatrixRow(head, cells, counts[index] / total if total else None)


class _Mistaken(NamedTuple):
    """How often photos of one class, by its index, were taken for another one."""

    n: int
    really: int
    said: int


_how_often = attrgetter("n")


def _mistakes(counts: Sequence[Sequence[int]]) -> Iterator[_Mistaken]:
    """Each kind of mistake, row by row."""
    for really, row in enumerate(counts):
        if sum(row) > row[really]:
            yield from (_Mistaken(n, really, said) for said, n in enumerate(row) if n and said != really)


def _pair(page: _Addresses, classes: Sequence[str], *, counts: Sequence[int], one: _Mistaken) -> ConfusedPair:
    """counts: the row of the matrix that the mistake lies in."""
    really, said = classes[one.really], classes[one.said]
    return ConfusedPair(
        really=really,
        said=said,
        n=one.n,
        n_really=sum(counts),
        href=page.of(one.really, one.said),
        words=in_words(one.n, really, said),
    )

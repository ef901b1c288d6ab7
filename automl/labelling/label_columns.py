"""The columns of a table that name photos and classes, or why there are none."""

from dataclasses import dataclass

from automl.labelling.table_rows import Row
from automl.labelling.table_shares import largest_share
from automl.labelling.table_splits import ONE, SplitColumns
from automl.labelling.table_values import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelColumns:
    """The columns of a table that matter.

    Attributes:
        file: The number of the column that names the photo.
        labels: The number of the column that names the class; or the numbers of several columns, each named for a
            class, with a 1 where it applies, or with a share.
        split: The columns that name the part of the split; None if there are none.
        group: The number of the column that names what photos have in common; None if there is none.
        others: The numbers of other columns that may be meant to name the class.
        header: The names of all columns; empty if the table has none.
        first_row: The number of the first row below the names of the columns.
        is_named: Whether the name of the column says clearly that it holds classes, or somebody has chosen it.
        is_yes_or_no: Whether the column says with ones and zeros whether something is there.
        are_shares: Whether each class has a column with shares, of which the largest counts.
    """

    file: int
    labels: tuple[int, ...]
    split: SplitColumns | None
    group: int | None
    others: tuple[int, ...]
    header: Row
    first_row: int
    is_named: bool
    is_yes_or_no: bool
    are_shares: bool

    def label(self, row: Row) -> str:
        """The class that a row names; empty if it names none."""
        if self.is_yes_or_no:
            return "yes" if row[self.labels[0]].lower() in ONE else "no"
        if len(self.labels) == 1:
            return ", ".join(values_of(row[self.labels[0]]))
        if self.are_shares:
            largest = largest_share([row[index] for index in self.labels])
            return "" if largest is None else self.header[self.labels[largest]]
        return next((self.header[index] for index in self.labels if row[index].lower() in ONE), "")

    def name(self, index: int) -> str:
        """The name by which people find a column; its number, from 1, where it has no name."""
        return column_name(self.header, index)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralLabels:
    """A table that gives some photos several classes at once.

    Attributes:
        file: How it names one of these photos.
        labels: The classes of that photo.
        columns: The names of the columns that could each be the classes; empty where a single column lists them.
    """

    file: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuchPhotos:
    """A table that names photos, none of which is here.

    Attributes:
        file: How it names one of them.
    """

    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuchColumn:
    """A table that has no column of the name that somebody has chosen.

    Attributes:
        columns: The names of those that it has.
    """

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralScores:
    """A table with a column of numbers for each of several classes, which are no shares of one whole.

    Attributes:
        columns: The names of these columns.
    """

    columns: tuple[str, ...]


Trouble = SeveralLabels | NoSuchPhotos | NoSuchColumn | SeveralScores
"""Why a table that should name the classes does not."""


def column_name(header: Row, index: int) -> str:
    """The name by which people find a column; its number, from 1, where it has no name."""
    return (header[index] if header else "") or str(index + 1)

"""Which columns of a table name the file, the class, the part of the split and the group."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from automl.labelling.label_columns import (
    LabelColumns,
    NoSuchColumn,
    NoSuchPhotos,
    SeveralLabels,
    SeveralScores,
    Trouble,
    column_name,
)
from automl.labelling.photo_references import PHOTO_SUFFIXES, Closeness, PhotoReference
from automl.labelling.places import MAX_LABEL_CHARS
from automl.labelling.split_words import words_of
from automl.labelling.table_rows import NamesPhoto, Row
from automl.labelling.table_shares import scores_among, shares_among
from automl.labelling.table_splits import ONE, ZERO, SplitColumns, find_split, is_fold
from automl.labelling.table_values import is_number, joint_between_labels, normal_header, parts_of, values_of

Column = tuple[str, ...]
Refer = Callable[[str], PhotoReference | None]
"""What a cell says of the photos that it may refer to."""

# The earlier one is taken. Names stand before numbers: where a table has both, people want to read the names.
_LABEL_HEADERS = (
    *("class_name", "label_name", "category_name", "class_label", "label_text", "label", "labels", "class", "classes"),
    *("choice", "choices", "category", "categories", "ground_truth", "species", "breed", "variety", "target"),
    *("diagnosis", "dx", "disease", "condition", "tag", "tags", "klasse", "kategorie", "rasse", "sorte", "art"),
    *("etikett", "clase", "etiqueta", "categoria", "classe", "categorie", "etiquette", "espece", "класс", "метка"),
    *("类别", "標籤", "标签", "クラス", "ラベル", "name", "type", "kind", "class_id", "label_id", "category_id"),
    *("target_id", "class_index", "label_index", "class_idx", "label_idx", "y"),
)
_FILE_HEADERS = frozenset(
    {
        *("file", "files", "filename", "file_name", "filepath", "file_path", "path", "image", "images", "image_name"),
        *("image_id", "image_path", "image_file", "img", "img_id", "img_name", "img_path", "photo", "photo_id"),
        *("picture", "id", "url", "image_url", "datei", "dateiname", "bild", "foto", "fichier", "archivo", "文件名"),
    }
)
_GROUPS = ("group", "gruppe", "patient", "subject", "clip", "video", "sequence", "session", "camera", "kamera", "site")
_GROUPS_BY_ID = (
    *("person", "individual", "animal", "plant", "specimen", "lesion", "burst", "series", "scene", "visit", "location"),
)
"""What is grouped by only where a number or a name says which it is: without, the word may well be the class."""

# The earlier one is taken: what is named for grouping, then who was photographed, then how, then where.
_GROUP_HEADERS = (
    *(f"{word}{end}" for word in _GROUPS for end in ("", "s", "_id", "id", "_name", "_number", "_nr", "_no")),
    *(f"{word}{end}" for word in _GROUPS_BY_ID for end in ("_id", "id", "_number", "_nr", "_no")),
)

_MEASURES = words_of(
    "width height size channels area xmin ymin xmax ymax x1 y1 x2 y2 x_min y_min x_max y_max latitude longitude"
)
"""Columns of such names say how large something is or where it lies."""

_N_SAMPLED_ROWS = 20_000
_MAX_NAMED_LABELS = 10
"""So many different classes are few, however short a table is, if its column says that it holds classes."""

_TIME = re.compile(r"\d{1,4}[-./:]\d{1,2}([-./: T]\d.*)?")


def find_columns(rows: Sequence[Row], refer: Refer, chosen: str = "") -> LabelColumns | Trouble | None:
    """The columns that matter.

    Args:
        rows: As `read_rows` gives them.
        refer: Tells the photos that a cell may refer to.
        chosen: The name of the column that somebody has chosen for the classes, or its number from 1.

    Returns:
        None if the table does not say which photo is of which class, and there is nothing to say about that.
    """
    found = _file_column(rows, refer)
    if found is None:
        return _unmatched(rows)
    file, closeness = found
    first_row = _first_row(rows, file, lambda cell: _names_as_closely(refer(cell), closeness))
    header: Row = _header_over_columns(rows[first_row - 1], rows[first_row:], file) if first_row else []
    # Rows that name no photo say nothing of the classes, so the columns are judged by the others alone.
    columns = list(zip(*(row for row in rows[first_row:] if refer(row[file])), strict=True))
    return _Choice(file=file, header=header, first_row=first_row, columns=columns, refer=refer).made(chosen)


def _header_over_columns(header: Row, rows: Sequence[Row], file: int) -> Row:
    """The names of the columns, each over its column: some programs give none to the first column, as R does."""
    if (
        header[-1]
        or sum(bool(row[-1]) for row in rows) <= len(rows) / 2
        or normal_header(header[file]) in _FILE_HEADERS
    ):
        return header
    names_file = file > 0 and normal_header(header[file - 1]) in _FILE_HEADERS
    are_marks = file == 0 and all(cell.lower() in ZERO | ONE for row in rows for cell in row[1:])
    return ["", *header[:-1]] if names_file or are_marks else header


def _names_as_closely(found: PhotoReference | None, closeness: Closeness) -> bool:
    return found is not None and found.closeness <= closeness


def _file_column(rows: Sequence[Row], refer: Refer) -> tuple[int, Closeness] | None:
    """The column that names most photos, as closely as any that names half as many; and how closely."""
    sample = rows[:: max(1, len(rows) // _N_SAMPLED_ROWS)]
    named = _named_photos(sample, refer)
    if not any(map(any, named)) and len(sample) < len(rows):
        named = _named_photos(rows, refer)
    most = max((sum(counts) for counts in named), default=0)
    for level in Closeness:
        # Different photos are counted, not cells: a column of numbers may name the same photo again and again.
        at_level = [sum(counts[: level + 1]) for counts in named]
        best = max(at_level, default=0)
        if best and 2 * best >= most:
            return at_level.index(best), level
    return None


def _named_photos(rows: Sequence[Row], refer: Refer) -> list[list[int]]:
    """For each column how many different photos it names, by how closely it does so."""
    counts = []
    for column in zip(*rows, strict=True):
        closest: dict[str, Closeness] = {}
        for cell in set(column):
            if found := refer(cell):
                key = "/".join((*found.folders, found.key))
                closest[key] = min(found.closeness, closest.get(key, found.closeness))
        levels = list(closest.values())
        counts.append([levels.count(level) for level in Closeness])
    return counts


def _first_row(rows: Sequence[Row], file: int, names_photo: NamesPhoto) -> int:
    """The number of the row below the names of the columns; 0 if the columns have no names."""
    first = next(index for index, row in enumerate(rows) if names_photo(row[file]))
    # Titles fill one cell, the names of the columns nearly all. Photos that are not here may come before the others.
    full = [
        index
        for index, row in enumerate(rows[:first])
        if 2 * sum(map(bool, row)) >= len(row) and sum(map(bool, row)) > 1 and not is_photo_name(row[file])
    ]
    known = [index for index in full if _known_headers(rows[index])]
    return 1 + (known or full)[0] if full else 0


def is_photo_name(cell: str) -> bool:
    """Whether a cell looks like the name of a photo."""
    return re.split(r"[?#]", cell.lower(), maxsplit=1)[0].endswith(PHOTO_SUFFIXES)


def _known_headers(row: Row) -> bool:
    return any(name in _FILE_HEADERS or name in _LABEL_HEADERS for name in map(normal_header, row))


def _unmatched(rows: Sequence[Row]) -> NoSuchPhotos | None:
    """What to say of a table that names none of the photos: something only if it seems to name photos and classes."""
    if len(rows) < 2 or len(rows[0]) < 2:
        return None
    header = list(map(normal_header, rows[0]))
    columns = list(zip(*rows[1:], strict=True))
    names = [index for index, column in enumerate(columns) if 2 * sum(map(is_photo_name, column)) >= len(column)]
    has_labels = any(name in _LABEL_HEADERS for name in header)
    if not names and has_labels:
        names = [index for index, name in enumerate(header) if name in _FILE_HEADERS and _is_varied(columns[index])]
    file = next(filter(None, reversed(columns[names[0]])), "") if names else ""
    return NoSuchPhotos(file=file) if file else None


def _is_varied(column: Column) -> bool:
    """Whether nearly all cells differ, as the names of photos do."""
    return 2 * len(set(column)) > len(column)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """The choice of the columns of a table in which the column of the photos is known.

    Attributes:
        file: The number of that column.
        header: The names of all columns; empty if the table has none.
        first_row: The number of the first row below the names of the columns.
        columns: Of the rows that name photos.
        refer: Tells the photos that a cell may refer to.
    """

    file: int
    header: Row
    first_row: int
    columns: Sequence[Column]
    refer: Refer

    def made(self, chosen: str) -> LabelColumns | Trouble | None:
        """The columns that matter, see `find_columns`."""
        others = [index for index in range(len(self.columns)) if index != self.file]
        split = self._split(others)
        others = [index for index in others if split is None or index not in split.indices]
        group = self._group(others)
        fit = [index for index in others if self._can_be_labels(index)]
        # Where nothing else can be the classes, the groups can.
        if group is not None and (fit != [group] or self._one_hot(others)):
            others = [index for index in others if index != group]
            fit = [index for index in fit if index != group]
        else:
            group = None
        fit = [index for index in fit if not is_fold(self._name(index), self.columns[index])] or fit
        labels = self._chosen(chosen) if chosen else self._labels(others, fit)
        if not isinstance(labels, tuple):
            return labels
        if not labels:
            return None
        return LabelColumns(
            file=self.file,
            labels=labels,
            split=split if split and not set(split.indices) & set(labels) else None,
            group=group if group not in labels else None,
            others=tuple(index for index in fit if index not in labels and len(labels) == 1),
            header=self.header,
            first_row=self.first_row,
            is_yes_or_no=bool(chosen) and len(self._marks(others)) > 1 and labels[0] in self._marks(others),
            are_shares=len(labels) > 1 and not all(map(self._is_zero_or_one, labels)),
            is_named=bool(chosen) or len(labels) > 1 or self._rank_or_last(labels[0]) < _LABEL_HEADERS.index("name"),
        )

    def _chosen(self, chosen: str) -> tuple[int, ...] | SeveralLabels | NoSuchColumn:
        names = [column_name(self.header, index) for index in range(len(self.columns))]
        wanted = normal_header(chosen)
        index = next((index for index, name in enumerate(names) if name == chosen), None)
        if index is None:
            index = next((index for index, name in enumerate(names) if normal_header(name) == wanted), None)
        if index is None and chosen.isdecimal() and 0 < int(chosen) <= len(names):
            index = int(chosen) - 1
        if index is None or index == self.file:
            return NoSuchColumn(columns=tuple(name for i, name in enumerate(names) if i != self.file))
        return self._listed_in_a_cell(index) or (index,)

    def _labels(
        self, others: Sequence[int], fit: Sequence[int]
    ) -> tuple[int, ...] | SeveralLabels | SeveralScores | None:
        named = sorted((index for index in fit if self._rank(index) is not None), key=self._rank_or_last)
        if named:
            return self._several_in_a_cell(named[0]) or self._readable(named[0], fit)
        if columns := self._one_hot(others) or shares_among(self._with_names(others)):
            return columns
        words = [index for index in fit if not any(map(is_number, self._values(index)))]
        words.sort(key=self._is_zero_or_one)  # what is only true or false is rather a remark than a class
        if (several := self._several_columns(others)) and all(map(self._is_zero_or_one, words)):
            return several
        whole = [index for index in fit if all(map(str.isdecimal, self._values(index)))]
        if words:
            return self._several_in_a_cell(words[0]) or (words[0],)
        return self._readable(whole[0], fit) if whole else self._only(others) or self._scores(others)

    def _scores(self, others: Sequence[int]) -> SeveralScores | None:
        """What to say where there is nothing but a number for each of several classes."""
        scores = scores_among(self._with_names(others))
        return SeveralScores(columns=tuple(self.header[index] for index in scores)) if scores else None

    def _with_names(self, others: Sequence[int]) -> dict[int, Column]:
        """Those of the columns that have a name."""
        return {index: self.columns[index] for index in others if self.header and self.header[index]}

    def _only(self, others: Sequence[int]) -> tuple[int, ...]:
        """The column that is named for classes though it holds a single one, if there is one."""
        named = [index for index in others if self._rank(index) is not None and len(set(self._values(index))) == 1]
        return tuple(sorted(named, key=self._rank_or_last)[:1])

    def _rank(self, index: int) -> int | None:
        """The place of a column among those whose names are usual for classes."""
        name = self._name(index)
        return _LABEL_HEADERS.index(name) if name in _LABEL_HEADERS else None

    def _name(self, index: int) -> str:
        """The name of a column as it is compared; empty without one."""
        return normal_header(self.header[index]) if self.header else ""

    def _rank_or_last(self, index: int) -> int:
        rank = self._rank(index)
        return len(_LABEL_HEADERS) if rank is None else rank

    def _values(self, index: int) -> list[str]:
        """The values of a column, each once."""
        return list({", ".join(values_of(cell)): None for cell in set(self.columns[index]) if values_of(cell)})

    def _can_be_labels(self, index: int) -> bool:
        """Whether a column has at least two values, but few, and no measured numbers, times or names of photos."""
        values = self._values(index)
        is_named = self._rank(index) is not None
        # Of a column that is named for classes a few more are believed: with ten photos, five classes are many.
        most = max(_MAX_NAMED_LABELS if is_named else 2, len(self.columns[index]) // 2)
        if not 1 < len(values) <= most or (not is_named and max(map(len, values)) > MAX_LABEL_CHARS):
            return False
        if any(is_number(value) and not value.lstrip("+-").isdecimal() for value in values):
            return False
        if not is_named and (self._name(index) in _MEASURES or all(map(_TIME.fullmatch, values))):
            return False
        return not any(map(is_photo_name, values))

    def _split(self, others: Sequence[int]) -> SplitColumns | None:
        """The columns that name the part of the split."""
        return find_split(
            {index: self.columns[index] for index in others},
            {index: self._name(index) for index in others},
            has_classes_beside=lambda chosen: self._has_classes_beside(others, chosen),
        )

    def _has_classes_beside(self, others: Sequence[int], chosen: Sequence[int]) -> bool:
        """Whether other columns than the chosen ones may be the classes."""
        rest = [index for index in others if index not in chosen]
        if all(map(self._is_zero_or_one, chosen)) and not all(self._name(i).startswith("is_") for i in chosen):
            # `train` may be a class among `bus` and `car`, each with a column of its own.
            rest = [index for index in rest if not self._is_zero_or_one(index)]
        has_columns = len(self._one_hot(rest)) > 1 or bool(shares_among(self._with_names(rest)))
        return has_columns or any(self._can_be_labels(index) for index in rest)

    def _group(self, others: Sequence[int]) -> int | None:
        """The column that says what photos have in common."""
        names = {normal_header(self.header[index]): index for index in reversed(others)} if self.header else {}
        found = (names[header] for header in _GROUP_HEADERS if header in names)
        return next((index for index in found if len(set(self.columns[index]) - {""}) > 1), None)

    def _is_zero_or_one(self, index: int) -> bool:
        values = {cell.lower() for cell in self.columns[index]}
        return values <= ZERO | ONE and not values.isdisjoint(ONE)

    def _marks(self, others: Sequence[int]) -> list[int]:
        """The columns that are named and hold nothing but zeros and ones, as `image,healthy,rust,scab` has them."""
        return [index for index in others if self.header and self.header[index] and self._is_zero_or_one(index)]

    def _n_marked(self, marks: Sequence[int]) -> list[int]:
        """How many of the columns `marks` hold a one, for each row."""
        are_ones = [[cell.lower() in ONE for cell in self.columns[index]] for index in marks]
        return [sum(ones) for ones in zip(*are_ones, strict=True)]

    def _one_hot(self, others: Sequence[int]) -> tuple[int, ...]:
        """The columns of zeros and ones of which each row has one at most, and most rows one; empty if not so."""
        marks = self._marks(others)
        n_marked = self._n_marked(marks)
        return tuple(marks) if len(marks) > 1 and max(n_marked) == 1 and 2 * sum(n_marked) > len(n_marked) else ()

    def _several_columns(self, others: Sequence[int]) -> SeveralLabels | None:
        """What to say where columns of zeros and ones give a photo several classes."""
        marks = self._marks(others)
        n_marked = self._n_marked(marks)
        row = next((row for row, n in enumerate(n_marked) if n > 1), None) if len(marks) > 1 else None
        if row is None:
            return None
        labels = tuple(self.header[index] for index in marks if self.columns[index][row].lower() in ONE)
        columns = tuple(self.header[index] for index in marks)
        return SeveralLabels(file=self.columns[self.file][row], labels=labels, columns=columns)

    def _several_in_a_cell(self, index: int) -> SeveralLabels | None:
        """What to say where a column names several classes for a photo, as a list or with a mark between them."""
        if listed := self._listed_in_a_cell(index):
            return listed
        joint = joint_between_labels(self._values(index))
        if not joint:
            return None
        row = next(row for row, cell in enumerate(self.columns[index]) if len(parts_of(cell, joint)) > 1)
        labels = parts_of(self.columns[index][row], joint)
        return SeveralLabels(file=self.columns[self.file][row], labels=labels, columns=())

    def _listed_in_a_cell(self, index: int) -> SeveralLabels | None:
        for file, cell in zip(self.columns[self.file], self.columns[index], strict=True):
            if len(labels := values_of(cell)) > 1:
                return SeveralLabels(file=file, labels=labels, columns=())
        return None

    def _readable(self, index: int, fit: Iterable[int]) -> tuple[int, ...]:
        """For a column of numbers the column of words that says the same, if there is one that is meant for classes."""
        numbers = self.columns[index]
        if not all(map(str.isdecimal, self._values(index))):
            return (index,)
        for other in fit:
            pairs = set(zip(numbers, self.columns[other], strict=True))
            is_same = len(pairs) == len(set(numbers)) == len(set(self.columns[other]))
            is_meant = not self.header or self._rank(other) is not None
            if other != index and is_same and is_meant and not any(map(is_number, self._values(other))):
                return (other,)
        return (index,)

"""Sorted photos as downloads: a table as .csv or .xlsx, and a .zip with a folder for each class.

All are made row by row and photo by photo, so that thousands need no more memory than one.
"""

import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

import numpy as np

from automl.errors import NotFound
from automl.records import Decision
from automl.serving.answer_table import header, sure_in_words, yes_or_no
from automl.store.sortings import all_photos, is_doubted
from automl.store.tables import SortedPhoto, Sorting
from automl.text.archive_names import distinct, unlike
from automl.text.messages import pages as page_messages
from automl.text.upload_names import file_name_of
from server.downloads.streamed_zip import Sink, add_stored, zip_into
from server.services import Services
from server.template_filters import csv_line

_CHUNK_BYTES = 1 << 18
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NARROW, _WIDE = 14, 40
"""Widths of columns of the workbook, in characters."""

Cell = str | float


class SortedTable:
    """The table of a sorting: a row for each photo, in the order in which they came.

    Args:
        services: Those of the application.
        sorting: The sorting.
        threshold: The confidence from which on the model's answers count as sure; None where there is none.
    """

    def __init__(self, services: Services, sorting: Sorting, threshold: float | None) -> None:
        self._services, self._sorting, self._threshold = services, sorting, threshold

    def header(self) -> list[str]:
        """The columns of `automl predict --csv`, and behind the photo what it is by now, and whether anybody looked."""
        return header(self._sorting.labels, after_photo=(page_messages.SORTED_AS, page_messages.LOOKED_AT))

    def rows(self) -> Iterator[list[Cell]]:
        """Texts and numbers as they are."""
        for photo in all_photos(self._services.database, self._sorting.id):
            yield self._row(photo)

    def csv(self) -> Iterator[str]:
        """The lines, for programs that show tables: no text in them is taken for a formula."""
        yield csv_line([as_text(name) for name in self.header()])
        for row in self.rows():
            yield csv_line([as_text(cell) if isinstance(cell, str) else f"{cell:.6f}" for cell in row])

    def xlsx(self) -> IO[bytes]:
        """A workbook in a temporary file, which is gone once it is closed. Texts are texts there by their kind."""
        import xlsxwriter  # a server that is never asked for a workbook does without it

        target = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
        with xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
            sheet = book.add_worksheet()
            bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.0 %"})
            names = self.header()
            sheet.set_column(0, 0, _WIDE)
            sheet.set_column(1, len(names) - 1, _NARROW)
            sheet.freeze_panes(1, 1)
            last = 0
            for column, name in enumerate(names):
                sheet.write_string(0, column, name, bold)
            for last, row in enumerate(self.rows(), 1):
                for column, cell in enumerate(row):
                    if isinstance(cell, float):
                        sheet.write_number(last, column, cell, share)
                    elif cell:
                        sheet.write_string(last, column, cell)
            sheet.autofilter(0, 0, last, len(names) - 1)
        target.seek(0)
        return target

    def _row(self, photo: SortedPhoto) -> list[Cell]:
        labels = self._sorting.labels
        if not photo.is_read:
            return [photo.name, "", "", "", "", "", "", *[""] * len(labels), photo.reason]
        looked = page_messages.NO if photo.decision is Decision.OPEN else page_messages.YES
        sure = sure_in_words(photo.confidence, self._threshold)
        shares = [float(share) for share in np.frombuffer(photo.probabilities, "<f4")]
        place = place_of(photo, self._threshold)
        foreign = yes_or_no(photo.is_foreign)
        return [photo.name, place, looked, photo.answer, photo.confidence, sure, foreign, *shares, ""]


def as_text(text: str) -> str:
    """`text` as a cell of a .csv that no program takes for a formula: such a one gets an apostrophe in front."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def place_of(photo: SortedPhoto, threshold: float | None) -> str:
    """What a photo counts as: its class, "not sure", or "none of these".

    Of one that nobody has looked at, the answer counts where the model is sure of it.
    """
    if photo.decision is Decision.NONE:
        return page_messages.NONE_FOLDER
    if photo.decision is Decision.UNSURE or (photo.decision is Decision.OPEN and is_doubted(photo, threshold)):
        return page_messages.UNSURE_FOLDER
    return photo.label


def folders_zip(
    services: Services, sorting: Sorting, threshold: float | None, *, hides_place: bool = False
) -> Iterator[bytes]:
    """The bytes of a .zip with a folder for each class, one for "not sure", one for "none of these", and the table.

    A photo whose file is gone from the store is left out; the table still has its row. `hides_place`: without the place
    where each was taken.
    """
    sink = Sink()
    # The two answers that are no class have folders, too, whatever the classes are called.
    places = dict.fromkeys((*sorting.labels, page_messages.UNSURE_FOLDER, page_messages.NONE_FOLDER))
    folders, taken = distinct(list(places)), defaultdict[str, set[str]](set)
    table = SortedTable(services, sorting, threshold)
    with zip_into(sink) as archive:  # photos are as small as they get
        with archive.open("answers.csv", "w") as lines:
            for line in table.csv():
                lines.write(line.encode())
                yield sink.taken()
        with table.xlsx() as book, archive.open("answers.xlsx", "w", force_zip64=True) as copy:
            while chunk := book.read(_CHUNK_BYTES):
                copy.write(chunk)
                yield sink.taken()
        for photo in all_photos(services.database, sorting.id):
            if photo.is_read:
                folder = folders[place_of(photo, threshold)]
                name = unlike(taken[folder], file_name_of(photo.name))
                entry = zipfile.ZipInfo(f"{folder}/{name}", date_time=sorting.created_at.timetuple()[:6])
                entry.file_size = photo.n_bytes
                with suppress(NotFound):
                    yield from add_stored(archive, sink, services.store, photo.key, entry, hides_place=hides_place)
    yield sink.taken()

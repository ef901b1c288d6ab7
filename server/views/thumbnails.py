"""The small pictures of photos on pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from automl.store.tables import DatasetFile
from automl.text.messages import pages as page_messages
from automl.text.upload_names import file_name_of

OF_A_THUMBNAIL = (DatasetFile.id, DatasetFile.name, DatasetFile.label, DatasetFile.thumbnail)
"""The columns that a thumbnail is made from."""

FileRow = Row[*tuple[Any, ...]]
"""The columns `OF_A_THUMBNAIL` of a file, and perhaps more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """One photo on a page.

    Attributes:
        id: Id of its file.
        name: Path that the user gave.
        label: Its class, empty for none.
        has_picture: Whether there is a small copy to show.
    """

    id: int
    name: str
    label: str
    has_picture: bool

    @property
    def alt(self) -> str:
        """For those who do not see it."""
        file = file_name_of(self.name)
        return page_messages.LABEL_AND_FILE.format(label=self.label, file=file) if self.label else file


def thumbnail_of(file: FileRow) -> Thumbnail:
    """The thumbnail of a file."""
    return Thumbnail(id=file.id, name=file.name, label=file.label or "", has_picture=bool(file.thumbnail))


def thumbnail_rows(
    session: Session, dataset_id: str, ids: Iterable[int], *more: InstrumentedAttribute[str]
) -> dict[int, FileRow]:
    """The columns that a thumbnail is made from, and `more`, of the files of these ids."""
    wanted = sorted(ids)
    found: dict[int, FileRow] = {}
    for start in range(0, len(wanted), 500):  # a statement takes only so many values
        some = DatasetFile.id.in_(wanted[start : start + 500])
        query = select(*OF_A_THUMBNAIL, *more).where(DatasetFile.dataset_id == dataset_id, some)
        found |= {file.id: file for file in session.execute(query)}
    return found

"""Photos that a run has seen, as its data set has them today."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from automl.records import FileState
from automl.records.report import ReportedPhoto
from automl.store.tables import DatasetFile
from server.views.dataset import OF_A_THUMBNAIL, Thumbnail, thumbnail_of

_IN_A_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class SeenPhoto:
    """`name`, `label`: what they were then. `now`: None where the photo is gone. `is_used`: not left out since."""

    name: str
    label: str
    now: Thumbnail | None
    is_used: bool

    @property
    def file_name(self) -> str:
        return self.name.replace("\\", "/").rsplit("/", 1)[-1]

    @property
    def moved_to(self) -> str:
        """The class that it was given since; "" where it is in the same one, or not used any more."""
        return self.now.label if self.now and self.is_used and self.now.label != self.label else ""


class SeenPhotos:
    """Looks photos of one data set up by their contents."""

    def __init__(self, session: Session, dataset_id: str, digests: Iterable[str]) -> None:
        self._files: dict[str, Row[*tuple[Any, ...]]] = {}
        wanted = sorted(set(digests))
        for start in range(0, len(wanted), _IN_A_STATEMENT):
            some = DatasetFile.sha256.in_(wanted[start : start + _IN_A_STATEMENT])
            query = select(*OF_A_THUMBNAIL, DatasetFile.sha256, DatasetFile.state)
            found = session.execute(query.where(DatasetFile.dataset_id == dataset_id, some))
            # Of several files with the same contents the one that is used comes last, and stays.
            self._files |= {file.sha256: file for file in sorted(found, key=_worth)}

    def find(self, sha256: str, name: str, label: str) -> SeenPhoto:
        file = self._files.get(sha256)
        return SeenPhoto(name, label, thumbnail_of(file) if file else None, file is not None and _is_used(file))

    def of(self, photo: ReportedPhoto) -> SeenPhoto:
        return self.find(photo.sha256, photo.name, photo.label)


def _worth(file: Row[*tuple[Any, ...]]) -> tuple[bool, bool, int]:
    return _is_used(file), bool(file.thumbnail), -file.id


def _is_used(file: Row[*tuple[Any, ...]]) -> bool:
    return file.state is FileState.ACCEPTED

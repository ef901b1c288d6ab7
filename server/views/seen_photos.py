"""Photos that a run has learned from or was tested with, as its data set has them today."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.records import FileState
from automl.records.report import ReportedPhoto
from automl.store.tables import DatasetFile
from automl.text.upload_names import file_name_of
from server.views.thumbnails import OF_A_THUMBNAIL, FileRow, Thumbnail, thumbnail_of

_IN_A_STATEMENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPhoto:
    """A photo that a run has used.

    Attributes:
        name: Path that the user gave, at the time of the run.
        label: Its class at the time of the run.
        now: The photo today; None where it is gone.
        is_used: Whether it is still used, and not left out since.
    """

    name: str
    label: str
    now: Thumbnail | None
    is_used: bool

    @property
    def file_name(self) -> str:
        return file_name_of(self.name)

    @property
    def moved_to(self) -> str:
        """The class that it was given since; "" where it is in the same one, or not used any more."""
        return self.now.label if self.now and self.is_used and self.now.label != self.label else ""


class SeenPhotos:
    """Finds photos of one data set by their contents.

    Args:
        session: An open transaction.
        dataset_id: The data set.
        digests: SHA-256 of all photos that will be asked for.
    """

    def __init__(self, session: Session, dataset_id: str, digests: Iterable[str]) -> None:
        self._files: dict[str, FileRow] = {}
        wanted = sorted(set(digests))
        for start in range(0, len(wanted), _IN_A_STATEMENT):
            some = DatasetFile.sha256.in_(wanted[start : start + _IN_A_STATEMENT])
            query = select(*OF_A_THUMBNAIL, DatasetFile.sha256, DatasetFile.state)
            found = session.execute(query.where(DatasetFile.dataset_id == dataset_id, some))
            # Of several files with the same contents the one that is used comes last, and stays.
            self._files |= {file.sha256: file for file in sorted(found, key=_worth)}

    def find(self, sha256: str, name: str, label: str) -> SeenPhoto:
        """The photo with these contents. `name`, `label`: what they were at the time of the run."""
        file = self._files.get(sha256)
        return SeenPhoto(
            name=name,
            label=label,
            now=thumbnail_of(file) if file else None,
            is_used=file is not None and _is_used(file),
        )

    def of(self, photo: ReportedPhoto) -> SeenPhoto:
        return self.find(photo.sha256, photo.name, photo.label)


def _worth(file: FileRow) -> tuple[bool, bool, int]:
    return _is_used(file), bool(file.thumbnail), -file.id


def _is_used(file: FileRow) -> bool:
    return file.state is FileState.ACCEPTED

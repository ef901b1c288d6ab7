"""One photo that is looked at by itself: what it is now, what was done to it, and what a run made of it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from automl.datasets.edits import EditKind, confirmed_labels
from automl.errors import NotFound
from automl.records import FileState
from automl.store.artifacts import ArtifactStore
from automl.store.checks import current_edits
from automl.store.results import latest_report
from automl.store.tables import Dataset, DatasetEdit, DatasetFile, Run
from automl.text.messages import server as server_messages
from server.forms import row_id
from server.views.findings import Suggestion
from server.views.test_photos import AnsweredPhoto, answers_of
from server.views.thumbnails import Thumbnail

_SHOWN_CHANGES = (EditKind.MOVE, EditKind.EXCLUDE, EditKind.INCLUDE, EditKind.CONFIRM)
"""Kinds of edits that say what a photo shows, or whether it is used at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoView:
    """One photo of a data set.

    Attributes:
        photo: The photo today.
        key: Where its bytes are.
        state: Whether it is used.
        reason: Why it is not used; empty where it is.
        width: Pixels, upright; 0 where they are not known.
        height: Pixels, upright.
        change: The last edit that concerns it; None where there is none.
        suggestion: What the latest run takes it for, where that doubts its label and nobody has said that it is right.
    """

    photo: Thumbnail
    key: str
    state: FileState
    reason: str
    width: int
    height: int
    change: DatasetEdit | None
    suggestion: Suggestion | None

    @property
    def is_used(self) -> bool:
        return self.state is FileState.ACCEPTED


def view_photo(session: Session, dataset: Dataset, file_id: int) -> PhotoView:
    """Reads what is shown of a photo.

    Raises:
        NotFound: The data set has no such photo, or it is no picture.
    """
    file = session.get(DatasetFile, row_id(file_id))
    if file is None or file.dataset_id != dataset.id or not file.thumbnail:
        raise NotFound(server_messages.NO_PHOTO)
    changes = (edit for edit in reversed(dataset.edits) if edit.undone_at is None and _is_about(edit, file.id))
    return PhotoView(
        photo=Thumbnail(id=file.id, name=file.name, label=file.label or "", has_picture=True),
        key=file.key,
        state=file.state,
        reason=file.reason,
        width=file.width or 0,
        height=file.height or 0,
        change=next(changes, None),
        suggestion=_suggestion(session, file),
    )


def answer_in_test(session: Session, store: ArtifactStore, run: Run, sha256: str) -> AnsweredPhoto | None:
    """What a run recorded of a photo that it was tested with; None where it was not, or the answers are not kept."""
    return next((answer for answer in answers_of(session, store, run) or () if answer.sha256 == sha256), None)


def _is_about(edit: DatasetEdit, file_id: int) -> bool:
    files = edit.values.get("files")
    return edit.kind in _SHOWN_CHANGES and isinstance(files, list) and file_id in files


def _suggestion(session: Session, file: DatasetFile) -> Suggestion | None:
    report = latest_report(session, file.dataset_id) if file.state is FileState.ACCEPTED else None
    suspects = report.suspects if report else ()
    doubted = (one for one in suspects if one.sha256 == file.sha256 and one.label == file.label)
    found = next(doubted, None)
    if found is None or file.id in confirmed_labels(current_edits(session, file.dataset_id)):
        return None
    return Suggestion(found.suggested, found.confidence)

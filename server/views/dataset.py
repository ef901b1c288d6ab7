"""What the pages of a data set show, read from its rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from automl.datasets.findings.harmless import is_worth_one_step
from automl.datasets.none_of_these import class_of_anything_else
from automl.records import ClassSplit, DatasetState, DatasetSummary, FileState
from automl.store.tables import Dataset, DatasetEdit, DatasetFile, DatasetVersion, Run
from server.views.findings import FindingEntry, view_findings
from server.views.thumbnails import OF_A_THUMBNAIL, Thumbnail, thumbnail_of, thumbnail_rows
from server.views.version import note_of

N_ON_A_PAGE = 120
_N_EDITS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPage:
    """Some photos of one class, or of those that are not used.

    Attributes:
        photos: Those of this page.
        reasons: Why photos are not used, by their ids.
        n_photos: Those of all pages.
        page: Number of this page, from 1.
        pages: How many pages there are.
    """

    photos: tuple[Thumbnail, ...]
    reasons: dict[int, str]
    n_photos: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTableRow:
    """A row of the table of classes.

    Attributes:
        label: Name of the class.
        n_images: Its photos.
        n_learn: Photos that training and validation share.
        n_test: Photos that are kept for the final test.
    """

    label: str
    n_images: int
    n_learn: int
    n_test: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """What the page of a data set shows.

    Attributes:
        dataset: Its row.
        rows: The table of classes.
        samples: Some photos of each class.
        findings: What was found, with photos, one entry for each kind.
        edits: The edits that count, the latest first.
        versions: All versions, the latest last.
        runs: All runs that are not in the bin, the latest first.
        in_use: Whether a run has not ended, be it one that is in the bin and just being cancelled.
        n_files: Files that have arrived, as long as they are not checked, else None.
    """

    dataset: Dataset
    rows: tuple[ClassTableRow, ...]
    samples: dict[str, tuple[Thumbnail, ...]]
    findings: tuple[FindingEntry, ...]
    edits: tuple[DatasetEdit, ...]
    versions: tuple[DatasetVersion, ...]
    runs: tuple[Run, ...]
    n_files: int | None
    in_use: bool

    @property
    def summary(self) -> DatasetSummary:
        return self.dataset.summary

    @property
    def version(self) -> DatasetVersion | None:
        return self.versions[-1] if self.versions else None

    @property
    def version_note(self) -> str:
        return note_of(self.version) if self.version else ""

    @property
    def anything_else(self) -> str | None:
        """The class of photos of anything else; None where there is none."""
        return class_of_anything_else([row.label for row in self.rows])

    @property
    def has_harmless_findings(self) -> bool:
        """Whether there are several that one click can set right without a second look."""
        return is_worth_one_step(entry.kind for entry in self.findings)


def view_dataset(session: Session, dataset: Dataset) -> DatasetView:
    """Reads what the page of a data set shows."""
    n_files = select(func.count()).where(DatasetFile.dataset_id == dataset.id)
    edits = [edit for edit in dataset.edits if edit.undone_at is None]
    return DatasetView(
        dataset=dataset,
        rows=_rows(dataset.summary),
        samples=_samples(session, dataset),
        findings=view_findings(session, dataset),
        edits=tuple(reversed(edits[-_N_EDITS:])),
        versions=tuple(dataset.versions),
        runs=tuple(run for run in dataset.runs if run.deleted_at is None),
        in_use=any(not run.state.is_finished() for run in dataset.runs),
        n_files=session.scalar(n_files) if dataset.state is DatasetState.UPLOADING else None,
    )


def view_class(session: Session, dataset: Dataset, label: str, *, page: int) -> ClassPage:
    """The photos of a class, by name. They are not counted here: the check that wrote the rows has done so."""
    n_photos = next((row.n_images for row in dataset.summary.classes if row.label == label), 0)
    page, pages = _within(page, n_photos)
    of_class = (DatasetFile.state == FileState.ACCEPTED, DatasetFile.label == label)
    query = select(*OF_A_THUMBNAIL).where(DatasetFile.dataset_id == dataset.id, *of_class)
    query = query.order_by(DatasetFile.name, DatasetFile.id).offset((page - 1) * N_ON_A_PAGE).limit(N_ON_A_PAGE)
    photos = tuple(map(thumbnail_of, session.execute(query)))
    return ClassPage(photos=photos, reasons={}, n_photos=n_photos, page=page, pages=pages)


def view_unused(session: Session, dataset: Dataset, page: int) -> ClassPage:
    """What is refused or left out, with the reasons, by name."""
    is_unused = DatasetFile.state.in_((FileState.REFUSED, FileState.EXCLUDED))
    query = select(DatasetFile.name, DatasetFile.id).where(DatasetFile.dataset_id == dataset.id, is_unused)
    # These have to be counted: the summary leaves out what does not matter. They are sorted here, since for an
    # order SQLite would go through all files of the data set by their names.
    ids = [number for _, number in sorted(session.execute(query))]
    page, pages = _within(page, len(ids))
    shown = ids[(page - 1) * N_ON_A_PAGE : page * N_ON_A_PAGE]
    files = thumbnail_rows(session, dataset.id, shown, DatasetFile.reason)
    return ClassPage(
        photos=tuple(thumbnail_of(files[number]) for number in shown),
        reasons={number: files[number].reason for number in shown},
        n_photos=len(ids),
        page=page,
        pages=pages,
    )


def _within(page: int, n_photos: int) -> tuple[int, int]:
    """The nearest page that there is, and how many there are."""
    pages = max(1, -(-n_photos // N_ON_A_PAGE))
    return min(max(1, page), pages), pages


def _rows(summary: DatasetSummary) -> tuple[ClassTableRow, ...]:
    parts = {row.label: row for row in summary.split.classes} if summary.split else {}
    nowhere = ClassSplit(label="")
    return tuple(
        ClassTableRow(
            label=row.label,
            n_images=row.n_images,
            n_learn=parts.get(row.label, nowhere).learn,
            n_test=parts.get(row.label, nowhere).test,
        )
        for row in summary.classes
    )


def _samples(session: Session, dataset: Dataset) -> dict[str, tuple[Thumbnail, ...]]:
    ids = dataset.summary.samples
    files = thumbnail_rows(session, dataset.id, (number for numbers in ids.values() for number in numbers))
    return {
        label: tuple(thumbnail_of(files[number]) for number in numbers if number in files)
        for label, numbers in ids.items()
    }


def labels_of(dataset: Dataset) -> Sequence[str]:
    """Its classes by the last verdict; none before the first."""
    return [row.label for row in dataset.summary.classes]

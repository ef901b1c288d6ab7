"""What the pages of a data set show, read from its rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from automl.datasets.findings.harmless import is_worth_one_step
from automl.datasets.findings.runs import DOUBTED_LABELS
from automl.records import ClassSplit, DatasetState, DatasetSummary, FileState, FindingSummary
from automl.store.results import latest_report
from automl.store.tables import Dataset, DatasetEdit, DatasetFile, DatasetVersion, Run
from automl.text.messages import pages as page_messages

N_ON_A_PAGE = 120
OF_A_THUMBNAIL = (DatasetFile.id, DatasetFile.name, DatasetFile.label, DatasetFile.thumbnail)
"""The columns that a thumbnail is made from."""

FileRow = Row[*tuple[Any, ...]]
"""The columns `OF_A_THUMBNAIL` of a file, and perhaps more."""

_N_GROUPS = 12
_N_EDITS = 30


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
        file = self.name.replace("\\", "/").rsplit("/", 1)[-1]
        return page_messages.LABEL_AND_FILE.format(label=self.label, file=file) if self.label else file


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a photo shows according to the models of a run.

    Attributes:
        label: The class.
        confidence: How sure they are, 0-1.
    """

    label: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """A finding with the photos that are shown beside it.

    Attributes:
        finding: The finding.
        groups: The photos that are shown, group by group.
        n_more: Groups that are not shown.
        suggestions: For photos whose label is doubted, by their ids.
    """

    finding: FindingSummary
    groups: tuple[tuple[Thumbnail, ...], ...]
    n_more: int
    suggestions: dict[int, Suggestion]


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
        findings: What was found, with photos.
        edits: The edits that count, the latest first.
        versions: All versions, the latest last.
        runs: All runs that are not in the bin, the latest first.
        in_use: Whether a run has not ended, be it one that is in the bin and just being cancelled.
        n_files: Files that have arrived, as long as they are not checked, else None.
    """

    dataset: Dataset
    rows: tuple[ClassTableRow, ...]
    samples: dict[str, tuple[Thumbnail, ...]]
    findings: tuple[FindingView, ...]
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
    def has_harmless_findings(self) -> bool:
        """Whether there are several that one click can set right without a second look."""
        return is_worth_one_step(one.finding.kind for one in self.findings)


def view_dataset(session: Session, dataset: Dataset) -> DatasetView:
    """Reads what the page of a data set shows."""
    n_files = select(func.count()).where(DatasetFile.dataset_id == dataset.id)
    edits = [edit for edit in dataset.edits if edit.undone_at is None]
    return DatasetView(
        dataset=dataset,
        rows=_rows(dataset.summary),
        samples=_samples(session, dataset),
        findings=tuple(_findings(session, dataset)),
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
    files = _by_id(session, dataset.id, shown, DatasetFile.reason)
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
    files = _by_id(session, dataset.id, (number for numbers in ids.values() for number in numbers))
    return {
        label: tuple(thumbnail_of(files[number]) for number in numbers if number in files)
        for label, numbers in ids.items()
    }


def _findings(session: Session, dataset: Dataset) -> Iterable[FindingView]:
    findings = dataset.summary.findings
    ids = {number for finding in findings for group in finding.groups[:_N_GROUPS] for number in group}
    files = _by_id(session, dataset.id, ids, DatasetFile.sha256)
    suggested = _suggestions(session, dataset.id) if any(one.kind == DOUBTED_LABELS for one in findings) else {}
    for finding in findings:
        groups = [
            tuple(thumbnail_of(files[number]) for number in group if number in files)
            for group in finding.groups[:_N_GROUPS]
        ]
        shown = tuple(group for group in groups if group)
        doubted = [photo.id for group in shown for photo in group] if finding.kind == DOUBTED_LABELS else []
        digests = {number: files[number].sha256 for number in doubted}
        suggestions = {number: suggested[digest] for number, digest in digests.items() if digest in suggested}
        yield FindingView(finding=finding, groups=shown, n_more=finding.n_groups - len(shown), suggestions=suggestions)


def _suggestions(session: Session, dataset_id: str) -> dict[str, Suggestion]:
    """By the photos' SHA-256."""
    report = latest_report(session, dataset_id)
    suspects = report.suspects if report else ()
    return {one.sha256: Suggestion(one.suggested, one.confidence) for one in suspects}


def _by_id(
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


def thumbnail_of(file: FileRow) -> Thumbnail:
    """The thumbnail of a file."""
    return Thumbnail(id=file.id, name=file.name, label=file.label or "", has_picture=bool(file.thumbnail))


def labels_of(dataset: Dataset) -> Sequence[str]:
    """Its classes by the last verdict; none before the first."""
    return [row.label for row in dataset.summary.classes]

"""What was found in a data set, as its page shows it: one entry for each kind of finding, with photos."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from automl.datasets.findings.copies import CONFLICTS
from automl.datasets.findings.runs import DOUBTED_LABELS
from automl.records import FindingSummary, Severity
from automl.store.results import latest_report
from automl.store.tables import Dataset, DatasetFile
from automl.text.messages import datasets as dataset_messages
from automl.text.messages import tables as table_messages
from automl.text.natural_order import in_natural_order
from automl.text.one_or_many import OneOrMany
from server.views.thumbnails import Thumbnail, thumbnail_of, thumbnail_rows

_N_GROUPS = 12

_TITLE_OF_SEVERAL: Mapping[str, OneOrMany] = {
    "refused": dataset_messages.UNUSABLE_FILES,
    "unlabelled": table_messages.UNLABELLED,
    "spelling": dataset_messages.SPELLINGS,
}
"""What is said of several findings of one kind, for each kind of which there may be several."""

_COUNTED_ONE_BY_ONE = frozenset({"spelling"})
"""Kinds of which the findings are counted, not their photos."""


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

    @property
    def is_conflict(self) -> bool:
        """Whether it is for the user to say of each group which class is right."""
        return self.finding.kind in CONFLICTS

    def labels_of(self, group: Sequence[Thumbnail]) -> Sequence[str]:
        """The classes that the photos of a group are in."""
        return in_natural_order({photo.label for photo in group})


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingEntry:
    """All findings of one kind.

    Attributes:
        kind: The kind.
        title: What was found, with the number of all together.
        severity: The worst of theirs.
        parts: The findings, each with its own consequence and fix.
    """

    kind: str
    title: str
    severity: Severity
    parts: tuple[FindingView, ...]


def view_findings(session: Session, dataset: Dataset) -> tuple[FindingEntry, ...]:
    """The findings of a data set, those of one kind in one entry, the worst first."""
    by_kind: dict[str, list[FindingView]] = {}
    for view in _views(session, dataset):
        by_kind.setdefault(view.finding.kind, []).append(view)
    return tuple(
        FindingEntry(
            kind=kind,
            title=_title([view.finding for view in views]),
            severity=views[0].finding.severity,  # they come the worst first
            parts=tuple(views),
        )
        for kind, views in by_kind.items()
    )


def _title(findings: Sequence[FindingSummary]) -> str:
    first = findings[0]
    title = _TITLE_OF_SEVERAL.get(first.kind)
    if len(findings) == 1 or title is None:  # of other kinds only older versions have found several
        return first.title
    counts_findings = first.kind in _COUNTED_ONE_BY_ONE
    return title.format(n=len(findings) if counts_findings else sum(finding.n_photos for finding in findings))


def _views(session: Session, dataset: Dataset) -> Iterable[FindingView]:
    findings = dataset.summary.findings
    ids = {number for finding in findings for group in finding.groups[:_N_GROUPS] for number in group}
    files = thumbnail_rows(session, dataset.id, ids, DatasetFile.sha256)
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

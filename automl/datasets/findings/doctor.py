"""The doctor: looks over the photos of a data set and says what is wrong, what it means, and what a click can do."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from automl.datasets.findings.classes import gray_mixed, joined, spellings, tiny_classes, unbalanced
from automl.datasets.findings.copies import duplicates, in_test_too, near_copies, near_two_labels, two_labels
from automl.datasets.findings.finding import Finding, Fix, Photo, Photos, Refused, Severity, grouped
from automl.datasets.findings.photos import blank, elongated, refused_files, small, wrong_extension
from automl.records import Split

__all__ = ["Finding", "Fix", "Photo", "Refused", "Severity", "examine"]

_ORDER = list(Severity)
_LEAVE_CLASSES_OUT = frozenset({"tiny-class"})
_FEWEST_CONTENTS = 2


def examine(photos: Photos, refused: Sequence[Refused], joined_labels: Sequence[str] = ()) -> list[Finding]:
    """What is worth knowing about a data set, the worst first, then the most frequent.

    `joined_labels`: a sentence for each class name that was joined with another spelling of it.
    """
    by_content = grouped(photos, lambda photo: photo.sha256)
    by_look = grouped(photos, lambda photo: photo.near)
    in_two = {photo.sha256 for group in by_content if _n_labels(group) > 1 for photo in group}
    clear_by_look = grouped([photo for photo in photos if photo.sha256 not in in_two], lambda photo: photo.near)
    findings = [
        *refused_files(refused),
        *two_labels([group for group in by_content if group[0].sha256 in in_two]),
        *near_two_labels([group for group in clear_by_look if _n_labels(group) > 1]),
        *in_test_too(by_content, by_look),
        *duplicates([group for group in by_content if len(group) > 1 and group[0].sha256 not in in_two]),
        *near_copies([group for group in clear_by_look if _n_labels(group) == 1 and _n_contents(group) > 1]),
        *small(photos),
        *blank(photos),
        *elongated(photos),
        *wrong_extension(photos),
        *tiny_classes(photos),
        *unbalanced(photos),
        *gray_mixed(photos),
        *spellings(photos),
        *joined(joined_labels),
    ]
    findings = [_harmless(finding, photos) for finding in findings]
    return sorted(findings, key=lambda finding: (_ORDER.index(finding.severity), -finding.n_photos))


def _harmless(finding: Finding, photos: Photos) -> Finding:
    """With a fix that leaves something to learn from in every class, unless it is meant to leave the class out."""
    if finding.fix is None or finding.fix.kind != "exclude" or finding.kind in _LEAVE_CLASSES_OUT:
        return finding
    files = set(finding.fix.values["files"])
    left = {p.label for p in photos if p.file_id not in files and p.split is not Split.TEST}
    contents: defaultdict[str, set[str]] = defaultdict(set)
    for photo in photos:
        if photo.file_id not in files:
            contents[photo.label].add(photo.sha256)
    lost = {p.label for p in photos if p.label not in left or len(contents[p.label]) < _FEWEST_CONTENTS}
    spared = {p.file_id for p in photos if p.label in lost}
    if not files & spared:
        return finding
    kept = [file_id for file_id in finding.fix.values["files"] if file_id not in spared]
    return replace(finding, fix=replace(finding.fix, values={"files": kept}) if kept else None)


def _n_labels(group: Photos) -> int:
    return len({photo.label for photo in group})


def _n_contents(group: Photos) -> int:
    return len({photo.sha256 for photo in group})

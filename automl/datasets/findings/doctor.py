"""The doctor: examines the photos of a data set and says what is wrong, what it means, and what a click can do."""

from collections import defaultdict
from dataclasses import replace

from automl.datasets.edits import ExcludeFiles
from automl.datasets.findings.examined_dataset import ExaminedDataset, Photos
from automl.datasets.findings.finding import Finding
from automl.datasets.findings.registry import all_checks
from automl.records import Severity, Split

_ORDER = list(Severity)
_LEAVE_CLASSES_OUT = frozenset({"tiny-class"})
_FEWEST_PICTURES = 2


def examine(dataset: ExaminedDataset) -> list[Finding]:
    """What is worth knowing about a data set, the worst first, then what most photos are concerned by."""
    findings = [_harmless(finding, dataset.used) for check in all_checks() for finding in check(dataset)]
    return sorted(findings, key=lambda finding: (_ORDER.index(finding.severity), -finding.n_photos))


def _harmless(finding: Finding, photos: Photos) -> Finding:
    """With a fix that leaves something to learn from in every class, unless it is meant to leave the class out."""
    edit = finding.fix.edit if finding.fix else None
    if finding.fix is None or not isinstance(edit, ExcludeFiles) or finding.kind in _LEAVE_CLASSES_OUT:
        return finding
    files = set(edit.files)
    left = {p.label for p in photos if p.file_id not in files and p.split is not Split.TEST}
    pictures: defaultdict[str, set[int]] = defaultdict(set)
    for photo in photos:
        if photo.file_id not in files:
            pictures[photo.label].add(photo.near)
    lost = {p.label for p in photos if p.label not in left or len(pictures[p.label]) < _FEWEST_PICTURES}
    spared = {p.file_id for p in photos if p.label in lost}
    if not files & spared:
        return finding
    kept = tuple(file_id for file_id in edit.files if file_id not in spared)
    return replace(finding, fix=finding.fix.of_files(kept) if kept else None)

"""What the doctor says of files that cannot be used."""

from collections import defaultdict
from collections.abc import Sequence

from automl.datasets.findings.examined_dataset import ExaminedDataset, UnusableFile
from automl.datasets.findings.finding import Finding
from automl.datasets.findings.registry import Subject, doctor_check
from automl.records import Severity
from automl.text.messages import datasets as dataset_messages
from automl.text.messages import tables as table_messages
from automl.text.reasons import reason_of

_MAX_REASONS = 12


@doctor_check(Subject.FILES)
def unusable_files(dataset: ExaminedDataset) -> list[Finding]:
    """One finding for each of the most frequent reasons, and one for all others."""
    reasons, rest = _by_reason([file for file in dataset.unusable if not file.is_unlabelled])
    if rest:
        reasons.append((dataset_messages.OTHER_REASONS, rest))
    return [
        Finding(
            kind="refused",
            title=dataset_messages.UNUSABLE_FILES.format(n=len(ids)),
            consequence=dataset_messages.UNUSABLE_FILES_MEAN.format(n=len(ids), reason=reason_of(reason, len(ids))),
            severity=Severity.WARNING,
            groups=tuple((file_id,) for file_id in ids),
        )
        for reason, ids in reasons
    ]


@doctor_check(Subject.FILES)
def unlabelled_photos(dataset: ExaminedDataset) -> list[Finding]:
    """The photos that lack nothing but a class, by the most frequent reasons."""
    reasons, rest = _by_reason([file for file in dataset.unusable if file.is_unlabelled])
    if rest:
        reasons.append((dataset_messages.OTHER_REASONS, rest))
    return [
        Finding(
            kind="unlabelled",
            title=table_messages.UNLABELLED.format(n=len(ids)),
            consequence=table_messages.UNLABELLED_MEANS.format(n=len(ids), reason=reason_of(reason, len(ids))),
            severity=Severity.WARNING,
            groups=tuple((file_id,) for file_id in ids),
        )
        for reason, ids in reasons
    ]


def _by_reason(files: Sequence[UnusableFile]) -> tuple[list[tuple[str, list[int]]], list[int]]:
    """The ids of files by the most frequent reasons, and those of all others."""
    by_reason: defaultdict[str, list[int]] = defaultdict(list)
    for file in files:
        by_reason[file.reason].append(file.file_id)
    frequent = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    return frequent[:_MAX_REASONS], [file_id for _, ids in frequent[_MAX_REASONS:] for file_id in ids]

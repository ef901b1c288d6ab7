"""What the doctor says of files that cannot be used."""

from collections import defaultdict

from automl.datasets.findings.examined_dataset import ExaminedDataset
from automl.datasets.findings.finding import Finding
from automl.datasets.findings.registry import Subject, doctor_check
from automl.records import Severity
from automl.text.messages import datasets as dataset_messages

_MAX_REASONS = 12


@doctor_check(Subject.FILES)
def unusable_files(dataset: ExaminedDataset) -> list[Finding]:
    """One finding for each of the most frequent reasons, and one for all others."""
    by_reason: defaultdict[str, list[int]] = defaultdict(list)
    for file in dataset.unusable:
        by_reason[file.reason].append(file.file_id)
    frequent = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    reasons = frequent[:_MAX_REASONS]
    if rest := [file_id for _, ids in frequent[_MAX_REASONS:] for file_id in ids]:
        reasons.append((dataset_messages.OTHER_REASONS, rest))
    return [
        Finding(
            kind="refused",
            title=dataset_messages.UNUSABLE_FILES.format(n=len(ids)),
            consequence=dataset_messages.UNUSABLE_FILES_MEAN.format(n=len(ids), reason=reason),
            severity=Severity.WARNING,
            groups=tuple((file_id,) for file_id in ids),
        )
        for reason, ids in reasons
    ]

"""What only a run can find out about photos: labels that its models doubt, and photos that look alike."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from automl.datasets.data_file import DataFile
from automl.datasets.edits import ExcludeFiles
from automl.datasets.findings.finding import Finding, Fix
from automl.records import FileState, Severity
from automl.records.report import RunReport
from automl.text.messages import datasets as dataset_messages

DOUBTED_LABELS, LOOK_ALIKES = "doubted-labels", "look-alikes"


def found_by_runs(
    report: RunReport | None, files: Sequence[DataFile], *, confirmed: Set[int] = frozenset()
) -> list[Finding]:
    """What a finished run found, as far as it is still true of `files`.

    Args:
        report: None where no run has finished.
        files: All files, as they are judged now.
        confirmed: Ids of photos whose labels are right, as their user says.
    """
    if report is None:
        return []
    used: defaultdict[str, list[DataFile]] = defaultdict(list)
    for file in files:
        if file.state is FileState.ACCEPTED:
            used[file.sha256].append(file)
    return [*_doubted_labels(report, used, confirmed), *_look_alikes(report, used)]


def _doubted_labels(report: RunReport, used: Mapping[str, Sequence[DataFile]], confirmed: Set[int]) -> list[Finding]:
    doubted = [
        [file for file in used.get(one.sha256, ()) if file.label == one.label and file.id not in confirmed]
        for one in report.suspects
    ]
    groups = tuple((files[0].id,) for files in doubted if files)
    if not groups:
        return []
    done = dataset_messages.DOUBTED_LEFT_OUT.format(n=len(groups))
    edit = ExcludeFiles(files=tuple(sorted(file.id for files in doubted for file in files)), title=done)
    return [
        Finding(
            kind=DOUBTED_LABELS,
            title=dataset_messages.DOUBTED_LABELS.format(n=len(groups)),
            consequence=dataset_messages.DOUBTED_LABELS_MEAN,
            severity=Severity.WARNING,
            groups=groups,
            fix=Fix(title=dataset_messages.LEAVE_DOUBTED_OUT, edit=edit),
        )
    ]


def _look_alikes(report: RunReport, used: Mapping[str, Sequence[DataFile]]) -> list[Finding]:
    pairs = [[used.get(digest, ()) for digest in pair.sha256] for pair in report.look_alikes]
    pairs = [pair for pair in pairs if all(pair)]
    if not pairs:
        return []
    done = dataset_messages.LOOK_ALIKES_LEFT_OUT.format(n=len(pairs))
    edit = ExcludeFiles(files=tuple(sorted(file.id for _, other in pairs for file in other)), title=done)
    return [
        Finding(
            kind=LOOK_ALIKES,
            title=dataset_messages.LOOK_ALIKES.format(n=len(pairs)),
            consequence=dataset_messages.LOOK_ALIKES_MEAN,
            severity=Severity.INFO,
            groups=tuple((one[0].id, other[0].id) for one, other in pairs),
            fix=Fix(title=dataset_messages.KEEP_ONE_OF_EACH, edit=edit),
        )
    ]

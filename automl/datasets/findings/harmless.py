"""What can be set right in one step without a second look: exact copies, and photos that show nothing."""

from collections.abc import Iterable, Sequence

from automl.datasets.edits import ExcludeFiles
from automl.datasets.findings.finding import Finding
from automl.text.messages import datasets as dataset_messages

FIX_HARMLESS = "harmless"
"""Names this fix where others are named by the key of a finding."""

_KINDS = frozenset({"duplicates", "blank", "transparent"})


def is_worth_one_step(kinds: Iterable[str]) -> bool:
    """Whether several findings of these kinds are harmless; one alone has its own button."""
    return sum(kind in _KINDS for kind in kinds) > 1


def edit_of_harmless(findings: Sequence[Finding]) -> ExcludeFiles | None:
    """One edit that does what all harmless findings propose, so that it can be undone as one; None without any."""
    edits = [finding.fix.edit for finding in findings if finding.kind in _KINDS and finding.fix]
    files = {number for edit in edits if isinstance(edit, ExcludeFiles) for number in edit.files}
    if not files:
        return None
    return ExcludeFiles(files=tuple(sorted(files)), title=dataset_messages.HARMLESS_LEFT_OUT.format(n=len(files)))

"""Which backbones are tried no more, because their trials fail."""

from collections import Counter

from automl.records import TrialRecord, TrialState

FAILURES_THAT_RETIRE = 3
"""Failed trials in a row after which a backbone is given up."""


class BackboneFailures:
    """Counts the failed trials in a row of each backbone; a fusion counts for each of its parts.

    Attributes:
        retired: backbones that are tried no more.
    """

    def __init__(self) -> None:
        self.retired: set[str] = set()
        self._in_a_row: Counter[str] = Counter()

    def count(self, record: TrialRecord) -> list[str]:
        """Takes the record of a trial; returns the backbones that it has retired."""
        if record.state is not TrialState.FAILED:
            for name in record.backbones:
                self._in_a_row[name] = 0
            return []
        self._in_a_row.update(record.backbones)
        lost = [name for name in record.backbones if self._in_a_row[name] >= FAILURES_THAT_RETIRE]
        lost = [name for name in lost if name not in self.retired]
        self.retired.update(lost)
        return lost

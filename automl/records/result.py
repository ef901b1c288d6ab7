"""What a finished run hands over to the caller."""

from dataclasses import dataclass
from pathlib import Path

from automl.records.report import RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The files of a finished run and what they say.

    Attributes:
        bundle: The finished download, a .zip.
        report: Its `metrics.json`.
        plots: File and title of each plot, in the order of the report.
    """

    bundle: Path
    report: RunReport
    plots: tuple[tuple[Path, str], ...]

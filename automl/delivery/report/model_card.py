"""`model_card.md`: what a model is for and not for, what it learned from, how good it is, and how to make it again.

The sections are those of Mitchell et al., "Model Cards for Model Reporting" (2019).
"""

from pathlib import Path

from markupsafe import Markup

from automl.atomic_files import no_half_files
from automl.delivery.report.rendering import render_markdown
from automl.delivery.report.summary import summarise
from automl.records.report import RunReport


def model_card(report: RunReport) -> str:
    """Markdown."""
    summary = summarise(report)
    command = Markup(summary.command)  # noqa: S704 - nothing is escaped inside a block of code
    return render_markdown("model_card.md", summary=summary, calibration=report.calibration, command=command)


def write_model_card(target: Path, report: RunReport) -> None:
    """Writes `model_card`.

    Raises:
        DiskFull: There is no room; nothing half-written is left.
    """
    with no_half_files([target]) as (part,):
        part.write_text(model_card(report), encoding="utf-8")

"""`model_card.md`: what a model is for and not for, what it learned from, how good it is, and how to make it again.

The sections are those of Mitchell et al., "Model Cards for Model Reporting" (2019).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from automl.atomic_files import no_half_files
from automl.delivery.report.rendering import render_markdown
from automl.delivery.report.summary import summarise


def model_card(metrics: Mapping[str, Any]) -> str:
    """Markdown. metrics: `metrics.json`, see `summary.summarise`."""
    summary = summarise(metrics)
    calibration = metrics.get("calibration") or {}
    command = Markup(summary.command)  # noqa: S704 - nothing is escaped inside a block of code
    return render_markdown("model_card.md", summary=summary, calibration=calibration, command=command)


def write_model_card(target: Path, metrics: Mapping[str, Any]) -> None:
    """Raises DiskFull: no room; nothing half-written is left."""
    with no_half_files([target]) as (part,):
        part.write_text(model_card(metrics), encoding="utf-8")

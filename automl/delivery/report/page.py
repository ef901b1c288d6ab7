"""`report.html`: one self-contained file, with words first, figures second, and how the model was made third."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automl.atomic_files import no_half_files
from automl.delivery.report.rendering import render_html
from automl.delivery.report.summary import summarise
from automl.records.report import RunReport

if TYPE_CHECKING:
    from automl.evaluation.plots import Plot

_MAX_SVG_BYTES = 500_000  # with more parts than that, a PNG opens quicker and is smaller
_MAX_CLASSES_IN_MATRIX = 10
_MANY_CLASSES = 10


@dataclass(frozen=True, slots=True)
class EmbeddedPlot:
    """A plot as the page holds it.

    Attributes:
        uri: A `data:` address with all its bytes.
        title: What it shows.
    """

    uri: str
    title: str


def write_report(target: Path, report: RunReport, plots: Sequence[Plot] = ()) -> None:
    """Writes one printable page without scripts that asks nothing of the network.

    plots: in the order in which they are shown.

    Raises:
        DiskFull: There is no room; nothing half-written is left.
    """
    summary = summarise(report)
    page = render_html(
        "report.html",
        summary=summary,
        plots=[_embedded(plot) for plot in plots],
        matrix=_matrix(report),
        is_weakest_first=len(summary.classes) > _MANY_CLASSES,
    )
    with no_half_files([target]) as (part,):
        part.write_text(page, encoding="utf-8")


def _embedded(plot: Plot) -> EmbeddedPlot:
    """SVG prints sharply and has its names as text, in whatever script; an image cannot run what is in it."""
    if plot.svg is not None and plot.svg.stat().st_size <= _MAX_SVG_BYTES:
        return EmbeddedPlot(_data_uri("image/svg+xml", plot.svg), plot.title)
    return EmbeddedPlot(_data_uri("image/png", plot.path), plot.title)


def _data_uri(kind: str, path: Path) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _matrix(report: RunReport) -> list[tuple[str, tuple[int, ...]]]:
    """The rows of the confusion matrix with their labels; empty where a page has no room for it."""
    if len(report.classes) > _MAX_CLASSES_IN_MATRIX:
        return []
    return list(zip(report.classes, report.score.confusion, strict=True))

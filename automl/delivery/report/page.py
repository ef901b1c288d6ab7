"""`report.html`: one self-contained file, with words first, figures second, and how the model was made third."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.atomic_files import no_half_files
from automl.delivery.report.rendering import render_html
from automl.delivery.report.summary import summarise

if TYPE_CHECKING:
    from automl.evaluation.plots import Plot

_MAX_SVG_BYTES = 500_000  # with more parts than that, a PNG opens quicker and is smaller
_MAX_CLASSES_IN_MATRIX = 10
_MANY_CLASSES = 10


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot as the page holds it. `uri`: `data:`, with all its bytes."""

    uri: str
    title: str


def write_report(target: Path, metrics: Mapping[str, Any], plots: Sequence[Plot] = ()) -> None:
    """Writes one printable page without scripts that asks nothing of the network.

    metrics: `metrics.json`, see `summary.summarise`. plots: in the order in which they are shown.

    Raises:
        DiskFull: no room; nothing half-written is left.
    """
    summary = summarise(metrics)
    page = render_html(
        "report.html",
        summary=summary,
        pictures=[_picture(plot) for plot in plots],
        matrix=_matrix(metrics),
        is_weakest_first=len(summary.classes) > _MANY_CLASSES,
    )
    with no_half_files([target]) as (part,):
        part.write_text(page, encoding="utf-8")


def _picture(plot: Plot) -> Picture:
    """SVG prints sharply and has its names as text, in whatever script; an image cannot run what is in it."""
    if plot.svg is not None and plot.svg.stat().st_size <= _MAX_SVG_BYTES:
        return Picture(_data_uri("image/svg+xml", plot.svg), plot.title)
    return Picture(_data_uri("image/png", plot.path), plot.title)


def _data_uri(kind: str, path: Path) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _matrix(metrics: Mapping[str, Any]) -> list[tuple[str, list[int]]]:
    """The rows of the confusion matrix with their labels; empty where a page has no room for it."""
    counts = (metrics.get("test") or {}).get("confusion") or []
    if len(counts) > _MAX_CLASSES_IN_MATRIX:
        return []
    return list(zip(metrics["classes"], counts, strict=True)) if counts else []

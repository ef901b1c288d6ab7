"""What more photos are worth: a table in the download, which the page of a result reads again."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

CURVE_FILE = "more_photos.csv"
"""Its name in a download."""

_COLUMNS = ("photos", "right", "gain", "gain_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """How good the quick model was after it had learned from so many photos.

    Attributes:
        n_learned: Photos that it had learned from, the mean over the folds.
        right: Share of the photos asked about that it named rightly.
        gain: By how much that is more than at the point before; 0 at the first.
        gain_error: Standard error of `gain` over the photos.
    """

    n_learned: float
    right: float
    gain: float
    gain_error: float


def curve_table(points: Sequence[CurvePoint]) -> str:
    """CSV: one row for each point."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for point in points:
        shares = (f"{value:.4f}" for value in (point.right, point.gain, point.gain_error))
        writer.writerow([round(point.n_learned), *shares])
    return buffer.getvalue()


def read_curve(table: str) -> tuple[CurvePoint, ...]:
    """The points of a `curve_table`."""
    return tuple(
        CurvePoint(
            n_learned=float(row["photos"]),
            right=float(row["right"]),
            gain=float(row["gain"]),
            gain_error=float(row["gain_error"]),
        )
        for row in csv.DictReader(io.StringIO(table))
    )

"""The small model that larger networks have taught, beside the delivered one, as a part of the report."""

from dataclasses import dataclass

import numpy as np

from automl.evaluation.intervals import difference_interval
from automl.records.report import SmallModelReport
from automl.search.candidate import Candidate
from automl.search.scoring import common_rows
from automl.search.stages.distillation import Distilled


def small_model_report(
    distilled: Distilled, winner: Candidate, *, labels: np.ndarray, clusters: np.ndarray
) -> SmallModelReport | None:
    """None where it and the winner have answered for no photo in common.

    Args:
        distilled: what came of teaching it.
        winner: the delivered model.
        labels: int (n_rows,), the classes of the photos.
        clusters: int (n_rows,), copies and frames of each other share a number.
    """
    student = distilled.student
    if not common_rows(student, winner).any():
        return None
    beside_winner = _Pair.of(student, winner, labels)
    beside_direct = _Pair.of(student, distilled.direct, labels)
    return SmallModelReport(
        trial=student.number,
        backbones=student.backbones,
        image_size_px=student.image_size_px,
        n_bytes=student.n_bytes,
        latency_s=student.latency_s,
        accuracy=beside_winner.accuracy,
        n_images=len(beside_winner.rows),
        beyond_winner=float(beside_winner.differences.mean()),
        beyond_winner_95=difference_interval(beside_winner.differences, clusters[beside_winner.rows]),
        teachers=distilled.teacher,
        teacher_score=distilled.teacher_score,
        direct_accuracy=beside_direct.other_accuracy,
        beyond_direct=float(beside_direct.differences.mean()),
        beyond_direct_95=difference_interval(beside_direct.differences, clusters[beside_direct.rows]),
        is_winner=student.number in winner.trial_numbers,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """How often two models were right about the photos that both have answered for.

    Attributes:
        rows: int (n,), those photos.
        differences: float (n,), how much more often the first one was right about each, over the repeats.
        accuracy: of the first one, 0-1.
        other_accuracy: of the second one, 0-1.
    """

    rows: np.ndarray
    differences: np.ndarray
    accuracy: float
    other_accuracy: float

    @classmethod
    def of(cls, mine: Candidate, other: Candidate, labels: np.ndarray) -> "_Pair":
        common = common_rows(mine, other)
        rows = np.flatnonzero(common.any(axis=0))
        shares = [_right_shares(one, common, labels)[rows] for one in (mine, other)]
        return cls(
            rows=rows,
            differences=shares[0] - shares[1],
            accuracy=float(shares[0].mean()),
            other_accuracy=float(shares[1].mean()),
        )


def _right_shares(candidate: Candidate, common: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """float (n_rows,): the share of the common answers to each photo that are right; 0 where there is none."""
    right = (candidate.held_out_logits[: len(common)].argmax(axis=2) == labels) & common
    return np.asarray(right.sum(axis=0) / np.maximum(common.sum(axis=0), 1))

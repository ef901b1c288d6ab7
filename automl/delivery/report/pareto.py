"""The trials that are the best for their size, as rows of the report."""

from collections.abc import Sequence

from automl.records import TrialRecord
from automl.records.report import ParetoRow
from automl.search.candidate import Candidate
from automl.search.objective import pareto_front


def pareto_rows(trials: Sequence[TrialRecord], winner: Candidate, n_validated: int) -> tuple[ParetoRow, ...]:
    """The heads that no other one beats in score, size and speed at once, and the winner; the smallest model first.

    n_validated: photos that the score of every head speaks of; that of a fine-tuned winner may speak of fewer.
    """
    others = [trial for trial in pareto_front(trials, winner.number) if trial.number != winner.number]
    # The winner is listed as its trial: what became of it since, such as a mean, was not compared with the others.
    own = next(trial for trial in trials if trial.number == winner.number)
    rows = [_row(trial, n_validated, is_winner=False) for trial in others]
    rows.append(_row(own, winner.n_scored, is_winner=True))
    return tuple(sorted(rows, key=lambda row: row.n_bytes))


def _row(trial: TrialRecord, n_images: int, *, is_winner: bool) -> ParetoRow:
    return ParetoRow(
        number=trial.number,
        score=trial.score,
        n_images=n_images,
        n_bytes=trial.n_bytes,
        latency_s=trial.latency_s,
        backbones=trial.backbones,
        image_size_px=trial.image_size_px,
        is_winner=is_winner,
    )

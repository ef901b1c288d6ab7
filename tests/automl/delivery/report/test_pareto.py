"""The trials that the report lists as the best for their size."""

from dataclasses import replace

from automl.delivery.report.pareto import pareto_rows
from automl.records import Stage, TrialRecord, TrialState
from automl.records.report import ParetoRow
from tests.automl.delivery.report.test_building import model


def trial(number: int, score: float | None, n_bytes: int, latency_s: float = 0.1) -> TrialRecord:
    state = TrialState.FAILED if score is None else TrialState.COMPLETE
    return TrialRecord(
        number=number,
        state=state,
        backbones=("v2",),
        image_size_px=96,
        params={},
        score=score,
        started_s=0.0,
        duration_s=1.0,
        n_bytes=n_bytes,
        latency_s=latency_s,
    )


def test_only_heads_that_no_other_beats_in_everything_are_best_for_their_size():
    trials = [trial(0, 0.9, 20), trial(1, 0.8, 10), trial(2, 0.7, 15), trial(3, None, 5), trial(4, 0.9, 30)]
    rows = pareto_rows(trials, replace(model(), number=0, score=0.9, n_bytes=20), 5)
    assert [row.number for row in rows] == [1, 0]
    assert rows[0] == ParetoRow(
        number=1,
        score=0.8,
        n_images=5,
        n_bytes=10,
        latency_s=0.1,
        backbones=("v2",),
        image_size_px=96,
        is_winner=False,
    )


def test_a_winner_that_became_a_mean_is_listed_as_it_was_compared():
    trials = [trial(0, 0.9, 20), trial(1, 0.8, 10)]
    rows = pareto_rows(trials, replace(model(), number=0, score=0.79, n_bytes=21), 5)
    assert [(row.number, row.score, row.n_bytes) for row in rows] == [(1, 0.8, 10), (0, 0.9, 20)]


def test_the_download_is_not_listed_beside_a_head_with_the_same_figures():
    """Of two heads with the same score and size the one with the lower loss is delivered, and may be the later one."""
    trials = [trial(0, 0.756, 8_912_022), trial(1, 0.825, 8_937_366), trial(2, 0.825, 8_937_366)]
    rows = pareto_rows(trials, replace(model(), number=2, score=0.825, n_bytes=8_937_366), 5)
    assert [(row.number, row.is_winner) for row in rows] == [(2, True)]


def test_a_tuned_winner_is_listed_with_the_photos_that_its_score_speaks_of():
    tuned = replace(trial(1, 0.7, 15), stage=Stage.FINE_TUNING)
    winner = replace(model(), number=1, stage=Stage.FINE_TUNING, score=0.7, n_bytes=15)
    rows = pareto_rows([trial(0, 0.9, 10), tuned, replace(tuned, number=2, score=0.99)], winner, 5)
    assert [(row.number, row.n_images, row.is_winner) for row in rows] == [(0, 5, False), (1, 4, True)]

"""Models are scored on held-out answers, and two of them are compared on the answers that both have given."""

import numpy as np
import pytest

from automl.records import Goal
from automl.search.objective import Objective
from automl.search.scoring import Scorer, common_rows
from tests.automl.search.fakes import N_ROWS, TARGETS, candidate, logits_for

FIRST_HALF = np.arange(N_ROWS // 2)
SCORER = Scorer(TARGETS, Objective())


def beats(mine, other, **limits) -> bool:
    return Scorer(TARGETS, Objective(**limits)).is_better(mine, other)


def test_the_first_model_is_the_best():
    assert beats(candidate(score=0.0), None)


def test_the_higher_goal_wins_whatever_size_and_loss():
    sure, right = candidate(score=0.7, margin=9.0, n_bytes=1), candidate(score=0.75, margin=0.1, n_bytes=2)
    assert beats(right, sure) and not beats(sure, right)


def test_a_tie_goes_to_the_smaller_model_whatever_its_loss():
    small, large = candidate(n_bytes=9, margin=0.1), candidate(n_bytes=12, margin=1.0)
    assert small.loss > large.loss
    assert beats(small, large) and not beats(large, small)
    assert not SCORER.has_higher_goal(small, large)


def test_among_equals_the_lower_loss_wins():
    sure, unsure = candidate(score=1.0, margin=3.0), candidate(score=1.0, margin=1.0)
    assert beats(sure, unsure) and not beats(unsure, sure)


def test_a_model_does_not_beat_its_equal():
    assert not beats(candidate(1), candidate(0))


@pytest.mark.parametrize("limits", [{"max_model_bytes": 10}, {"max_latency_s": 0.01}])
def test_what_keeps_the_limits_beats_what_does_not(limits):
    allowed = candidate(score=0.5, n_bytes=10, latency_s=0.01)
    too_much = candidate(score=0.9, n_bytes=11, latency_s=0.02)
    assert beats(allowed, too_much, **limits) and not beats(too_much, allowed, **limits)
    assert beats(too_much, allowed)


def test_only_photos_that_both_have_answered_count():
    everywhere = candidate(score=0.75)  # all of its mistakes lie in the second half
    half = candidate(score=0.9, rows=FIRST_HALF)
    assert half.score > everywhere.score
    assert beats(everywhere, half) and not beats(half, everywhere)
    assert SCORER.has_higher_goal(everywhere, half)


def test_a_model_with_fewer_repeats_is_compared_in_those_that_it_has():
    head, tuned = candidate(0, 0.9, n_repeats=3), candidate(1, 0.95)
    head.held_out_logits[1:] *= -1  # wrong in the other repeats, of which the tuned one knows nothing
    assert common_rows(head, tuned).shape == (1, N_ROWS)
    assert beats(tuned, head) and not beats(head, tuned)
    assert beats(head, candidate(1, 0.85)) and not beats(candidate(1, 0.85), head)


def test_the_goal_is_the_mean_over_the_repeats_not_that_of_their_committee():
    logits = np.concatenate([logits_for(1.0), logits_for(0.5), logits_for(0.5)])
    score, _ = SCORER.score(logits)
    assert score == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_the_goal_is_that_of_the_objective():
    logits = np.where(TARGETS.labels[None, :, None] == 0, [[[1.0, 0.0]]], [[[1.0, 0.0]]])
    rows = (TARGETS.labels == 0)[None] | (np.arange(N_ROWS) == 1)
    assert SCORER.score(logits, rows)[0] == pytest.approx(20 / 21)
    assert Scorer(TARGETS, Objective(Goal.BALANCED_ACCURACY)).score(logits, rows)[0] == 0.5


def test_the_loss_is_the_cross_entropy_in_nats():
    logits = logits_for(1.0, margin=2.0)
    _, loss = SCORER.score(logits)
    assert loss == pytest.approx(np.log(1 + np.exp(-2.0)))


def test_without_answers_there_is_no_score():
    logits = np.full((1, N_ROWS, 2), np.nan)
    assert SCORER.score(logits) == (0.0, float("inf"))

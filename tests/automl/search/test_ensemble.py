"""The mean of two models is one model: the same numbers, whether logits or weights are averaged."""

import numpy as np
import pytest

from automl.records import Stage
from automl.search.candidate import Branch, BranchHead
from automl.search.costs import ModelCost
from automl.search.ensemble import joined_heads, mean_logits, weighted_mean
from automl.search.objective import Objective
from automl.search.scoring import Scorer
from tests.automl.search.fakes import N_ROWS, TARGETS, V1, V2, branch_head, candidate, logits_for

FROZEN, TUNED = Branch(V2, 224), Branch(V2, 160, tuned=candidate().curves)
SOME = np.arange(10)


class Costs:
    """Every branch has 100 bytes and takes 0.1 s."""

    def of(self, branches, head_bytes):
        return ModelCost(head_bytes + 100 * len(branches), 0.1 * len(branches))


SCORED = {"scorer": Scorer(TARGETS, Objective()), "costs": Costs()}


def ensemble(*parts):
    return weighted_mean(parts, equal(parts), number=7, **SCORED)


def equal(parts):
    return [1 / len(parts)] * len(parts)


def layer(value: float, n_in: int = 3) -> tuple[np.ndarray, np.ndarray]:
    return np.full((n_in, 2), value, np.float32), np.full(2, 10 * value, np.float32)


def test_an_ensemble_is_scored_on_the_photos_that_all_parts_have_answered():
    mean = ensemble(candidate(3, 0.5, rows=SOME), candidate(1, 1.0))
    assert mean.n_scored == len(SOME)
    assert is_nan_only_outside(mean.held_out_logits, SOME)
    assert mean.score == ensemble(candidate(3, 0.5, rows=SOME), candidate(1, 1.0, rows=SOME)).score


def is_nan_only_outside(logits: np.ndarray, rows: np.ndarray) -> bool:
    inside = np.isin(np.arange(N_ROWS), rows)
    return bool(np.isnan(logits[0, ~inside]).all() and not np.isnan(logits[0, inside]).any())


def test_the_surer_part_wins_a_dispute():
    right, wrong = candidate(0, 1.0, margin=5.0), candidate(1, 0.0, margin=1.0)
    assert ensemble(right, wrong).score == 1.0


def test_a_part_with_fewer_repeats_is_compared_in_those_that_it_has():
    repeated = candidate(0)
    object.__setattr__(repeated, "held_out_logits", np.concatenate([logits_for(1.0)] * 3))
    logits = mean_logits([repeated, candidate(1, 0.0)], [0.5, 0.5])
    assert logits.shape == (3, N_ROWS, 2) and logits.dtype == np.float32
    assert not np.isnan(logits[0]).any() and np.isnan(logits[1:]).all()


def test_an_ensemble_names_its_parts_and_costs_each_branch_once():
    tuned = candidate(12, heads=(branch_head(TUNED),), image_size_px=160, stage=Stage.FINE_TUNING)
    head = candidate(3, heads=(branch_head(FROZEN, TUNED),), image_size_px=224)
    mean = ensemble(tuned, head)
    assert (mean.number, mean.stage, mean.params, mean.parts) == (7, Stage.ENSEMBLE, {}, (12, 3))
    assert mean.branches == (TUNED, FROZEN)
    assert mean.image_size_px == 224
    assert mean.n_bytes == 200 + sum(one.n_bytes for one in mean.heads)
    assert mean.latency_s == pytest.approx(0.2)


def test_an_ensemble_with_a_mean_names_the_parts_of_it_too():
    tuned = candidate(12, heads=(branch_head(TUNED),), image_size_px=160, stage=Stage.FINE_TUNING)
    mean = candidate(3, heads=(branch_head(FROZEN),), parts=(3, 5, 0))
    assert ensemble(tuned, mean).parts == (12, 3, 5, 0)


def test_linear_heads_on_the_same_taps_become_one():
    parts = [
        candidate(n, heads=(BranchHead((FROZEN,), "last", (layer(value),)),)) for n, value in enumerate((1.0, 3.0))
    ]
    (joined,) = joined_heads(parts, [0.25, 0.75])
    ((kernel, bias),) = joined.layers
    assert (kernel == 2.5).all() and (bias == 25.0).all() and kernel.dtype == np.float32


def test_heads_on_taps_and_on_taps_divided_by_their_norm_stay_apart():
    heads = [
        BranchHead((FROZEN,), "last", (layer(value),), is_unit) for value in (1.0, 3.0) for is_unit in (False, True)
    ]
    joined = joined_heads([candidate(n, heads=(head,)) for n, head in enumerate(heads)], equal(heads))
    assert [(one.is_unit, float(one.layers[0][0].max())) for one in joined] == [(False, 1.0), (True, 1.0)]


def test_other_heads_stay_apart_and_their_last_layer_carries_the_share():
    deep = BranchHead((FROZEN,), "last", (layer(5.0, 4), layer(1.0, 2)))
    other_taps, other_branch = branch_head(FROZEN, taps="several"), branch_head(Branch(V1, 224), taps="last")
    parts = [candidate(0, heads=(deep, other_taps)), candidate(1, heads=(other_branch,))]
    joined = joined_heads(parts, equal(parts))
    assert [one.branches[0].backbone for one in joined] == [V2, V1, V2]
    assert (joined[2].layers[0][0] == 5.0).all() and (joined[2].layers[1][0] == 0.5).all()


def test_the_heads_logits_add_up_to_the_mean_of_the_parts():
    x, random = np.ones((1, 3), np.float32), np.random.default_rng(0)
    layers = [(random.normal(size=(3, 2)).astype(np.float32), random.normal(size=2).astype(np.float32)) for _ in "abc"]
    parts = [candidate(n, heads=(BranchHead((FROZEN,), "last", (one,)),)) for n, one in enumerate(layers)]
    expected = sum(x @ kernel + bias for kernel, bias in layers) / 3
    found = sum(x @ one.layers[0][0] + one.layers[0][1] for one in joined_heads(parts, equal(parts)))
    np.testing.assert_allclose(found, expected, rtol=1e-5)

"""What a candidate knows of itself."""

import numpy as np

from automl.records import Stage
from automl.search.candidate import Branch
from tests.automl.search.fakes import N_ROWS, V1, V2, branch_head, candidate

FIRST_HALF = np.arange(N_ROWS // 2)


def test_a_candidate_counts_what_it_runs_and_what_it_scored():
    frozen, tuned = Branch(V2, 224), Branch(V2, 160, candidate().curves)  # any mark of being tuned
    mixed = candidate(heads=(branch_head(frozen), branch_head(tuned, frozen, taps="last")), rows=FIRST_HALF)
    assert mixed.branches == (frozen, tuned)
    assert mixed.backbones == (V2,) and mixed.is_tuned
    assert mixed.n_scored == len(FIRST_HALF)
    assert mixed.taps == "several"
    assert [branch.name for branch in mixed.branches] == ["mobilenet_v2_224", "mobilenet_v2_160_tuned"]


def test_a_head_uses_the_last_tap_or_all():
    assert list(branch_head(taps="last").used_taps(4)) == [3]
    assert list(branch_head(Branch(V1, 96), taps="several").used_taps(3)) == [0, 1, 2]
    assert branch_head(n_layers=2).n_bytes == 2 * (6 + 2) * 4


def test_a_candidate_is_known_by_its_trial_and_not_by_its_parameters():
    first, alike = candidate(0, params={"dropout": 0.1}), candidate(5, params={"dropout": 0.1})
    mean = candidate(0, params={"dropout": 0.1}, parts=(0, 5))
    assert first.is_same_model(candidate(0, params={"dropout": 0.1}))
    assert not first.is_same_model(alike) and not first.is_same_model(mean)
    assert (first.trial_numbers, mean.trial_numbers) == ((0,), (0, 5))


def test_what_a_digest_hashes_is_as_it_was_before_parts_had_a_field():
    params = {"dropout": 0.1}
    assert candidate(4, params=params).digest_params == params
    averaged = candidate(4, params=params, parts=(4, 2, 9))
    assert averaged.digest_params == {"dropout": 0.1, "averaged_with": "2+9"}
    assert candidate(7, stage=Stage.ENSEMBLE, parts=(12, 3)).digest_params == {"members": "12+3"}

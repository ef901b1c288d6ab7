"""What a model costs before it is trained."""

import pytest

from automl.search.candidate import Branch
from automl.search.costs import ModelCost
from automl.search.objective import Objective
from tests.automl.search.fakes import LATENCY_S, MODEL_BYTES, V1, V2, Clock, Features, costs_of


def costs(**limits):
    return costs_of(Features(Clock()), Objective(**limits))


def test_a_model_costs_what_its_branches_and_heads_cost_together():
    cost = costs().of([Branch(V2, 224), Branch(V1, 112)], head_bytes=7)
    assert cost == ModelCost(MODEL_BYTES[V2] + MODEL_BYTES[V1] + 7, pytest.approx(LATENCY_S[V2] + LATENCY_S[V1] / 4))


def test_a_backbone_is_allowed_with_a_linear_head_on_its_last_tap():
    head_bytes = 4 * 3 * 2  # the last tap has three features, and there are two classes
    assert costs(max_model_bytes=MODEL_BYTES[V2] + head_bytes).is_allowed([V2], 224)
    assert not costs(max_model_bytes=MODEL_BYTES[V2] + head_bytes - 1).is_allowed([V2], 224)


def test_a_smaller_picture_may_be_quick_enough():
    limited = costs(max_latency_s=LATENCY_S[V2] / 2)
    assert limited.is_allowed([V2], 112) and not limited.is_allowed([V2], 224)


def test_without_limits_no_network_is_timed_to_say_that_it_is_allowed():
    """Loading and timing all of them would take seconds before the first model."""
    features = Features(Clock())
    features.latency_s = features.tap_widths = lambda *_: pytest.fail("was measured")
    assert costs_of(features, Objective()).is_allowed([V2, V1], 224)

"""What is expected of backbones, before and after something was seen of them."""

import pytest

from automl.backbone_table import BACKBONES
from automl.search.expectations import BIGGER_PICTURES, PRIORS, TRANSFER_EXPONENT, Expectations, Prior
from automl.search.plan import INPUT_SIZES_PX

PRIORS_OF_THREE = {
    "weak": Prior(top_1_percent=70.0, family="old"),
    "strong": Prior(top_1_percent=78.0, family="new"),
    "middle": Prior(top_1_percent=76.0, family="new"),
}


def expected(**seen: float) -> Expectations:
    return Expectations(priors=PRIORS_OF_THREE, seen_percent=seen)


def test_of_every_backbone_something_is_published():
    assert set(PRIORS) == set(BACKBONES)


def test_of_every_input_size_something_is_expected():
    assert set(BIGGER_PICTURES) == set(INPUT_SIZES_PX)
    assert list(BIGGER_PICTURES.values()) == sorted(BIGGER_PICTURES.values(), reverse=True)


def test_before_anything_was_seen_the_published_accuracy_counts():
    assert expected().errors(["strong"]) == pytest.approx(22**TRANSFER_EXPONENT)
    assert expected().strongest(PRIORS_OF_THREE) == ["strong", "middle", "weak"]


def test_each_further_backbone_takes_some_errors_away_and_a_weak_one_fewer():
    one, two = expected().errors(["strong"]), expected().errors(["strong", "middle"])
    assert expected().errors(PRIORS_OF_THREE) < two < one
    seen = expected(strong=95.0, middle=90.0)
    assert expected(strong=95.0, middle=94.0).errors(["strong", "middle"]) < seen.errors(["strong", "middle"])


def test_one_of_another_family_adds_more():
    seen = expected(strong=95.0, middle=94.0, weak=94.0)
    assert seen.errors(["strong", "weak"]) < seen.errors(["strong", "middle"])
    assert PRIORS["efficientnet_lite1"].family == PRIORS["efficientnet_lite2"].family != PRIORS["mobilenet_v1"].family
    assert PRIORS["mobilenet_v3_small"].family == PRIORS["mobilenet_v3_large"].family


def test_without_a_backbone_everything_is_wrong():
    assert expected().errors([]) == 100


def test_small_pictures_cost_accuracy():
    errors = [expected().errors(["strong"], size) for size in INPUT_SIZES_PX]
    assert errors == sorted(errors, reverse=True)


def test_what_was_seen_of_a_backbone_replaces_what_is_published_of_it():
    assert expected(strong=85.0).errors(["strong"]) == pytest.approx(15)
    assert expected(strong=85.0, weak=90.0).strongest(["strong", "weak"]) == ["weak", "strong"]


def test_what_was_seen_of_one_changes_what_is_expected_of_the_others():
    assert expected(weak=99.0).errors(["strong"]) < expected().errors(["strong"]) < expected(weak=80).errors(["strong"])


def test_one_that_makes_no_errors_leaves_nothing_to_expect_of_more():
    seen = expected(strong=100.0)
    assert seen.errors(["strong"]) - seen.errors(["strong", "middle"]) < 0.02

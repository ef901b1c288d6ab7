"""The same space drives both tuners."""

import optuna
import pytest

from automl.records import LR_SCHEDULES
from automl.search.space import HIDDEN_UNITS, RECIPE, Categorical, Real, Whole, backbone_names, fusions, head_space

SPACE = head_space(["a", "b"], [160, 224])


def test_fusions_are_single_backbones_first_then_pairs_then_triples():
    assert fusions(["a", "b", "c"]) == ("a", "b", "c", "a+b", "a+c", "b+c", "a+b+c")


@pytest.mark.parametrize(("backbones", "sizes"), [("abcde", {1, 2, 3, 4, 5}), ("abcdef", {1, 2, 3, 6})])
def test_of_many_backbones_only_small_fusions_and_the_largest_are_there(backbones, sizes):
    found = fusions(backbones)
    assert {len(fusion.split("+")) for fusion in found} == sizes
    assert found[-1] == "+".join(backbones) and len(set(found)) == len(found)


def test_the_recipe_lies_in_the_space_and_counts_as_an_experts_choice():
    recipe = SPACE.defaults() | RECIPE
    assert SPACE.contains(recipe) and SPACE.is_expert_choice(recipe)
    assert not SPACE.is_expert_choice(recipe | {"inverse_regularisation": 7.0})


def test_a_regression_is_offered_only_where_it_may_be():
    without = head_space(["a"], [160], may_regress=False)
    assert set(SPACE.defaults()) - set(without.defaults()) == {"inverse_regularisation"}
    assert not without.contains(without.defaults(optimizer="lbfgs"))


def test_trials_of_versions_without_a_choice_are_completed_by_what_they_did():
    old = {name: value for name, value in SPACE.defaults().items() if name not in ("normalisation",)}
    assert SPACE.completed(old)["normalisation"] == "standardised"
    assert SPACE.completed(SPACE.defaults(normalisation="unit"))["normalisation"] == "unit"
    assert SPACE.contains(SPACE.completed(old)) and SPACE.completed(old).keys() == SPACE.defaults().keys()


def test_defaults_lie_within_the_space_and_name_the_largest_size():
    assert SPACE.contains(SPACE.defaults())
    assert SPACE.defaults()["image_size_px"] == 224


@pytest.mark.parametrize(
    "wrong", [{"image_size_px": 96}, {"dropout": 0.9}, {"patience": 2}, {"views": "turned"}, {"hidden_units": 7}]
)
def test_a_value_outside_its_dimension_is_not_contained(wrong):
    assert not SPACE.contains(SPACE.defaults(**wrong))


def test_optuna_gets_every_dimension():
    distributions = SPACE.to_optuna()
    assert set(distributions) == set(SPACE.defaults())
    assert distributions["lr_schedule"] == optuna.distributions.CategoricalDistribution(LR_SCHEDULES)
    assert distributions["hidden_units"] == optuna.distributions.CategoricalDistribution(HIDDEN_UNITS)
    assert distributions["learning_rate"].log


def test_keras_tuner_gets_every_dimension_with_its_default():
    hyperparameters = SPACE.to_keras_tuner()
    assert hyperparameters.values == SPACE.defaults()
    assert {hp.name: hp.sampling for hp in hyperparameters.space if hasattr(hp, "sampling")}["learning_rate"] == "log"


@pytest.mark.parametrize(
    ("fixed", "name"),
    [
        ({"lr_scheduler": "cosine"}, "lr_schedule"),
        ({"head_layers": ()}, "hidden_units"),
        ({"early_stopping": False}, "patience"),
    ],
)
def test_what_the_user_has_fixed_is_not_searched(fixed, name):
    found = set(head_space(["a"], [160], **fixed).defaults())
    assert found == set(SPACE.defaults()) - {name}


def test_where_every_photo_is_tested_the_number_of_epochs_is_part_of_the_configuration():
    space = head_space(["a"], [160], fixed_epochs=(30, 15, 60))
    assert set(space.defaults()) == set(SPACE.defaults()) - {"patience"} | {"epochs"}
    assert space.defaults()["epochs"] == 30
    assert not space.contains(space.defaults(lr_schedule="reduce_on_plateau"))


def test_each_dimension_includes_its_ends():
    real, whole = Real(name="x", low=0.0, high=1.0, default=0.5), Whole(name="x", low=1, high=3, default=2)
    assert real.contains(1.0) and not real.contains(1.1)
    assert whole.contains(1) and not whole.contains(0)
    assert Categorical("x", ("a",), "a").contains("a") and not Categorical("x", ("a",), "a").contains("b")


def test_backbone_names_splits_a_fusion():
    assert backbone_names({"backbones": "a+b"}) == ("a", "b")

"""The same space drives both tuners."""

import optuna

from automl.search.space import LR_SCHEDULES, backbone_names, fusions, head_space


def test_fusions_are_single_backbones_first_then_pairs_then_triples():
    assert fusions(["a", "b", "c"]) == ("a", "b", "c", "a+b", "a+c", "b+c", "a+b+c")


def test_fusions_never_join_more_than_three():
    assert max(len(fusion.split("+")) for fusion in fusions("abcde")) == 3


def test_defaults_lie_within_the_space():
    space = head_space(["a", "b"], [160, 224])
    assert space.contains(space.defaults())


def test_a_value_outside_its_dimension_is_not_contained():
    space = head_space(["a"], [160])
    assert not space.contains(space.defaults(image_size_px=224))
    assert not space.contains(space.defaults(dropout=0.9))


def test_optuna_gets_every_dimension():
    distributions = head_space(["a", "b"], [160, 224]).to_optuna()
    assert set(distributions) == set(head_space(["a"], [160]).defaults())
    assert distributions["lr_schedule"] == optuna.distributions.CategoricalDistribution(LR_SCHEDULES)
    assert distributions["learning_rate"].log


def test_backbone_names_splits_a_fusion():
    assert backbone_names({"backbones": "a+b"}) == ("a", "b")

"""The space of stage 2: its defaults are a recipe, and it shares no name with stage 1."""

import pytest

from automl.backbone_table import BACKBONES
from automl.search.space import Categorical, head_space
from automl.search.stages.fine_tuning_space import DEPTHS, expert_settings, fine_tune_settings, fine_tune_space

SPACE = fine_tune_space(["mobilenet_v2", "mobilenet_v1"], [160, 224])


def test_the_defaults_lie_within_the_space() -> None:
    assert SPACE.contains(SPACE.defaults())
    assert SPACE.defaults()["backbone"] == "mobilenet_v2"
    assert SPACE.defaults()["ft_image_size_px"] == 224


def test_both_tuners_read_it() -> None:
    assert set(SPACE.to_optuna()) == {hp.name for hp in SPACE.to_keras_tuner().space}


def test_no_name_is_also_one_of_stage_1() -> None:
    heads = head_space(["mobilenet_v2"], [224])
    assert not {d.name for d in SPACE.dimensions} & {d.name for d in heads.dimensions}


def test_every_depth_is_a_cut_of_every_backbone() -> None:
    assert all(len(row.cuts) == max(DEPTHS) for row in BACKBONES.values())


def test_parameters_become_settings() -> None:
    params = SPACE.defaults(depth=2, ft_learning_rate=1e-4, mix="cutmix", ft_image_size_px=160)
    settings = fine_tune_settings(params, "last", epochs=7, batch_size=8)
    assert (settings.depth, settings.learning_rate, settings.image_size_px) == (2, 1e-4, 160)
    assert settings.policy.mix == "cutmix"
    assert (settings.taps, settings.epochs, settings.batch_size) == ("last", 7, 8)


def test_the_expert_starts_with_the_defaults() -> None:
    assert expert_settings("several", 224, epochs=5, batch_size=16) == fine_tune_settings(
        SPACE.defaults(), "several", epochs=5, batch_size=16
    )


@pytest.mark.parametrize("schedules", [("constant",), ("one_cycle", "cosine")])
def test_a_schedule_that_the_user_chose_is_kept_to(schedules: tuple[str, ...]) -> None:
    space = fine_tune_space(["mobilenet_v2"], [160], schedules)
    (dimension,) = [d for d in space.dimensions if d.name == "ft_lr_schedule"]
    assert isinstance(dimension, Categorical)
    assert dimension.values == schedules
    assert dimension.default in schedules

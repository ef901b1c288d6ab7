"""Features are planned so that the search ends in time."""

import math

import pytest

from automl.records import Stage, TrialRecord, TrialState
from automl.search.block import Block
from automl.search.plan import (
    SHARE_FOR_FEATURES,
    SHARE_FOR_SECOND_SIZE,
    SHARE_WITH_MIRRORED,
    FeaturePlan,
    block_seconds,
    make_plan,
    plan_of,
)

SPEED = {"slow": 0.010, "fast": 0.005, "middle": 0.008}


def plan_for(n_images: int, search_s: float, max_px: int = 224, **options) -> FeaturePlan:
    return make_plan(SPEED, n_images=n_images, search_s=search_s, max_image_size_px=max_px, **options)


def seconds(plan: FeaturePlan, n_images: int, mirrored: bool) -> float:
    blocks = [block for block in plan.blocks if block.mirrored <= mirrored]
    return sum(block_seconds(SPEED[block.backbone], block.image_size_px, n_images) for block in blocks)


def record(number, backbones, size, score=0.8, views="plain", stage=Stage.HEADS) -> TrialRecord:
    params = {"backbones": "+".join(backbones), "image_size_px": size, "views": views}
    return TrialRecord(
        number=number,
        state=TrialState.COMPLETE,
        backbones=backbones,
        image_size_px=size,
        params=params,
        score=score,
        started_s=0.0,
        duration_s=1.0,
        stage=stage,
    )


def test_with_time_to_spare_every_backbone_is_used_at_the_largest_size():
    assert plan_for(1000, 600).blocks[:3] == (Block("fast", 224), Block("middle", 224), Block("slow", 224))


def test_a_second_size_follows_where_it_is_cheap():
    assert plan_for(1000, 600).sizes_px == (160, 224)
    assert plan_for(1000, 45).sizes_px == (224,)


@pytest.mark.parametrize("search_s", [600, math.inf])
def test_mirrored_photos_come_last_and_at_every_size_that_is_computed(search_s):
    blocks = plan_for(1000, search_s).blocks
    plain = [block for block in blocks if not block.mirrored]
    assert blocks == (*plain, *(Block(block.backbone, block.image_size_px, True) for block in plain))


def test_mirrored_photos_are_left_out_where_they_cost_more_than_their_share():
    for search_s in range(5, 400, 5):
        plan = plan_for(1000, search_s)
        n_mirrored = sum(block.mirrored for block in plan.blocks)
        assert n_mirrored in (0, len(plan.blocks) / 2)
        assert not n_mirrored or seconds(plan, 1000, True) <= search_s * SHARE_WITH_MIRRORED


def test_little_time_means_smaller_pictures():
    plan = plan_for(1000, 25)
    assert plan.blocks[0] == Block("fast", 160)
    assert {block.backbone for block in plan.blocks} == set(SPEED)


def test_very_little_time_leaves_the_fastest_backbone():
    plan = plan_for(10_000, 60)
    assert {block.backbone for block in plan.blocks} == {"fast"}


@pytest.mark.parametrize("n_images", [10, 300, 5_000, 50_000])
@pytest.mark.parametrize("search_s", [20, 60, 300, 3_600])
def test_the_planned_features_leave_time_for_the_search(n_images, search_s):
    plan = plan_for(n_images, search_s)
    if plan.blocks != (Block("fast", 96),):
        share = SHARE_FOR_FEATURES + SHARE_FOR_SECOND_SIZE
        assert seconds(plan, n_images, True) <= search_s * share


@pytest.mark.parametrize("search_s", [0.0, 1.0])
def test_no_time_at_all_still_plans_one_block(search_s):
    assert plan_for(50_000, search_s).blocks == (Block("fast", 96),)


def test_what_is_computed_already_costs_nothing():
    computed = {Block(name, 224) for name in SPEED}
    assert set(plan_for(50_000, 30, computed=computed).blocks) == computed


@pytest.mark.parametrize("max_px", [96, 128])
def test_small_pictures_on_the_users_wish_still_mean_every_backbone(max_px):
    plan = plan_for(100, 600, max_px)
    assert plan.main_px == max(plan.sizes_px) == max_px
    assert {block.backbone for block in plan.blocks} == set(SPEED)


def test_without_a_clock_the_order_is_the_given_one_and_speed_decides_nothing():
    quicker = make_plan(dict.fromkeys(SPEED, 1e-9), n_images=50_000, search_s=math.inf, max_image_size_px=320)
    assert quicker == plan_for(50_000, math.inf, 320)
    assert [block.backbone for block in quicker.blocks[:3]] == list(SPEED)
    assert quicker.sizes_px == (224, 320)


def test_nothing_is_planned_that_may_not_be_delivered():
    plan = plan_for(100, 600, is_allowed=lambda names, size: names == ["slow"] and size <= 160)
    assert {(block.backbone, block.image_size_px) for block in plan.blocks} == {("slow", 160), ("slow", 96)}


def test_a_limit_that_only_the_smallest_pictures_keep_is_kept():
    plan = plan_for(100, 600, is_allowed=lambda names, size: size <= 96)
    assert plan.sizes_px == (96,)


def test_an_interrupted_run_goes_on_with_the_blocks_it_had_those_of_the_best_first():
    best = record(2, ("slow", "fast"), 160, 0.9)
    trials = [record(0, ("fast",), 224), record(1, ("middle",), 224), best, record(3, ("x",), 96, stage=Stage.ENSEMBLE)]
    blocks = plan_of(trials, best).blocks
    assert blocks == (Block("slow", 160), Block("fast", 160), Block("fast", 224), Block("middle", 224))


def test_an_interrupted_run_that_used_mirrored_photos_has_them_at_every_size():
    trials = [record(0, ("fast",), 224, views="mirrored"), record(1, ("fast",), 160)]
    plain = (Block("fast", 224), Block("fast", 160))
    assert plan_of(trials, trials[0]).blocks == (*plain, Block("fast", 224, True), Block("fast", 160, True))


def test_a_plan_is_extended_by_one_of_the_same_main_size_only():
    begun = FeaturePlan((Block("slow", 224),))
    assert begun.extended(plan_for(1000, 60)).blocks[:2] == (Block("slow", 224), Block("fast", 224))
    assert begun.extended(FeaturePlan((Block("fast", 160), Block("fast", 224)))) == begun


@pytest.mark.parametrize(("seconds", "first"), [(0.0105, "mobilenet_v2"), (0.02, "mobilenet_v1")])
def test_of_backbones_that_take_about_as_long_the_preferred_one_goes_first(seconds, first):
    speeds = {"mobilenet_v2": seconds, "mobilenet_v1": 0.01}
    plan = make_plan(speeds, n_images=100, search_s=600.0, max_image_size_px=224)
    assert plan.blocks[0].backbone == first

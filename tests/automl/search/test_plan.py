"""Features are planned so that the search ends in time."""

import math

import pytest

from automl.records import Stage, TrialRecord, TrialState
from automl.search.block import Block
from automl.search.expectations import PRIORS, Expectations, Prior
from automl.search.plan import (
    SHARE_FOR_FEATURES,
    SHARE_FOR_SECOND_SIZE,
    SHARE_WITH_MIRRORED,
    FeaturePlan,
    block_seconds,
    largest_size_px,
    make_plan,
    plan_of,
    still_worth_it,
)

SPEED = {"slow": 0.010, "fast": 0.005, "middle": 0.008}
PRIORS_OF_THREE = {
    "slow": Prior(top_1_percent=78.0, family="new"),
    "fast": Prior(top_1_percent=71.0, family="old"),
    "middle": Prior(top_1_percent=76.0, family="new"),
}
EXPECTED = Expectations(priors=PRIORS_OF_THREE)


def plan_for(n_images: int, search_s: float, max_px: int = 224, **options) -> FeaturePlan:
    given = {"expectations": EXPECTED, **options}
    return make_plan(SPEED, n_images=n_images, search_s=search_s, max_image_size_px=max_px, **given)


def names(plan: FeaturePlan) -> list[str]:
    return [block.backbone for block in plan.blocks if block.image_size_px == plan.main_px and not block.mirrored]


def seconds(plan: FeaturePlan, n_images: int, mirrored: bool) -> float:
    blocks = [block for block in plan.blocks if block.mirrored <= mirrored]
    return sum(block_seconds(SPEED[block.backbone], block.image_size_px, n_images) for block in blocks)


def seconds_of(plan: FeaturePlan, speeds: dict[str, float], n_images: int) -> float:
    main = [block for block in plan.blocks if block.image_size_px == plan.main_px and not block.mirrored]
    return sum(block_seconds(speeds[block.backbone], block.image_size_px, n_images) for block in main)


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


def test_with_time_to_spare_every_backbone_is_used_the_quickest_first_then_the_strongest():
    assert plan_for(1000, 600).blocks[:3] == (Block("fast", 224), Block("slow", 224), Block("middle", 224))


def test_where_not_all_fit_the_strongest_are_taken_not_the_quickest():
    assert names(plan_for(3000, 90)) == ["fast", "slow"]


def test_one_that_is_slower_and_weaker_than_the_others_is_left_out_first():
    priors = {**PRIORS_OF_THREE, "slow": Prior(top_1_percent=60.0, family="new")}
    assert names(plan_for(3000, 90, expectations=Expectations(priors=priors))) == ["fast", "middle"]


def test_five_backbones_that_do_not_fit_into_two_minutes_become_the_strongest_that_do():
    speeds = {
        "mobilenet_v2": 0.006,
        "mobilenet_v1": 0.0065,
        "efficientnet_lite0": 0.009,
        "efficientnet_lite1": 0.012,
        "efficientnet_lite2": 0.014,
    }
    expected = Expectations(priors=PRIORS)
    plan = make_plan(speeds, expectations=expected, n_images=1000, search_s=85, max_image_size_px=224)
    assert names(plan) == ["mobilenet_v2", "efficientnet_lite2", "mobilenet_v1"]
    assert seconds_of(plan, speeds, 1000) <= 85 * SHARE_FOR_FEATURES


def test_features_that_save_less_than_they_cost_are_not_computed():
    nearly_perfect = Expectations(priors=PRIORS_OF_THREE, seen_percent={"fast": 99.9})
    assert still_worth_it(["fast"], {"middle": 8.0, "slow": 10.0}, expectations=nearly_perfect, left_s=60) == []


def test_what_was_seen_of_the_first_block_decides_how_to_go_on():
    candidates = {"middle": 12.0, "slow": 15.0}
    for seen, wanted in [(80.0, ["slow", "middle"]), (97.0, ["middle"]), (99.0, [])]:
        expected = Expectations(priors=PRIORS_OF_THREE, seen_percent={"fast": seen})
        assert still_worth_it(["fast"], candidates, expectations=expected, left_s=60) == wanted


def test_what_no_longer_fits_is_left_out():
    assert still_worth_it(["fast"], {"middle": 8.0, "slow": 30.0}, expectations=EXPECTED, left_s=40) == ["middle"]
    assert still_worth_it(["fast"], {"middle": 8.0}, expectations=EXPECTED, left_s=0.0) == []


def test_features_that_are_there_already_are_always_worth_it():
    assert still_worth_it(["fast"], {"middle": 0.0}, expectations=EXPECTED, left_s=0.0) == ["middle"]


def test_no_second_backbone_is_computed_for_a_model_that_may_hold_only_one_unless_it_is_stronger():
    def one_alone(names, _size):
        return len(names) == 1

    assert names(plan_for(1000, 60, is_allowed=one_alone)) == ["slow"]


def test_a_second_size_follows_where_it_is_cheap():
    assert plan_for(1000, 600).sizes_px == (160, 224)
    assert plan_for(3000, 90).sizes_px == (224,)


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


def test_little_time_means_smaller_pictures_or_fewer_backbones():
    planned = [(plan.main_px, len(names(plan))) for plan in (plan_for(3000, s) for s in (600, 90, 70, 50, 7))]
    assert planned == [(224, 3), (224, 2), (192, 2), (224, 1), (96, 1)]


def test_very_little_time_leaves_one_backbone():
    assert len(names(plan_for(10_000, 60))) == 1
    assert names(plan_for(10_000, 20)) == ["fast"]


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
    quicker = make_plan(
        dict.fromkeys(SPEED, 1e-9), expectations=EXPECTED, n_images=50_000, search_s=math.inf, max_image_size_px=320
    )
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
    expected = Expectations(priors=PRIORS)
    plan = make_plan(speeds, expectations=expected, n_images=100, search_s=600.0, max_image_size_px=224)
    assert plan.blocks[0].backbone == first


LITE2, V2_ONLY = ("mobilenet_v2", "efficientnet_lite2"), ("mobilenet_v2",)


@pytest.mark.parametrize(
    ("detail_px", "backbones", "largest_px"),
    [
        (500, LITE2, 256),  # drawn at 260
        (500, ("efficientnet_lite4",), 288),  # drawn at 300
        (255, LITE2, 224),
        (60, LITE2, 224),
        (500, V2_ONLY, 224),
    ],
)
def test_without_a_wish_pictures_are_as_large_as_photos_and_networks_make_worth_it(detail_px, backbones, largest_px):
    found = largest_size_px(None, detail_px=detail_px, backbones=backbones, has_clock=True)
    assert found == largest_px


@pytest.mark.parametrize("has_clock", [True, False])
@pytest.mark.parametrize("wished_px", [96, 320])
def test_a_wish_is_kept_whatever_the_photos_have(wished_px, has_clock):
    assert largest_size_px(wished_px, detail_px=60, backbones=V2_ONLY, has_clock=has_clock) == wished_px


def test_without_a_clock_nothing_says_that_there_is_time_for_larger_pictures():
    assert largest_size_px(None, detail_px=500, backbones=LITE2, has_clock=False) == 224

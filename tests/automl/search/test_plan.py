"""Features are planned so that the search ends in time."""

from automl.search.plan import SHARE_FOR_FEATURES, SHARE_FOR_SECOND_SIZE, block_seconds, make_plan

SPEED = {"slow": 0.010, "fast": 0.005, "middle": 0.008}


def test_with_time_to_spare_every_backbone_is_used_at_the_largest_size():
    plan = make_plan(SPEED, n_images=1000, search_s=600, max_image_size_px=224)
    assert plan.blocks[:3] == (("fast", 224), ("middle", 224), ("slow", 224))


def test_a_second_size_follows_where_it_is_cheap():
    plan = make_plan(SPEED, n_images=1000, search_s=600, max_image_size_px=224)
    assert plan.sizes_px == (160, 224)


def test_little_time_means_smaller_pictures():
    plan = make_plan(SPEED, n_images=1000, search_s=25, max_image_size_px=224)
    assert plan.blocks[0] == ("fast", 160)
    assert max(plan.sizes_px) == 160


def test_very_little_time_leaves_the_fastest_backbone():
    plan = make_plan(SPEED, n_images=10_000, search_s=60, max_image_size_px=224)
    assert plan.blocks[0][0] == "fast"
    seconds = [block_seconds(SPEED[name], size, 10_000) for name, size in plan.blocks]
    assert seconds[0] <= 60 * SHARE_FOR_FEATURES
    assert sum(seconds) <= 60 * (SHARE_FOR_FEATURES + SHARE_FOR_SECOND_SIZE)


def test_no_time_at_all_still_plans_one_block():
    plan = make_plan(SPEED, n_images=50_000, search_s=1, max_image_size_px=224)
    assert plan.blocks == (("fast", 96),)


def test_what_is_computed_already_costs_nothing():
    computed = {(name, 224) for name in SPEED}
    plan = make_plan(SPEED, n_images=50_000, search_s=30, max_image_size_px=224, computed=computed)
    assert set(plan.blocks) == computed


def test_the_users_largest_size_is_respected():
    plan = make_plan(SPEED, n_images=100, search_s=600, max_image_size_px=128)
    assert max(plan.sizes_px) == 128

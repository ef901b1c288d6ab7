from dataclasses import replace

import pytest

from automl.errors import BadSetting
from automl.limits import MAX_IMAGE_SIZE_PX, MIN_BUDGET_S, check_limits
from automl.records import RunSettings
from automl.search.plan import INPUT_SIZES_PX

DEFAULT = RunSettings()


@pytest.mark.parametrize(
    "change",
    [{}, {"budget_s": MIN_BUDGET_S}, {"budget_s": 3600}, {"max_trials": 1}, {"seed": 2**31 - 1}],
)
def test_what_is_within_the_limits_passes(change):
    check_limits(replace(DEFAULT, **change), 3600)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget_s": MIN_BUDGET_S - 1}, "between 30 seconds and 1 hour"),
        ({"budget_s": 3601}, "between 30 seconds and 1 hour"),
        ({"budget_s": float("nan")}, "between 30 seconds and 1 hour"),
        ({"max_trials": 0}, "Max trials"),
        ({"seed": -1}, "Seed"),
        ({"max_image_size_px": 97}, "multiple of 32"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_with_what_is_allowed(change, words):
    with pytest.raises(BadSetting, match=words):
        check_limits(replace(DEFAULT, **change), 3600)


def test_every_size_that_the_search_knows_may_be_the_largest_and_no_other_is_wider():
    for size_px in INPUT_SIZES_PX:
        MAX_IMAGE_SIZE_PX.check(size_px)
    assert (MAX_IMAGE_SIZE_PX.low, MAX_IMAGE_SIZE_PX.high) == (min(INPUT_SIZES_PX), max(INPUT_SIZES_PX))

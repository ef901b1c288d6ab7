import pytest

from automl.errors import BadSetting
from automl.limits import check_limits
from automl.options import RUN_OPTIONS
from automl.records import SAMPLERS, RunSettings, Sampler, TunerKind
from automl.search.plan import INPUT_SIZES_PX

DEFAULT = RunSettings()
MIN_BUDGET_S = 30


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"budget_s": MIN_BUDGET_S},
        {"budget_s": 3600},
        {"max_trials": 1},
        {"seed": 2**31 - 1},
        {"lr_scheduler": "one_cycle"},
        {"head_layers": ()},
        {"head_layers": (256, 64)},
        {"max_model_mb": 0.1, "max_latency_ms": 5.5},
    ],
)
def test_what_is_within_the_limits_passes(change):
    check_limits(DEFAULT.model_copy(update=change), 3600)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget_s": MIN_BUDGET_S - 1}, "between 30 seconds and 1 hour"),
        ({"budget_s": 3601}, "between 30 seconds and 1 hour"),
        ({"budget_s": float("nan")}, "between 30 seconds and 1 hour"),
        ({"max_trials": 0}, "Max trials"),
        ({"seed": -1}, "Seed"),
        ({"max_image_size_px": 97}, "multiple of 32"),
        ({"epochs": 0}, "Epochs"),
        ({"head_layers": (1,)}, "Each of the head layers must be a whole number from 2"),
        ({"head_layers": (8, 8, 8, 8)}, "3 head layers at most, not 4"),
        ({"max_model_mb": 0.0}, "Max model size must be a number from 0.1 to 10,000 MB"),
        ({"max_model_mb": float("nan")}, "Max model size"),
        ({"max_latency_ms": float("inf")}, "Max latency .* ms"),
        ({"lr_scheduler": "expo"}, "constant, cosine, one_cycle, exponential or reduce_on_plateau"),
        ({"budget_s": None, "max_trials": 5}, "needs a length of time"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_with_what_is_allowed(change, words):
    with pytest.raises(BadSetting, match=words):
        check_limits(DEFAULT.model_copy(update=change), 3600)


def test_every_size_that_the_search_knows_may_be_the_largest_and_no_other_is_wider():
    for size_px in INPUT_SIZES_PX:
        check_limits(RunSettings(max_image_size_px=size_px), 3600)
    size = RUN_OPTIONS["max_image_size_px"]
    assert (size.low, size.high) == (min(INPUT_SIZES_PX), max(INPUT_SIZES_PX))


def test_a_run_without_a_clock_needs_a_trial_limit():
    with pytest.raises(BadSetting, match="never end"):
        check_limits(RunSettings(budget_s=None), 3600, may_be_timeless=True)
    check_limits(RunSettings(budget_s=None, max_trials=5), 3600, may_be_timeless=True)


@pytest.mark.parametrize("tuner", list(TunerKind))
@pytest.mark.parametrize("sampler", list(Sampler))
def test_a_tuner_takes_its_own_samplers_and_names_them_otherwise(tuner, sampler):
    settings = RunSettings(tuner=tuner, sampler=sampler)
    if sampler in SAMPLERS[tuner]:
        check_limits(settings, 3600)
    else:
        with pytest.raises(BadSetting, match=f"of {tuner} must be {SAMPLERS[tuner][0]}, .*, not {sampler}"):
            check_limits(settings, 3600)

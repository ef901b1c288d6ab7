import pytest

from automl.cli import main
from automl.errors import BadSetting
from automl.options import FIELDSETS, RUN_OPTIONS, check_limits, read_settings
from automl.records import SAMPLERS, RunSettings, Sampler, TunerKind
from automl.search.plan import INPUT_SIZES_PX

DEFAULT = RunSettings()
MIN_BUDGET_S = 30


def test_every_setting_of_a_run_is_an_option_and_no_other():
    names = set(RunSettings.model_fields) - {"budget_s"} | {"budget"}
    assert set(RUN_OPTIONS) == names


def test_the_form_asks_for_every_option_but_the_time_once():
    asked = [option.name for options in FIELDSETS.values() for option in options]
    assert sorted(asked) == sorted(set(RUN_OPTIONS) - {"budget"})


def test_what_is_not_said_takes_its_default():
    assert read_settings({"seed": "", "epochs": None}) == RunSettings()


def test_every_option_has_one_line_of_help():
    for option in RUN_OPTIONS.values():
        assert option.help.endswith(".") and "\n" not in option.help
        assert len(option.help) <= 90


@pytest.mark.parametrize("option", RUN_OPTIONS.values(), ids=lambda option: option.name)
@pytest.mark.parametrize("command", ["train", "demo"])
def test_every_option_is_explained_on_the_command_line(command, option, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert f"{option.flag} " in shown or f"{option.flag}, " in shown
    assert option.help in shown


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


def test_the_largest_size_may_be_left_open():
    for nothing in ({}, {"max_image_size_px": ""}, {"max_image_size_px": None}):
        assert read_settings(nothing).max_image_size_px is None
    check_limits(RunSettings(max_image_size_px=None), 3600)


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

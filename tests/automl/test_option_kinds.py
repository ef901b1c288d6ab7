"""Each kind of option reads what its own text says, and refuses anything else in words."""

import pytest

from automl.errors import BadSetting
from automl.options import RUN_OPTIONS
from automl.records import LR_SCHEDULES, Goal, PrunerKind, RunSettings, Sampler, TunerKind

FULL = RunSettings(
    budget_s=90.5,
    goal=Goal.BALANCED_ACCURACY,
    max_model_mb=12.5,
    max_latency_ms=20.0,
    tuner=TunerKind.KERAS_TUNER,
    sampler=Sampler.HYPERBAND,
    pruner=PrunerKind.NONE,
    seed=11,
    max_trials=40,
    backbones=("mobilenet_v1", "mobilenet_v2"),
    max_image_size_px=160,
    early_stopping=False,
    lr_scheduler="one_cycle",
    epochs=9,
    head_layers=(256, 64),
    fine_tuning=False,
)
EACH = pytest.mark.parametrize("option", RUN_OPTIONS.values(), ids=lambda option: option.name)


@EACH
@pytest.mark.parametrize("settings", [RunSettings(), FULL, RunSettings(head_layers=())])
def test_an_option_reads_its_own_text(option, settings):
    value = option.of(settings)
    assert option.read(option.text(value)) == (None if option.is_unset(value) else value)


@EACH
@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_read_as_nothing(option, nothing):
    assert option.read(nothing) is None


@EACH
def test_an_option_refuses_what_is_none_of_its_values(option):
    with pytest.raises(BadSetting):
        option.read("whatever, & more")


@EACH
def test_only_an_option_that_may_stay_unset_says_so_in_its_empty_field(option):
    assert bool(option.placeholder) == option.is_unset(option.default)


@pytest.mark.parametrize(
    ("name", "plain", "full"),
    [
        ("budget", "2 minutes", "1 minute 30 seconds"),
        ("goal", "the one that fits the photos", "balanced accuracy"),
        ("max_trials", "no limit", "40"),
        ("max_model_mb", "no limit", "12.5 MB"),
        ("max_latency_ms", "no limit", "20 ms"),
        ("fine_tuning", "yes", "no"),
        ("backbones", "all that were installed", "MobileNetV1, MobileNetV2"),
        ("max_image_size_px", "as large as helps", "160 pixels"),
        ("tuner", "Optuna", "KerasTuner"),
        ("sampler", "the tuner's default", "Hyperband"),
        ("pruner", "median", "none"),
        ("early_stopping", "yes", "no"),
        ("lr_scheduler", "the search chose", "one cycle"),
        ("epochs", "depends on the stage", "9"),
        ("head_layers", "the search chose", "256, 64"),
        ("seed", "0", "11"),
    ],
)
def test_what_was_chosen_is_said_in_words(name, plain, full):
    option = RUN_OPTIONS[name]
    assert (option.in_words(RunSettings()), option.in_words(FULL)) == (plain, full)


def test_no_hidden_layer_and_no_clock_are_said_too():
    settings = RunSettings(head_layers=(), budget_s=None)
    assert RUN_OPTIONS["head_layers"].in_words(settings) == "none"
    assert RUN_OPTIONS["budget"].in_words(settings) == "no limit"


@pytest.mark.parametrize(
    ("text", "layers"),
    [("", None), (" , ", None), ("none", ()), ("0", ()), ("256", (256,)), (" 256, 64 ", (256, 64))],
)
def test_head_layers_are_numbers_with_commas_between(text, layers):
    assert RUN_OPTIONS["head_layers"].read(text) == layers


@pytest.mark.parametrize("text", ["many", "256;64", "1.5", "none,8"])
def test_head_layers_that_are_no_whole_numbers_are_refused(text):
    with pytest.raises(BadSetting, match="such as 256 or 256,64"):
        RUN_OPTIONS["head_layers"].read(text)


def test_the_form_offers_an_empty_choice_only_where_darkroom_may_choose():
    assert RUN_OPTIONS["goal"].titles[""] == "As fits your photos (recommended)"
    assert RUN_OPTIONS["max_image_size_px"].titles[""] == "As large as helps (recommended)"
    assert RUN_OPTIONS["tuner"].titles == {"optuna": "Optuna (recommended)", "keras-tuner": "KerasTuner"}


def test_the_words_of_a_row_are_part_of_the_json_schema():
    schema = RunSettings.model_json_schema()["properties"]
    assert {field: (part["title"], part["description"]) for field, part in schema.items()} == {
        option.field: (option.title, option.help) for option in RUN_OPTIONS.values()
    }


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("goal", Goal),
        ("tuner", TunerKind),
        ("sampler", Sampler),
        ("pruner", PrunerKind),
        ("lr_scheduler", LR_SCHEDULES),
    ],
)
def test_everything_that_can_be_chosen_has_a_title(name, names):
    assert set(RUN_OPTIONS[name].choices) == set(names)

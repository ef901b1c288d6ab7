import pytest

from automl.cli import main
from automl.options import FIELDSETS, RUN_OPTIONS, read_settings
from automl.records import RunSettings


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

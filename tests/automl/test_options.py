from dataclasses import fields
from pathlib import Path

import pytest

from automl.cli import main
from automl.options import RUN_OPTIONS
from automl.records import RunSettings

USER_GUIDE_MD = (Path(__file__).parents[2] / "docs" / "user-guide.md").read_text()


def test_every_setting_of_a_run_is_an_option_and_no_other():
    names = {field.name for field in fields(RunSettings)} - {"budget_s"} | {"budget"}
    assert set(RUN_OPTIONS) == names


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


def test_the_user_guide_has_the_same_words():
    for option in RUN_OPTIONS.values():
        assert f"| `{option.name}` | `{option.flag}` | {option.title} | {option.help} |" in USER_GUIDE_MD

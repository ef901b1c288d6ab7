"""The options of a run as flags of a command, made from the table of options, and read back."""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from automl.errors import BadSetting
from automl.option_kinds import Backbones, Duration, Option, Selection, Switch
from automl.options import RUN_OPTIONS, check_limits, read_settings
from automl.records import RunSettings
from automl.settings import Settings
from automl.text.messages import command_line as cli_messages
from automl.text.messages import options as option_messages

_NO_CLOCK = "none"
"""What `--budget` says for a run without a time limit, which no form and no JSON body can ask for."""


def add_run_options(parser: argparse.ArgumentParser, default_budget: str = "2m") -> None:
    """Adds a flag for every option, the simple ones first, and one for where the model goes."""
    parser.add_argument("--out", type=Path, default=Path("model.zip"), help=cli_messages.OUT_HELP)
    advanced = parser.add_argument_group(cli_messages.ADVANCED)
    for option in RUN_OPTIONS.values():
        _add_flag(parser if option.is_simple else advanced, option, default_budget)


def read_run_settings(options: argparse.Namespace, settings: Settings) -> RunSettings:
    """What was asked for, checked before the first photo is read, as is the place for the model.

    Raises:
        BadSetting: a value that cannot be used, with what is allowed, or a place where no file can be written.
    """
    given = {name: getattr(options, name) for name in RUN_OPTIONS}
    if given["budget"].strip().lower() == _NO_CLOCK:
        run_settings = read_settings({**given, "budget": None}).model_copy(update={"budget_s": None})
    else:
        run_settings = read_settings(given)
    check_limits(run_settings, settings.max_budget_s, may_be_timeless=True)
    _make_room_for(options.out)
    return run_settings


def _add_flag(to: argparse.ArgumentParser | argparse._ArgumentGroup, option: Option[Any], default_budget: str) -> None:
    """The values stay text, which the option itself reads, so that all commands and pages refuse in the same words."""
    how: dict[str, Any] = {"dest": option.name, "metavar": option.metavar or None}
    default = option.default_in_words
    if isinstance(option, Duration):
        how["default"] = default = default_budget
    elif isinstance(option, Switch):
        how = {"dest": option.name, "action": argparse.BooleanOptionalAction}
    elif isinstance(option, Selection):
        how["choices"] = [str(value) for value in option.choices]
    elif isinstance(option, Backbones):
        how["nargs"] = "+"
    to.add_argument(option.flag, help=_help(option, default), **how)


def _help(option: Option[Any], default: str) -> str:
    """The title and the help of an option, with its default; argparse wants each percent sign twice."""
    sentences = (option.sentences, option_messages.DEFAULT_IS.format(default=default), option.note)
    return " ".join(sentences).strip().replace("%", "%%")


def _make_room_for(out: Path) -> None:
    """Makes the folder of `out`. Raises BadSetting where no file can be written there."""
    try:
        if out.is_dir():
            raise BadSetting(cli_messages.OUT_IS_A_FOLDER.format(out=out, example=out / "model.zip"))
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise BadSetting(cli_messages.OUT_CANNOT_BE_WRITTEN.format(out=out, reason=error.strerror)) from error
    if out.exists() and not os.access(out, os.W_OK):
        raise BadSetting(cli_messages.OUT_IS_PROTECTED.format(out=out))

"""`automl`: the whole of Darkroom without a web page."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from automl.cli import admin, backup, check, demo, doctor, export, predict, restore, train, upload, verify, weights
from automl.cli.commands import Command
from automl.errors import DarkroomError, UserError
from automl.file_faults import fault_in_words
from automl.logs import configure_logging
from automl.native_output import own_terminal
from automl.settings import load_settings
from automl.text.messages import files as file_messages

COMMANDS: tuple[Command, ...] = (
    check,
    train,
    predict,
    export,
    upload,
    weights,
    demo,
    doctor,
    verify,
    backup,
    restore,
    admin,
)
"""In the order of the help. Each is a module of this package."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: the run failed; 2: what was asked for has to be fixed; 130: an upload was interrupted."""
    options = parser().parse_args(arguments)
    with own_terminal() as console:
        try:
            settings = load_settings()
            configure_logging(settings, least="warning")
            return int(options.run(options, settings, console))
        except DarkroomError as error:
            console.print(error.message, style="red", markup=False)
            return 2 if isinstance(error, UserError) else 1
        except (OSError, ValueError) as error:
            if (name := _given_path(options, error)) is None:
                raise
            console.print(file_messages.ABOUT.format(name=name, fault=fault_in_words(error)), style="red", markup=False)
            return 2


def _given_path(options: argparse.Namespace, error: OSError | ValueError) -> str | None:
    """The path among the arguments that an error is about; None where it is about something else."""
    values = [one for value in vars(options).values() for one in (value if isinstance(value, list) else [value])]
    paths = [str(value) for value in values if isinstance(value, Path)]
    if isinstance(error, OSError):
        return next((path for path in paths if path == str(error.filename)), None)
    return next((path for path in paths if "\0" in path), None)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    program = argparse.ArgumentParser(prog="automl", description=__doc__)
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands).set_defaults(run=command.run)
    return program

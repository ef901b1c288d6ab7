"""`automl`: the whole of Darkroom without a web page."""

import argparse
from collections.abc import Sequence

from automl.cli import check, demo, export, predict, train, upload, weights
from automl.cli.commands import Command
from automl.errors import DarkroomError, UserError
from automl.logs import configure_logging
from automl.native_output import own_terminal
from automl.settings import load_settings

COMMANDS: tuple[Command, ...] = (check, train, predict, export, upload, weights, demo)
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


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    program = argparse.ArgumentParser(prog="automl", description=__doc__)
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands).set_defaults(run=command.run)
    return program

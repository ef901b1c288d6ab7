"""What `automl.cli.main` wants of a command: a module with two functions."""

import argparse
from typing import Protocol, TypeAlias

from rich.console import Console

from automl.settings import Settings

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `add_subparsers` of a parser returns, for which argparse has no public name."""


class Command(Protocol):
    """A module of this package that has a command."""

    def add_parser(self, commands: Subparsers) -> argparse.ArgumentParser:
        """Adds the command with its arguments."""

    def run(self, options: argparse.Namespace, settings: Settings, console: Console) -> int:
        """Does what the command is for and returns the exit code, 0 where all of it was done."""

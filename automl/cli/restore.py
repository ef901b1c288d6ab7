"""`automl restore`: puts a backup into an empty home folder."""

import argparse
from pathlib import Path

from rich.console import Console

from automl.cli.commands import Subparsers
from automl.settings import Settings
from automl.store.backups import restore
from automl.text.messages import operations as operations_messages


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("restore", help=operations_messages.RESTORE_HELP)
    parser.add_argument("source", type=Path, help=operations_messages.RESTORE_SOURCE_HELP)
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    with console.status("") as status:
        made = restore(
            settings, options.source, lambda name: status.update(operations_messages.UNPACKING.format(name=name))
        )
    console.print(operations_messages.RESTORED.format(n=made.n_files, home=settings.home), markup=False)
    return 0

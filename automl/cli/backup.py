"""`automl backup`: the database and all files in one .tar."""

import argparse
from pathlib import Path

from rich.console import Console

from automl.cli.commands import Subparsers
from automl.errors import BadSetting
from automl.settings import Settings
from automl.store.backups import back_up
from automl.text.messages import command_line as cli_messages
from automl.text.messages import operations as operations_messages
from automl.text.numbers import size_in_words


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("backup", help=operations_messages.BACKUP_HELP)
    parser.add_argument("target", type=Path, help=operations_messages.BACKUP_TARGET_HELP)
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    target: Path = options.target
    if target.exists():
        raise BadSetting(cli_messages.OUT_IS_PROTECTED.format(out=target))
    with console.status("") as status:
        made = back_up(settings, target, lambda name: status.update(operations_messages.COPYING.format(name=name)))
    text = operations_messages.BACKED_UP.format(target=target, n=made.n_files, size=size_in_words(made.n_bytes))
    console.print(text, markup=False)
    return 0

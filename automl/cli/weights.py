"""`automl weights`: fetches the pretrained weights, or lists what is installed."""

import argparse

from rich.console import Console
from rich.table import Table

from automl.backbone_table import BACKBONES
from automl.cli.commands import Subparsers
from automl.settings import Settings
from automl.text.messages import command_line as cli_messages


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("weights", help=cli_messages.WEIGHTS_HELP)
    parser.add_argument("action", choices=("fetch", "list"))
    parser.add_argument("backbones", nargs="*", metavar="BACKBONE", help=cli_messages.BACKBONES_HELP)
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    from automl.models.weights.cache import installed, missing
    from automl.models.weights.fetch import fetch

    if options.action == "fetch":
        names = options.backbones or [name for name, row in BACKBONES.items() if row.is_fetched]
        fetch(names, settings.weights_dir, lambda line: console.print(line, markup=False))
    table = Table(cli_messages.BACKBONE, cli_messages.FROM, cli_messages.LICENCE, cli_messages.NOTE)
    for name, row in installed(settings.weights_dir).items():
        table.add_row(name, row.origin, row.licence, row.note)
    for name, reason in missing(settings.weights_dir).items():
        table.add_row(name, cli_messages.NOT_INSTALLED, "", reason)
    Console().print(table)
    return 0

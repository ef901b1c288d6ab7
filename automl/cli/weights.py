"""`automl weights`: fetches the pretrained weights, or lists what is installed."""

import argparse

from rich.console import Console
from rich.table import Table

from automl.backbone_table import BACKBONES
from automl.cli.commands import Subparsers
from automl.settings import Settings


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("weights", help="fetch or list the pretrained weights")
    parser.add_argument("action", choices=("fetch", "list"))
    parser.add_argument("backbones", nargs="*", metavar="BACKBONE", help="default: all")
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    from automl.models.weights.cache import installed, missing
    from automl.models.weights.fetch import fetch

    if options.action == "fetch":
        names = options.backbones or list(BACKBONES)
        fetch(names, settings.weights_dir, lambda line: console.print(line, markup=False))
    table = Table("backbone", "from", "licence", "note")
    for name, row in installed(settings.weights_dir).items():
        table.add_row(name, row.origin, row.licence, row.note)
    for name, reason in missing(settings.weights_dir).items():
        table.add_row(name, "not installed", "", reason)
    Console().print(table)
    return 0

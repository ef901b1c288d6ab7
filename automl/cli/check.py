"""`automl check`: what is in a folder, and what of it cannot be used."""

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from automl.cli.commands import Subparsers
from automl.cli.photos import add_layout_options, chosen_reading, print_manifest, read_photos
from automl.settings import Settings
from automl.text.messages import command_line as cli_messages


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("check", help=cli_messages.CHECK_HELP)
    parser.add_argument("folder", type=Path)
    add_layout_options(parser)
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        manifest = read_photos(options.folder, settings, Path(scratch), choice=chosen_reading(options))
    print_manifest(manifest, console)
    return 0

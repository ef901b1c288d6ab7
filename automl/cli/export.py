"""`automl export`: writes a delivered model in other formats, and tests each of them."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from automl.cli.commands import Subparsers
from automl.cli.photos import add_layout_options, chosen_reading, read_photos, scratch_folder
from automl.formats import FORMATS
from automl.settings import Settings
from automl.text.messages import command_line as cli_messages

if TYPE_CHECKING:
    from automl.records import Proof

_HEADS = (
    cli_messages.FORMAT,
    cli_messages.MEGABYTES,
    cli_messages.RIGHT_ON_TEST_PHOTOS,
    cli_messages.SAME_ANSWERS,
    cli_messages.LARGEST_DIFFERENCE,
    cli_messages.MS_A_PHOTO,
    cli_messages.SAME_MODEL,
)
_NAMES = [one.name for one in FORMATS]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("export", help=cli_messages.EXPORT_HELP)
    parser.add_argument("model", type=Path, metavar="MODEL.zip", help=cli_messages.FINISHED_DOWNLOAD_HELP)
    parser.add_argument("--photos", type=Path, required=True, help=cli_messages.TRAINED_WITH_HELP)
    parser.add_argument(
        "--formats",
        nargs="+",
        choices=_NAMES,
        default=_NAMES,
        metavar="FORMAT",
        help=cli_messages.FORMATS_HELP.format(names=", ".join(_NAMES)),
    )
    add_layout_options(parser)
    parser.add_argument("--out", type=Path, default=Path("formats"), help=cli_messages.OUT_FOLDER_HELP)
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Exit code 1: one of the formats is not the same model."""
    from automl.delivery.conversion import convert

    table = Table(*_HEADS)
    is_true = True
    with scratch_folder(settings) as scratch:
        manifest = read_photos(options.photos, settings, Path(scratch) / "images", choice=chosen_reading(options))

        def say(text: str) -> None:
            console.print(text, markup=False)

        for one in convert(options.model, manifest, names=options.formats, target=options.out, say=say):
            is_true &= one.proof.is_true
            table.add_row(*_row(one.proof))
            if not one.proof.is_true:
                failed = cli_messages.FORMAT_NOT_THE_SAME.format(format=one.proof.format, reason=one.proof.words)
                console.print(failed, style="red", markup=False)
    Console().print(table)
    sys.stdout.write(f"{options.out}\n")
    return 0 if is_true else 1


def _row(proof: "Proof") -> list[str]:
    """The figures of a format; a dash for what could not be measured."""
    latency_ms = None if proof.latency_s is None else proof.latency_s * 1000
    figures = (
        (proof.accuracy, ".1%"),
        (proof.agreement, ".1%"),
        (proof.largest_difference, ".4f"),
        (latency_ms, ".1f"),
    )
    shown = [f"{value:{form}}" if value is not None else "-" for value, form in figures]
    return [proof.format, f"{proof.n_bytes / 1e6:.1f}", *shown, cli_messages.YES if proof.is_true else cli_messages.NO]

"""What several commands do with a folder or an archive of photos."""

import argparse
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from automl.archives.suffixes import is_archive
from automl.datasets.edits import ChooseReading
from automl.errors import BadUpload
from automl.images.pixels import SCRATCH_PREFIX
from automl.ingest.local import ingest_archive, ingest_folder
from automl.labelling.places import LAYOUTS
from automl.records import DatasetManifest
from automl.settings import Settings
from automl.text.messages import command_line as cli_messages

_MOST_REFUSED = 20
"""So many files that cannot be used are named; of the others only their number."""


def scratch_folder(settings: Settings) -> tempfile.TemporaryDirectory[str]:
    """A folder beside the features: what fine-tuning stores takes gigabytes, and /tmp is memory on many machines."""
    settings.features_dir.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=settings.features_dir)


def add_layout_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--layout` and `--label-column`, which say what the classes are read from."""
    parser.add_argument("--layout", choices=LAYOUTS, help=cli_messages.LAYOUT_HELP)
    parser.add_argument("--label-column", default="", metavar="NAME", help=cli_messages.LABEL_COLUMN_HELP)


def chosen_reading(options: argparse.Namespace) -> ChooseReading:
    """What the options of `add_layout_options` say."""
    return ChooseReading(reading=LAYOUTS[options.layout] if options.layout else "", column=options.label_column)


def read_photos(
    source: Path, settings: Settings, scratch: Path, *, choice: ChooseReading | None = None
) -> DatasetManifest:
    """Checks a folder, or an archive. Archives are unpacked to `scratch`, also those in the folder.

    `choice` says what the classes are read from, where somebody has chosen that.

    Raises:
        UserError: it holds nothing that a model can be trained on.
    """
    if is_archive(source.name) and not source.is_dir():
        return ingest_archive(source, scratch, settings, choice=choice)
    if source.is_file():
        raise BadUpload(cli_messages.NEITHER_FOLDER_NOR_ARCHIVE.format(source=source))
    return ingest_folder(source, settings, choice=choice, unpack_to=scratch)


def print_manifest(manifest: DatasetManifest, console: Console) -> None:
    """The photos of each class, the first files that cannot be used, and what the check noticed."""
    table = Table("class", "photos")
    for label in manifest.classes:
        table.add_row(Text(label), f"{sum(image.label == label for image in manifest.images):,}")
    console.print(table)
    for refused in manifest.refused[:_MOST_REFUSED]:
        text = cli_messages.FILE_NOT_USED.format(name=refused.name, reason=refused.reason)
        console.print(text, style="yellow", markup=False)
    if len(manifest.refused) > _MOST_REFUSED:
        console.print(cli_messages.MORE_NOT_USED.format(n=len(manifest.refused) - _MOST_REFUSED), style="yellow")
    for note in manifest.notes:
        console.print(note, markup=False)

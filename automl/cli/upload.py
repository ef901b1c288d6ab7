"""`automl upload`: sends photos to a running Darkroom and has them checked there."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from automl.archives.suffixes import without_suffix
from automl.cli.commands import Subparsers
from automl.client.remote import JsonObject, Remote
from automl.client.upload_form import LocalFile, local_files
from automl.errors import BadDataset, BadSetting, BadUpload
from automl.settings import Settings
from automl.text.messages import command_line as cli_messages


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("upload", help=cli_messages.UPLOAD_HELP)
    parser.add_argument("sources", type=Path, nargs="+", metavar="FOLDER_OR_ARCHIVE", help=cli_messages.SOURCES_HELP)
    parser.add_argument("--to", metavar="ADDRESS", help=cli_messages.TO_HELP)
    parser.add_argument("--name", default="", help=cli_messages.NAME_HELP)
    parser.add_argument("--label", default="", metavar="CLASS", help=cli_messages.LABEL_HELP)
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """After a failure the same command goes on where it stopped. Exit code 130: it was interrupted."""
    files, unreadable = local_files(options.sources)
    for refused in unreadable:
        _warn(cli_messages.FILE_NOT_SENT.format(name=refused.name, reason=refused.reason), console)
    address = options.to or f"http://127.0.0.1:{settings.port}"
    remote = Remote(address, lambda note: _warn(note, console), settings.token)
    try:
        _make_dataset(remote, options)
        record = _send(remote, files, label=options.label, console=console)
    except (BadUpload, KeyboardInterrupt) as error:
        if remote.dataset_id:
            console.print(cli_messages.HOW_TO_GO_ON.format(page=remote.page), markup=False)
        if isinstance(error, KeyboardInterrupt):
            return 130
        raise
    sys.stdout.write(f"{remote.page}\n")
    if record["state"] != "ready":
        raise BadDataset(record["message"] or cli_messages.CHANGED_MEANWHILE)
    console.print(record["summary"]["verdict"], style="bold", markup=False)
    return 0


def _make_dataset(remote: Remote, options: argparse.Namespace) -> None:
    """A new data set, unless the address is that of one."""
    if not remote.dataset_id:
        remote.create(options.name or _name_of(options.sources))
    elif options.name:
        raise BadSetting(cli_messages.HAS_A_NAME)


def _name_of(sources: Sequence[Path]) -> str:
    """The name that the web page would give to an upload of these."""
    if len(sources) > 1:
        return "Photos"
    return sources[0].resolve().name if sources[0].is_dir() else without_suffix(sources[0].name)


def _send(remote: Remote, files: Sequence[LocalFile], *, label: str, console: Console) -> JsonObject:
    """The record of the data set once it has been checked."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        n_bytes = sum(file.n_bytes for file in files)
        task = progress.add_task(cli_messages.LOOKING_FOR_FILES, total=n_bytes)
        missing = remote.missing(files, label)
        n_there = n_bytes - sum(file.n_bytes for file in missing)
        sending = cli_messages.SENDING_FILES.format(n_missing=len(missing), n=len(files))
        progress.update(task, description=sending, completed=n_there)
        for refused in remote.send(missing, lambda n_sent: progress.advance(task, n_sent), label):
            _warn(cli_messages.FILE_NOT_TAKEN.format(refused=refused), console)
        try:
            return remote.check(lambda message: progress.update(task, description=message))
        except KeyboardInterrupt:
            remote.cancel_check()
            _warn(cli_messages.CHECK_CANCELLED, console)
            raise


def _warn(text: str, console: Console) -> None:
    console.print(text, style="yellow", markup=False)

"""`automl verify`: reads everything that is kept, and mends what a disk has lost or changed."""

import argparse
from collections.abc import Iterator

from rich.console import Console

from automl.cli.commands import Subparsers
from automl.settings import Settings
from automl.store.verifying import VerifiedFile
from automl.text.messages import command_line as cli_messages
from automl.text.messages import store as store_messages


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    return commands.add_parser("verify", help=cli_messages.VERIFY_HELP)


def run(_options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Exit code 1: something is lost, and somebody has to do something about it."""
    n_files = n_repaired = n_lost = 0
    for file in _all_files(settings):
        n_files += 1
        n_lost += file.is_lost
        n_repaired += bool(file.state) and not file.is_lost
        if file.state:
            words = cli_messages.FILE_AND_STATE.format(file=file.name, state=file.state)
            console.print(words, style="red" if file.is_lost else "yellow", markup=False)
    console.print(cli_messages.VERIFIED.format(n_files=n_files, n_repaired=n_repaired, n_lost=n_lost), markup=False)
    return 1 if n_lost else 0


def _all_files(settings: Settings) -> Iterator[VerifiedFile]:
    from automl.models.weights.cache import drop_damaged, installed
    from automl.store.artifacts import ArtifactStore
    from automl.store.backups import migrate
    from automl.store.database import Database
    from automl.store.verifying import verify_caches, verify_store

    migrate(settings)
    database = Database(settings.database_url)
    try:
        yield from verify_store(database, ArtifactStore(settings.files_dir), max_image_bytes=settings.max_image_bytes)
    finally:
        database.close()
    yield from verify_caches({settings.features_dir: "*.npy", settings.composed_dir: "*/*.zip"})
    damaged = drop_damaged(settings.weights_dir)
    for name in damaged:
        yield VerifiedFile(name=name, state=store_messages.WEIGHTS_AGAIN.format(name=name), is_lost=True)
    yield from (VerifiedFile(name=name) for name in installed(settings.weights_dir))

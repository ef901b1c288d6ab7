"""`automl train`: trains a classifier within the budget and writes its bundle."""

import argparse
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from automl.cli.commands import Subparsers
from automl.cli.photos import add_layout_options, chosen_reading, print_manifest, read_photos, scratch_folder
from automl.cli.run_options import add_run_options, read_run_settings
from automl.records import DatasetManifest, RunSettings
from automl.search.budget import Budget
from automl.settings import Settings
from automl.text.messages import command_line as cli_messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One run of the command line.

    Attributes:
        run_settings: what was asked for.
        budget: runs since the command was given.
        settings: those of this installation.
        out: where the bundle goes.
        workspace: a folder for the files of the run, which is made.
    """

    run_settings: RunSettings
    budget: Budget
    settings: Settings
    out: Path
    workspace: Path

    def run(self, manifest: DatasetManifest, console: Console) -> int:
        """Trains on the photos of `manifest`. Returns the exit code."""
        from automl.cli.console import ConsoleObserver
        from automl.models.cards import lock_card, visible_cards
        from automl.models.weights.cache import sound
        from automl.pipeline.run import Job, train

        lock_card(self.settings.locks_dir, visible_cards())
        self.workspace.mkdir(parents=True)
        _stop_on_interrupt(self.budget, console)
        job = Job(
            manifest=manifest,
            settings=self.run_settings,
            weights=sound(self.settings.weights_dir),
            cache=self.settings.features_dir,
            workspace=self.workspace,
        )
        with ConsoleObserver(console, self.out) as observer:
            result = train(job, self.budget, observer)
        shutil.copyfile(result.bundle, self.out)
        console.print(result.report.sentence, style="bold", markup=False)
        sys.stdout.write(f"{self.out}\n")
        return 0


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("train", help=cli_messages.TRAIN_HELP)
    parser.add_argument("folder", type=Path, help=cli_messages.FOLDER_HELP)
    add_layout_options(parser)
    add_run_options(parser)
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    run_settings = read_run_settings(options, settings)
    budget = Budget(run_settings.budget_s)
    with scratch_folder(settings) as scratch:
        workspace = Path(scratch) / "work"
        training = Training(
            run_settings=run_settings, budget=budget, settings=settings, out=options.out, workspace=workspace
        )
        manifest = read_photos(options.folder, settings, Path(scratch) / "images", choice=chosen_reading(options))
        print_manifest(manifest, console)
        return training.run(manifest, console)


def _stop_on_interrupt(budget: Budget, console: Console) -> None:
    """The first Ctrl-C stops the search and keeps the best model; the second one ends the program."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        budget.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        console.print(cli_messages.STOPPING, markup=False)

    signal.signal(signal.SIGINT, stop)

"""`automl demo`: the same as `automl train`, on handwritten digits that come with a dependency."""

import argparse
from pathlib import Path

from rich.console import Console

from automl.cli.commands import Subparsers
from automl.cli.photos import print_manifest, read_photos, scratch_folder
from automl.cli.run_options import add_run_options, read_run_settings
from automl.cli.train import Training
from automl.images.sample_images import write_sample_images
from automl.search.budget import Budget
from automl.settings import Settings
from automl.text.messages import command_line as cli_messages


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("demo", help=cli_messages.DEMO_HELP)
    add_run_options(parser, default_budget="1m")
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    run_settings = read_run_settings(options, settings)
    with scratch_folder(settings) as scratch:
        folder, workspace = Path(scratch) / "digits", Path(scratch) / "work"
        budget = Budget(run_settings.budget_s)
        training = Training(
            run_settings=run_settings, budget=budget, settings=settings, out=options.out, workspace=workspace
        )
        write_sample_images(folder)
        manifest = read_photos(folder, settings, Path(scratch) / "images")
        print_manifest(manifest, console)
        return training.run(manifest, console)

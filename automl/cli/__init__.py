"""`automl`: the whole of Darkroom without a web page."""

import argparse
import csv
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from automl.archives.suffixes import is_archive, without_suffix
from automl.client.remote import Remote
from automl.client.upload_form import LocalFile, local_files
from automl.errors import BadDataset, BadSetting, BadUpload, DarkroomError, UserError
from automl.formats import FORMATS
from automl.images.pixels import SCRATCH_PREFIX
from automl.images.sample_images import write_sample_images
from automl.ingest.local import ingest_archive, ingest_folder
from automl.limits import LR_SCHEDULES, SAMPLERS, check_limits, parse_head_layers
from automl.logs import configure_logging
from automl.native_output import own_terminal
from automl.options import RUN_OPTIONS
from automl.records import DatasetManifest, Goal, PrunerKind, RunSettings, Sampler, TunerKind
from automl.search.budget import Budget
from automl.serving.answer_table import answered_row, header, refused_row, sure_in_words
from automl.serving.predict import Classifier, in_words
from automl.settings import Settings, load_settings
from automl.text.durations import parse_duration
from automl.text.names import counted
from automl.text.upload_names import is_junk


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: the run failed; 2: something to mend in what was asked; 130: an upload was interrupted."""
    options = _parser().parse_args(arguments)
    with own_terminal() as console:
        try:
            settings = load_settings()
            configure_logging(settings, least="warning")
            return int(options.command(options, settings, console))
        except DarkroomError as error:
            console.print(error.message, style="red", markup=False)
            return 2 if isinstance(error, UserError) else 1


def check(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """What is in a folder, and what of it cannot be used."""
    with tempfile.TemporaryDirectory() as scratch:
        manifest = _ingest(options.folder, settings, Path(scratch))
    _print_manifest(manifest, console)
    return 0


def train(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Trains within the budget and writes the bundle."""
    run_settings = _run_settings(options, settings)
    with _scratch(settings) as scratch:
        manifest = _ingest(options.folder, settings, Path(scratch) / "images")
        _print_manifest(manifest, console)
        return _train(manifest, run_settings, options.out, settings, console, Path(scratch) / "work")


def demo(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """The same on handwritten digits that come with a dependency."""
    run_settings = _run_settings(options, settings)
    with _scratch(settings) as scratch:
        folder = Path(scratch) / "digits"
        write_sample_images(folder)
        manifest = ingest_folder(folder, settings)
        _print_manifest(manifest, console)
        return _train(manifest, run_settings, options.out, settings, console, Path(scratch) / "work")


def _scratch(settings: Settings) -> tempfile.TemporaryDirectory[str]:
    """Beside the features: what is stored for fine-tuning takes gigabytes, and /tmp is memory on many machines."""
    settings.features_dir.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=settings.features_dir)


def predict(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Says what a delivered model sees in pictures."""
    from automl.delivery.bundle import read_bundle_report, unpack_bundle
    from automl.records.report import RunReport

    with tempfile.TemporaryDirectory() as scratch:
        (model,) = unpack_bundle(options.model, Path(scratch), ["model.onnx"])
        report = read_bundle_report(options.model)
        calibration = report.calibration if isinstance(report, RunReport) else None
        classifier, threshold = Classifier(model), calibration.threshold if calibration else None
        images = [path for given in options.images for path in _photos_in(given)]
        if options.csv is not None:
            return _predict_to_csv(classifier, threshold, images, options.csv, settings, console)
        return max((_predict_one(classifier, threshold, path, settings, console) for path in images), default=0)


def _photos_in(given: Path) -> list[Path]:
    """The files of a folder, all the way down; a file is itself."""
    if not given.is_dir():
        return [given]
    return sorted(
        path for path in given.rglob("*") if path.is_file() and not is_junk(path.relative_to(given).as_posix())
    )


def _predict_to_csv(
    classifier: Classifier,
    threshold: float | None,
    images: Sequence[Path],
    target: Path,
    settings: Settings,
    console: Console,
) -> int:
    """One row a photo: the answer, how sure it is, and every probability; what is no photo has an error instead."""
    from automl.images.verify import verify_image

    n_failed = 0
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header(classifier.labels))
        for path in images:
            try:
                verify_image(path, settings.max_image_pixels)
                probabilities = classifier.predict(path)
            except (UserError, OSError) as error:
                n_failed += 1
                writer.writerow(refused_row(str(path), classifier.labels, str(error)))
                continue
            writer.writerow(answered_row(str(path), classifier.labels, probabilities, threshold=threshold))
    console.print(f"{counted(len(images) - n_failed, 'photo')} answered, {n_failed:,} could not be read.", markup=False)
    sys.stdout.write(f"{target}\n")
    return 2 if n_failed else 0


def _predict_one(
    classifier: Classifier, threshold: float | None, path: Path, settings: Settings, console: Console
) -> int:
    from automl.images.verify import verify_image

    try:
        verify_image(path, settings.max_image_pixels)
        probabilities = classifier.predict(path)
    except (UserError, OSError) as error:
        console.print(f"{path}: {error}", style="red", markup=False)
        return 2
    is_unsure = sure_in_words(float(probabilities.max()), threshold) == "no"
    doubt = "not sure, perhaps " if is_unsure else ""
    sys.stdout.write(f"{path}: {doubt}{in_words(classifier.labels, probabilities)}\n")
    return 0


def upload(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Sends photos to a running Darkroom and has them checked. To go on after a failure, run it again."""
    files, unreadable = local_files(options.sources)
    for refused in unreadable:
        console.print(f"Not sent: {refused.name}: {refused.reason}", style="yellow", markup=False)
    address = options.to or f"http://127.0.0.1:{settings.port}"
    remote = Remote(address, lambda note: console.print(note, style="yellow", markup=False))
    try:
        if not remote.dataset_id:
            remote.create(options.name or _name_of(options.sources))
        elif options.name:
            raise BadSetting("This data set has a name already. Leave --name out.")
        record = _send(remote, files, options.label, console)
    except (BadUpload, KeyboardInterrupt) as error:
        if remote.dataset_id:
            console.print(f"To continue, run it again with: --to {remote.page}", markup=False)
        if isinstance(error, KeyboardInterrupt):
            return 130
        raise
    sys.stdout.write(f"{remote.page}\n")
    if record["state"] != "ready":
        raise BadDataset(record["message"] or "These photos are not ready: someone is changing them at the same time.")
    console.print(record["summary"]["verdict"], style="bold", markup=False)
    return 0


def _name_of(sources: Sequence[Path]) -> str:
    """As the web page names an upload."""
    if len(sources) > 1:
        return "Photos"
    return sources[0].resolve().name if sources[0].is_dir() else without_suffix(sources[0].name)


def _send(remote: Remote, files: Sequence[LocalFile], label: str, console: Console) -> dict[str, Any]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Checking what has already arrived", total=sum(file.n_bytes for file in files))
        missing = remote.missing(files, label)
        n_there = sum(file.n_bytes for file in files) - sum(file.n_bytes for file in missing)
        progress.update(task, description=f"Sending {len(missing):,} of {len(files):,} files", completed=n_there)
        for refused in remote.send(missing, lambda n_bytes: progress.advance(task, n_bytes), label):
            console.print(f"Not taken: {refused}", style="yellow", markup=False)
        return remote.check(lambda message: progress.update(task, description=message))


def export(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Writes a delivered model in other formats, and proves each. Exit code 1: one of them is not the same model."""
    from automl.delivery.conversion import convert

    table = Table("format", "MB", "right on test photos", "largest difference", "ms a photo", "the same model")
    is_true = True
    with _scratch(settings) as scratch:
        manifest = _ingest(options.photos, settings, Path(scratch) / "images")

        def say(text: str) -> None:
            console.print(text, markup=False)

        for one in convert(options.model, manifest, names=options.formats, target=options.out, say=say):
            proof = one.proof
            is_true &= proof.is_true
            figures = (proof.accuracy, proof.largest_difference, proof.latency_s and proof.latency_s * 1000)
            shown = [
                f"{value:{form}}" if value is not None else "-"
                for value, form in zip(figures, (".1%", ".4f", ".1f"), strict=True)
            ]
            table.add_row(proof.format, f"{proof.n_bytes / 1e6:.1f}", *shown, "yes" if proof.is_true else "NO")
            if not proof.is_true:
                console.print(f"{proof.format}: {proof.words}", style="red", markup=False)
    Console().print(table)
    sys.stdout.write(f"{options.out}\n")
    return 0 if is_true else 1


def weights(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Fetches the pretrained weights, or lists what is installed."""
    from automl.backbone_table import BACKBONES
    from automl.models.weights.cache import installed, missing
    from automl.models.weights.fetch import fetch

    if options.action == "fetch":
        fetch(
            options.backbones or list(BACKBONES), settings.weights_dir, lambda line: console.print(line, markup=False)
        )
    table = Table("backbone", "from", "licence", "note")
    for name, row in installed(settings.weights_dir).items():
        table.add_row(name, row.origin, row.licence, row.note)
    for name, reason in missing(settings.weights_dir).items():
        table.add_row(name, "not installed", "", reason)
    Console().print(table)
    return 0


def _ingest(source: Path, settings: Settings, scratch: Path) -> DatasetManifest:
    if is_archive(source.name) and not source.is_dir():
        return ingest_archive(source, scratch, settings)
    if source.is_file():
        raise BadUpload(f"{source} is neither a folder nor a .zip, .tar or .tar.gz of one.")
    return ingest_folder(source, settings)


def _run_settings(options: argparse.Namespace, settings: Settings) -> RunSettings:
    """What was asked for, checked before the first photo is read, as is the place for the model."""
    run_settings = RunSettings(
        budget_s=None if options.budget.strip().lower() == "none" else parse_duration(options.budget),
        goal=Goal(options.goal) if options.goal else None,
        max_model_mb=options.max_model_mb,
        max_latency_ms=options.max_latency_ms,
        tuner=TunerKind(options.tuner),
        sampler=Sampler(options.sampler) if options.sampler else None,
        pruner=PrunerKind(options.pruner),
        seed=options.seed,
        max_trials=options.max_trials,
        backbones=tuple(options.backbones or ()),
        max_image_size_px=options.max_image_size,
        early_stopping=options.early_stopping,
        lr_scheduler=options.lr_scheduler,
        epochs=options.epochs,
        head_layers=parse_head_layers(options.head_layers),
        fine_tuning=options.fine_tuning,
    )
    check_limits(run_settings, settings.max_budget_s, may_be_timeless=True)
    _make_room_for(options.out)
    return run_settings


def _make_room_for(out: Path) -> None:
    """Makes the folder of `out`. Raises BadSetting where no file can be written there."""
    try:
        if out.is_dir():
            raise BadSetting(f"--out {out} is a folder. Name a file in it, such as {out / 'model.zip'}.")
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise BadSetting(f"--out {out} cannot be written: {error.strerror}. Choose another place.") from error
    if out.exists() and not os.access(out, os.W_OK):
        raise BadSetting(f"--out {out} already exists and may not be overwritten. Choose another name.")


def _print_manifest(manifest: DatasetManifest, console: Console) -> None:
    counts = {label: sum(image.label == label for image in manifest.images) for label in manifest.classes}
    table = Table("class", "photos")
    for label, count in counts.items():
        table.add_row(label, f"{count:,}")
    console.print(table)
    for refused in manifest.refused[:20]:
        console.print(f"Not used: {refused.name}: {refused.reason}", style="yellow", markup=False)
    if len(manifest.refused) > 20:
        console.print(f"... and {len(manifest.refused) - 20:,} more files that are not used.", style="yellow")
    for note in manifest.notes:
        console.print(note, markup=False)


def _train(
    manifest: DatasetManifest,
    run_settings: RunSettings,
    out: Path,
    settings: Settings,
    console: Console,
    workspace: Path,
) -> int:
    from automl.cli.console import ConsoleObserver
    from automl.models.weights.cache import installed
    from automl.pipeline.run import Job
    from automl.pipeline.run import train as run_pipeline

    workspace.mkdir(parents=True)
    budget = Budget(run_settings.budget_s)
    _stop_on_interrupt(budget, console)
    job = Job(
        manifest=manifest,
        settings=run_settings,
        weights=installed(settings.weights_dir),
        cache=settings.features_dir,
        workspace=workspace,
    )
    with ConsoleObserver(console, out) as observer:
        result = run_pipeline(job, budget, observer)
    shutil.copyfile(result.bundle, out)
    console.print(result.report.sentence, style="bold", markup=False)
    sys.stdout.write(f"{out}\n")
    return 0


def _stop_on_interrupt(budget: Budget, console: Console) -> None:
    """The first Ctrl-C stops the search and keeps the best model; the second one ends the program."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        budget.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        console.print("Stopping; the best model so far is kept. Press Ctrl-C again to give up.", markup=False)

    signal.signal(signal.SIGINT, stop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="automl", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("check", help="say what is in a folder or an archive of photos")
    command.add_argument("folder", type=Path)
    command.set_defaults(command=check)

    command = commands.add_parser("train", help="train a classifier from a folder or an archive of photos")
    command.add_argument("folder", type=Path, help="one folder a class, with or without train/validation/test above")
    _add_run_options(command)
    command.set_defaults(command=train)

    command = commands.add_parser("predict", help="say what a trained model sees in photos")
    command.add_argument("model", type=Path, metavar="MODEL.zip")
    command.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="photos, or folders of them")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write all answers to a table")
    command.set_defaults(command=predict)

    command = commands.add_parser("export", help="write a trained model for phones and other runtimes, and test it")
    command.add_argument("model", type=Path, metavar="MODEL.zip", help="a finished download")
    command.add_argument("--photos", type=Path, required=True, help="the folder or archive that it was trained with")
    command.add_argument(
        "--formats",
        nargs="+",
        choices=[one.name for one in FORMATS],
        default=[one.name for one in FORMATS],
        metavar="FORMAT",
        help=f"of {', '.join(one.name for one in FORMATS)}; default: all",
    )
    command.add_argument("--out", type=Path, default=Path("formats"), help="folder for the files; default %(default)s")
    command.set_defaults(command=export)

    command = commands.add_parser("upload", help="send photos to a running Darkroom and have them checked")
    command.add_argument("sources", type=Path, nargs="+", metavar="FOLDER_OR_ARCHIVE", help="or photos, with --label")
    command.add_argument(
        "--to", metavar="ADDRESS", help="of the server, or of a data set's page to add to it; default: this machine"
    )
    command.add_argument("--name", default="", help="of the new data set; default: the folder's")
    command.add_argument("--label", default="", metavar="CLASS", help="the class of all photos; default: their folders")
    command.set_defaults(command=upload)

    command = commands.add_parser("weights", help="fetch or list the pretrained weights")
    command.add_argument("action", choices=("fetch", "list"))
    command.add_argument("backbones", nargs="*", metavar="BACKBONE", help="default: all")
    command.set_defaults(command=weights)

    command = commands.add_parser("demo", help="train on handwritten digits, to see how it goes")
    _add_run_options(command, budget="1m")
    command.set_defaults(command=demo)
    return parser


def _add_run_options(command: argparse.ArgumentParser, budget: str = "2m") -> None:
    """The options of `RUN_OPTIONS`, the simple ones first."""
    default = RunSettings()

    def add(
        to: argparse.ArgumentParser | argparse._ArgumentGroup, name: str, default_is: str = "%(default)s", **how: Any
    ) -> None:
        option = RUN_OPTIONS[name]
        to.add_argument(option.flag, help=f"{option.sentences} Default: {default_is}.", **how)

    times = "%(default)s. Also 90s, 1.5h or minutes; none, with --max-trials, makes a run repeatable"
    add(command, "budget", times, default=budget, metavar="TIME")
    command.add_argument(
        "--out", type=Path, default=Path("model.zip"), help="where the model goes; default %(default)s"
    )
    add(command, "goal", "the one that fits the photos", choices=[*Goal])
    add(command, "max_trials", "no limit", type=int, metavar="N")
    advanced = command.add_argument_group("advanced")
    add(advanced, "max_model_mb", "no limit", type=float, metavar="MB")
    add(advanced, "max_latency_ms", "no limit", type=float, metavar="MS")
    add(advanced, "fine_tuning", "on", action=argparse.BooleanOptionalAction, default=default.fine_tuning)
    add(advanced, "backbones", "all that are installed", nargs="+", metavar="BACKBONE")
    add(advanced, "max_image_size_px", type=int, default=default.max_image_size_px, metavar="PX")
    add(advanced, "tuner", choices=[*TunerKind], default=default.tuner)
    add(advanced, "sampler", _samplers_in_words(), choices=[*Sampler])
    add(advanced, "pruner", choices=[*PrunerKind], default=default.pruner)
    add(advanced, "early_stopping", "on", action=argparse.BooleanOptionalAction, default=default.early_stopping)
    add(advanced, "lr_scheduler", "all of them are tried", choices=LR_SCHEDULES)
    add(advanced, "epochs", "depends on the stage", type=int, metavar="N")
    add(advanced, "head_layers", "the search chooses", default="", metavar="UNITS")
    add(advanced, "seed", type=int, default=default.seed)


def _samplers_in_words() -> str:
    return "; ".join(f"{samplers[0]} for {tuner} ({', '.join(samplers)})" for tuner, samplers in SAMPLERS.items())


if __name__ == "__main__":
    sys.exit(main())

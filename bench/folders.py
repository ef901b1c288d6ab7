"""What Darkroom makes of folders, tables and archives as people have them: each case as expected and as read.

    python -m bench.folders [--cases FOLDER] [--only WORD ...] [--doctor]

`--cases` names a folder with one folder or archive inside of it for each of more cases, whose readings are printed
without a verdict. `--doctor` also times the doctor on 20,000 photos, once they are decoded.
"""

import argparse
import importlib
import pkgutil
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from automl.archives.suffixes import is_archive
from automl.datasets.edits import ChooseReading
from automl.errors import UserError
from automl.ingest.local import ingest_archive, ingest_folder
from automl.labelling.places import LAYOUTS, Reading
from automl.records import DatasetManifest, Split
from automl.settings import Settings, load_settings
from bench import folder_cases
from bench.folder_cases.case import FolderCase
from bench.harness import report

_OFFERED_LAYOUT, _OFFERED_COLUMN = re.compile(r"--layout ([a-z]+)"), re.compile(r"--label-column (\S+)\. ")


class Verdict(StrEnum):
    """How well a case was read."""

    RIGHT = "right"
    """As expected."""

    ASKED = "asked"
    """Otherwise than expected, but the expected reading is offered beside it, and nobody could have been sure."""

    WRONG = "wrong"
    """Neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was made of a folder.

    Attributes:
        classes: The number of photos in use of each class; empty where the folder was refused.
        tested: The number of photos in use that are in the test part by the folders or tables themselves.
        message: Why the folder was refused; empty where it was not.
        notes: What was said about the reading.
    """

    classes: Mapping[str, int] = field(default_factory=dict)
    tested: int = 0
    message: str = ""
    notes: tuple[str, ...] = ()

    @property
    def offered(self) -> tuple[ChooseReading, ...]:
        """The other readings that the notes or the message name."""
        said = " ".join([self.message, *self.notes])
        return (
            *(ChooseReading(reading=LAYOUTS[word]) for word in _OFFERED_LAYOUT.findall(said)),
            *(ChooseReading(reading=Reading.TABLE, column=name) for name in _OFFERED_COLUMN.findall(said)),
        )


def all_cases() -> list[FolderCase]:
    """The cases of all modules of `bench.folder_cases`."""
    names = sorted(module.name for module in pkgutil.iter_modules(folder_cases.__path__))
    modules = [importlib.import_module(f"{folder_cases.__name__}.{name}") for name in names]
    return [case for module in modules for case in getattr(module, "CASES", ())]


def read(folder: Path, scratch: Path, choice: ChooseReading | None = None) -> Read:
    """What `automl check` makes of a folder, or of the archive that is the only file in it."""
    settings = load_settings({"DARKROOM_HOME": str(scratch / "home")})
    try:
        return _read_manifest(_ingested(folder, scratch, settings, choice=choice))
    except UserError as error:
        return Read(message=error.message)


def verdict_of(case: FolderCase, folder: Path, scratch: Path) -> tuple[Verdict, Read]:
    """How a case was read, and how well."""
    got = read(folder, scratch)
    if _is_expected(case, got):
        return Verdict.RIGHT, got
    others = [read(folder, scratch / str(n), other) for n, other in enumerate(got.offered)] if case.may_ask else []
    return (Verdict.ASKED if any(_is_expected(case, other) for other in others) else Verdict.WRONG), got


def _is_expected(case: FolderCase, got: Read) -> bool:
    if case.refused:
        return not got.classes and all(words.lower() in got.message.lower() for words in case.refused)
    return got.classes == dict(case.classes) and got.tested == case.tested


def _ingested(folder: Path, scratch: Path, settings: Settings, *, choice: ChooseReading | None) -> DatasetManifest:
    files = list(folder.iterdir())
    if len(files) == 1 and files[0].is_file() and is_archive(files[0].name):
        return ingest_archive(files[0], scratch / "unpacked", settings, choice=choice)
    return ingest_folder(folder, settings, choice=choice)


def _read_manifest(manifest: DatasetManifest) -> Read:
    return Read(
        classes=dict(sorted(Counter(image.label for image in manifest.images).items())),
        tested=sum(image.split is Split.TEST for image in manifest.images),
        notes=manifest.notes,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, help="a folder of more cases")
    parser.add_argument("--only", nargs="*", default=[], help="words, of which the name of a case must have one")
    parser.add_argument("--doctor", action="store_true")
    options = parser.parse_args()
    judged = [
        _judged(case) for case in all_cases() if not options.only or any(one in case.name for one in options.only)
    ]
    report(
        "folders",
        counts={verdict.value: sum(case["verdict"] == verdict for case in judged) for verdict in Verdict},
        cases=judged,
        **({"more": _more(options.cases)} if options.cases else {}),
        **({"doctor": _doctor()} if options.doctor else {}),
        aims={"cases": 60, "wrong": 0, "doctor_s": 10},
    )


def _judged(case: FolderCase) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "case"
        folder.mkdir()
        case.make(folder)
        verdict, got = verdict_of(case, folder, Path(scratch) / "scratch")
    expected = {"refused": case.refused} if case.refused else {"classes": dict(case.classes), "tested": case.tested}
    return {"name": case.name, "verdict": verdict, "expected": expected, "got": asdict(got)}


def _more(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for case in sorted(folder.iterdir()):
        with tempfile.TemporaryDirectory() as scratch:
            found[case.name] = asdict(read(case, Path(scratch)))
    return found


def _doctor() -> Mapping[str, Any] | Sequence[Any]:
    from bench.doctor import seconds_and_memory

    return seconds_and_memory(20_000)


if __name__ == "__main__":
    main()

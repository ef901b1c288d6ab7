"""The .zip that a person downloads."""

import json
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from automl.atomic_files import no_half_files
from automl.delivery.exporter import ExportedModels
from automl.errors import BadBundle, NotFound
from automl.file_faults import fault_in_words
from automl.formats import ONNX_RUNTIME
from automl.records.report import CandidateReport, read_report
from automl.serving import predict
from automl.serving.sound_zip import sound_zip
from automl.text.messages import delivery as delivery_messages
from automl.text.messages import files as file_messages

REPORT_NAME = "metrics.json"
_STORED = {".keras", ".png"}  # compressed already

AnyReport = TypeVar("AnyReport", bound=CandidateReport)


def write_bundle(
    target: Path,
    models: ExportedModels,
    report: AnyReport,
    *,
    plots: Sequence[Path] = (),
    tables: Mapping[str, str] = MappingProxyType({}),
    complete: Callable[[AnyReport], AnyReport] = lambda report: report,
    write_documents: Callable[[AnyReport], Sequence[Path]] = lambda _report: (),
) -> AnyReport:
    """Packs one model with everything that belongs to it, and returns what its `metrics.json` says.

    Args:
        target: The .zip.
        models: The model's files.
        report: What is known before the packing begins; `README.txt` and `labels.txt` go by it.
        plots: Files for the folder of plots.
        tables: Further text files, by their names.
        complete: Called when all else is packed, to add what is only known then, such as how long it took.
        write_documents: Writes files that say what the completed report says, and returns them.

    Raises:
        DiskFull: There is no room; nothing half-written is left.
    """
    with no_half_files([target]) as (part,), zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
        _write_text(bundle, "README.txt", _readme(report.sentence, models))
        _write_text(bundle, "labels.txt", "".join(f"{label}\n" for label in report.classes))
        if models.contract:
            _write_text(bundle, predict.CONTRACT, models.contract)
        _write_text(bundle, "requirements.txt", _lines(delivery_messages.REQUIREMENTS_COMMENT, *ONNX_RUNTIME.packages))
        bundle.write(predict.__file__, "predict.py")
        for name, text in tables.items():
            _write_text(bundle, name, text)
        both = [(models.keras, "model.keras"), (models.onnx, "model.onnx")]
        files = [(path, name) for path, name in both if path is not None]
        for path, name in files + [(plot, f"plots/{plot.name}") for plot in plots]:
            bundle.write(path, name, zipfile.ZIP_STORED if path.suffix in _STORED else None)
        completed = complete(report)
        for path in write_documents(completed):
            bundle.write(path, path.name)
        _write_text(bundle, REPORT_NAME, completed.json_text())
    return completed


def _write_text(bundle: zipfile.ZipFile, name: str, text: str) -> None:
    member = zipfile.ZipInfo(name, time.localtime()[:6])
    member.external_attr = 0o644 << 16  # readable for everybody, as the other files
    member.compress_type = zipfile.ZIP_DEFLATED
    bundle.writestr(member, text)


def unpack_bundle(bundle: Path, folder: Path, names: Sequence[str]) -> list[Path]:
    """Copies the named members out of a download.

    Raises:
        NotFound: There is no such file.
        BadBundle: It is none of ours, or one of the members was not chosen when it was made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with _readable(bundle) as archive:
        for name in names:
            if name not in archive.namelist() and REPORT_NAME in archive.namelist():
                raise BadBundle(delivery_messages.MADE_WITHOUT.format(bundle=bundle, name=name))
            path = folder / Path(name).name
            with archive.open(name) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
            paths.append(path)
    return paths


def read_bundle_report(bundle: Path) -> CandidateReport:
    """What the `metrics.json` of a download says, whichever version of Darkroom wrote it.

    Raises:
        NotFound: There is no such file.
        BadBundle: It is none of ours, or of a version that is newer than this one.
    """
    with _readable(bundle) as archive:
        return read_report(json.loads(archive.read(REPORT_NAME)))


def read_sure(bundle: Path) -> float | None:
    """The confidence from which on its answers count as sure, as its `serving.json` says; None where it says none.

    Raises:
        NotFound: There is no such file.
        BadBundle: It is none of ours.
    """
    with _readable(bundle) as archive:
        return predict.sure_in(archive.read(predict.CONTRACT)) if predict.CONTRACT in archive.namelist() else None


@contextmanager
def _readable(bundle: Path) -> Iterator[zipfile.ZipFile]:
    """An opened download. Whatever is wrong with its bytes means that Darkroom did not make it."""
    if "\0" in str(bundle):
        raise NotFound(file_messages.ABOUT.format(name=bundle, fault=file_messages.IMPOSSIBLE_NAME))
    try:
        with sound_zip(bundle) as archive:
            yield archive
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(delivery_messages.MODEL_NOT_FOUND.format(bundle=bundle)) from None
    except IsADirectoryError:
        raise BadBundle(delivery_messages.MODEL_IS_A_FOLDER.format(bundle=bundle)) from None
    except OSError as error:
        fault = fault_in_words(error)
        raise BadBundle(file_messages.ABOUT.format(name=bundle, fault=fault)) from error
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BadBundle(delivery_messages.NO_MODEL.format(bundle=bundle, error=error)) from error


def _readme(sentence: str, models: ExportedModels) -> str:
    beginning = delivery_messages.README_BEGINNING.format(sentence=sentence, commands=ONNX_RUNTIME.commands_in_words())
    if models.keras is None:
        return _lines(beginning, delivery_messages.README_FILES, "", delivery_messages.README_NO_KERAS)
    return _lines(beginning, delivery_messages.README_KERAS, delivery_messages.README_FILES)


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)

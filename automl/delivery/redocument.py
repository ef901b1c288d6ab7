"""A finished download with its documents written anew, once its formats are made and proven."""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from automl.atomic_files import no_half_files
from automl.delivery.bundle import REPORT_NAME
from automl.delivery.report.model_card import write_model_card
from automl.delivery.report.page import write_report
from automl.records.report import FormatReport, read_run_report

_PLOTS = "plots/"


def redocument(
    bundle: Path, target: Path, *, exports: Sequence[FormatReport], titles: Sequence[tuple[str, str]]
) -> None:
    """Copies a bundle to `target` with `exports` in its `metrics.json`, its report and its model card.

    Every other member stays as it is, byte for byte.

    Args:
        bundle: A finished download, also of an older version.
        target: The new download.
        exports: What came of each format.
        titles: File name and title of each plot, in the order of the report; a plot that is not in the bundle is
            passed over.

    Raises:
        DiskFull: There is no room; nothing half-written is left.
        KeyError, ValueError, BadZipFile: It is not a finished download.
    """
    with tempfile.TemporaryDirectory(prefix="documents-") as scratch, zipfile.ZipFile(bundle) as old:
        documents = _documents(old, scratch=Path(scratch), exports=exports, titles=titles)
        with no_half_files([target]) as (part,), zipfile.ZipFile(part, "w") as new:
            for member in old.infolist():
                _copy(old, member, new=new, instead=documents.pop(member.filename, None))
            for name, path in documents.items():
                new.write(path, name, zipfile.ZIP_DEFLATED)


def _documents(
    old: zipfile.ZipFile, *, scratch: Path, exports: Sequence[FormatReport], titles: Sequence[tuple[str, str]]
) -> dict[str, Path]:
    """The members that change, by name."""
    from automl.evaluation.plots import Plot  # Matplotlib

    names = set(old.namelist())
    pictures = {name: _extract(old, name, scratch) for name in names if name.startswith(_PLOTS)}
    plots = [
        Plot(pictures[_PLOTS + file], title, pictures.get(_PLOTS + str(PurePosixPath(file).with_suffix(".svg"))))
        for file, title in titles
        if _PLOTS + file in names
    ]
    report = read_run_report(json.loads(old.read(REPORT_NAME))).with_exports(exports)
    found = {name: scratch / name for name in (REPORT_NAME, "report.html", "model_card.md")}
    found[REPORT_NAME].write_text(report.json_text(), encoding="utf-8")
    write_report(found["report.html"], report, plots)
    write_model_card(found["model_card.md"], report)
    return found


def _extract(archive: zipfile.ZipFile, name: str, scratch: Path) -> Path:
    path = scratch / PurePosixPath(name).name
    with archive.open(name) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    return path


def _copy(old: zipfile.ZipFile, member: zipfile.ZipInfo, *, new: zipfile.ZipFile, instead: Path | None) -> None:
    """Copies a member with its date, its rights and its compression. instead: the file that takes its place."""
    info = zipfile.ZipInfo(member.filename, member.date_time)
    info.compress_type, info.external_attr = member.compress_type, member.external_attr
    info.file_size = member.file_size if instead is None else instead.stat().st_size
    with old.open(member) if instead is None else instead.open("rb") as source, new.open(info, "w") as target:
        shutil.copyfileobj(source, target)

"""Documents that are written anew leave all else in a download as it was."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.delivery.redocument import redocument
from automl.records.report import FormatReport, read_run_report
from tests.automl.delivery.report.built_reports import finished
from tests.reports import FORMAT

LITERT = {"format": "litert_int8", "title": "LiteRT, int8", "is_true": False, "words": "Off by five points."}
EXPORTS = [FormatReport.model_validate({**FORMAT, **LITERT})]
TITLES = [("b.png", "The second plot"), ("a.png", "The first plot"), ("gone.png", "A plot of long ago")]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    report = finished(("ant", "bee 🐝"), np.full((2, 2), 9))
    Image.new("RGB", (4, 4), "red").save(tmp_path / "plot.png")
    svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", "read me")
        archive.writestr(zipfile.ZipInfo("model.keras", (2001, 2, 3, 4, 5, 6)), bytes(1000))
        for name, content in {"report.html": "old", "metrics.json": report.json_text(), "plots/b.svg": svg}.items():
            archive.writestr(name, content)
        for name in ("a.png", "b.png"):
            archive.write(tmp_path / "plot.png", f"plots/{name}")
    return path


def members(path: Path) -> dict[str, tuple[object, ...]]:
    with zipfile.ZipFile(path) as archive:
        return {
            info.filename: (info.date_time, info.compress_type, info.external_attr, archive.read(info))
            for info in archive.infolist()
        }


def test_only_the_documents_change(bundle: Path, tmp_path: Path) -> None:
    redocument(bundle, tmp_path / "new.zip", exports=EXPORTS, titles=TITLES)
    before, after = members(bundle), members(tmp_path / "new.zip")
    assert list(after) == [*before, "model_card.md"]
    assert {name for name in before if before[name] != after[name]} == {"report.html", "metrics.json"}
    old, new = (read_run_report(json.loads(documents["metrics.json"][-1])) for documents in (before, after))
    assert new == old.with_exports(EXPORTS)


def test_the_report_has_the_rows_and_the_plots_in_their_order(bundle: Path, tmp_path: Path) -> None:
    redocument(bundle, tmp_path / "new.zip", exports=EXPORTS, titles=TITLES)
    report = members(tmp_path / "new.zip")["report.html"][-1].decode()
    assert "Off by five points." in report
    assert report.index("The second plot") < report.index("The first plot")
    assert "A plot of long ago" not in report
    assert report.count("data:image/svg+xml") == 1  # where there is one, it prints more sharply
    assert "LiteRT, int8" in members(tmp_path / "new.zip")["model_card.md"][-1].decode()


def test_what_is_no_download_leaves_nothing_behind(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w"):
        pass
    with pytest.raises(KeyError):
        redocument(tmp_path / "model.zip", tmp_path / "new.zip", exports=EXPORTS, titles=TITLES)
    assert [path.name for path in tmp_path.iterdir()] == ["model.zip"]

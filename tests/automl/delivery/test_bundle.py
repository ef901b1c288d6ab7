"""The .zip has everything in it, or is not there at all."""

import errno
import json
import runpy
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from automl.delivery.bundle import read_bundle_report, unpack_bundle, write_bundle
from automl.delivery.exporter import ExportedModels
from automl.errors import BadBundle, DiskFull, NotFound
from automl.records import ServingContract
from automl.records.report import RunTimes
from tests.reports import made_report

REPORT = made_report(classes=["a b", "ü"])


@pytest.fixture
def models(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"keras")
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    return ExportedModels(tmp_path / "model.onnx", tmp_path / "model.keras", contract=ServingContract().json_text())


def test_every_part_is_in_the_bundle(tmp_path, models):
    plot = tmp_path / "confusion_matrix.png"
    plot.write_bytes(b"png")
    write_bundle(tmp_path / "out.zip", models, REPORT, plots=[plot])
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert set(bundle.namelist()) == {
            "README.txt", "labels.txt", "serving.json", "metrics.json", "requirements.txt", "predict.py", "model.keras",
            "model.onnx",
            "plots/confusion_matrix.png",
        }  # fmt: skip
        assert bundle.read("labels.txt").decode() == "a b\nü\n"
        assert ServingContract.model_validate_json(bundle.read("serving.json")) == ServingContract()
        assert json.loads(bundle.read("metrics.json")) == REPORT.to_json()
        assert REPORT.sentence in bundle.read("README.txt").decode()


def test_tables_are_in_the_bundle_under_their_names(tmp_path, models):
    write_bundle(tmp_path / "out.zip", models, REPORT, tables={"answers.csv": "photo\nä.jpg\n"})
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert bundle.read("answers.csv").decode() == "photo\nä.jpg\n"
        assert "answers.csv" in bundle.read("README.txt").decode()


def test_what_is_told_at_last_is_asked_for_when_all_else_is_packed(tmp_path, models):
    def complete(report):
        assert zipfile.is_zipfile(tmp_path / "out.zip") is False
        return report.ended(time=RunTimes(budget_s=None, used_s=2.5, first_model_s=1.5), notes=["It took long."])

    told = write_bundle(tmp_path / "out.zip", models, REPORT, complete=complete)
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert bundle.namelist()[-1] == "metrics.json"
        assert json.loads(bundle.read("metrics.json")) == told.to_json()
    assert (told.time.used_s, told.notes, told.score) == (2.5, ("It took long.",), REPORT.score)


def test_each_model_is_under_its_own_name(tmp_path, models):
    write_bundle(tmp_path / "out.zip", models, REPORT)
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert (bundle.read("model.onnx"), bundle.read("model.keras")) == (b"onnx", b"keras")
        assert "keras.models.load_model" in bundle.read("README.txt").decode()


def test_a_bundle_of_the_middle_of_a_search_has_one_model_and_says_so(tmp_path, models):
    write_bundle(tmp_path / "out.zip", replace(models, keras=None), REPORT)
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert "model.onnx" in bundle.namelist() and "model.keras" not in bundle.namelist()
        readme = bundle.read("README.txt").decode()
    assert "The finished download also has model.keras" in readme
    assert "load_model" not in readme


def test_predict_py_stands_alone(tmp_path, models):
    write_bundle(tmp_path / "out.zip", models, REPORT)
    (script,) = unpack_bundle(tmp_path / "out.zip", tmp_path / "elsewhere", ["predict.py"])
    assert "automl" not in script.read_text().replace("Darkroom", "")
    assert callable(runpy.run_path(str(script))["load_image"])


def test_a_full_disk_leaves_nothing_behind(tmp_path, models, monkeypatch):
    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", no_room)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(DiskFull, match="full"):
        write_bundle(folder / "out.zip", models, REPORT)
    assert list(folder.iterdir()) == []


def test_a_member_that_was_not_chosen_is_named(tmp_path, models):
    write_bundle(tmp_path / "out.zip", models, REPORT)
    with pytest.raises(BadBundle, match=r"was made without nothing\.onnx\. Tick it too"):
        unpack_bundle(tmp_path / "out.zip", tmp_path / "x", ["nothing.onnx"])


def test_another_archive_is_not_a_model(tmp_path):
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("holiday.txt", "sun")
    with pytest.raises(BadBundle, match="not a model that Darkroom made"):
        unpack_bundle(tmp_path / "out.zip", tmp_path / "x", ["model.onnx"])


def test_a_damaged_download_says_so(tmp_path):
    damaged = tmp_path / "out.zip"
    with zipfile.ZipFile(damaged, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metrics.json", "word " * 1000)
    content = bytearray(damaged.read_bytes())
    content[60:68] = b"\xff" * 8  # in the middle of the compressed bytes
    damaged.write_bytes(content)
    with pytest.raises(BadBundle, match="is not a model that Darkroom made"):
        unpack_bundle(damaged, tmp_path / "x", ["metrics.json"])


def test_the_report_of_a_download_is_read_again(tmp_path, models):
    write_bundle(tmp_path / "out.zip", models, REPORT)
    assert read_bundle_report(tmp_path / "out.zip") == REPORT


@pytest.mark.parametrize("content", ["no JSON", "{}", '{"schema": 999}', "[]"])
def test_a_download_whose_report_cannot_be_read_says_so(tmp_path, content):
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("metrics.json", content)
    with pytest.raises(BadBundle, match="is not a model that Darkroom made"):
        read_bundle_report(tmp_path / "out.zip")


def test_a_folder_and_a_path_through_a_file_are_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(BadBundle, match="is a folder"):
        read_bundle_report(tmp_path)
    with pytest.raises(NotFound, match="There is no file"):
        read_bundle_report(tmp_path / "photo.jpg" / "model.zip")

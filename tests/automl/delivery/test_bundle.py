"""The .zip has everything in it, or is not there at all."""

import errno
import json
import runpy
import zipfile
from dataclasses import replace

import pytest

from automl.delivery.bundle import unpack_bundle, write_bundle
from automl.delivery.exporter import ExportedModels
from automl.errors import BadBundle, DiskFull

METRICS = {"sentence": "It was right on 1 of 2.", "classes": ["a b", "ü"]}


@pytest.fixture
def models(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"keras")
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    return ExportedModels(tmp_path / "model.onnx", tmp_path / "model.keras")


def test_every_part_is_in_the_bundle(tmp_path, models):
    plot = tmp_path / "confusion_matrix.png"
    plot.write_bytes(b"png")
    write_bundle(tmp_path / "out.zip", models, METRICS, [plot])
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert set(bundle.namelist()) == {
            "README.txt", "labels.txt", "metrics.json", "requirements.txt", "predict.py", "model.keras", "model.onnx",
            "plots/confusion_matrix.png",
        }  # fmt: skip
        assert bundle.read("labels.txt").decode() == "a b\nü\n"
        assert json.loads(bundle.read("metrics.json")) == METRICS
        assert METRICS["sentence"] in bundle.read("README.txt").decode()


def test_tables_are_in_the_bundle_under_their_names(tmp_path, models):
    write_bundle(tmp_path / "out.zip", models, METRICS, tables={"answers.csv": "photo\nä.jpg\n"})
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert bundle.read("answers.csv").decode() == "photo\nä.jpg\n"
        assert "answers.csv" in bundle.read("README.txt").decode()


def test_what_is_told_at_last_is_asked_for_when_all_else_is_packed(tmp_path, models):
    def at_last():
        assert zipfile.is_zipfile(tmp_path / "out.zip") is False
        return {"used_s": 2.5}

    told = write_bundle(tmp_path / "out.zip", models, METRICS, (), at_last)
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert bundle.namelist()[-1] == "metrics.json"
        assert json.loads(bundle.read("metrics.json")) == told == {**METRICS, "used_s": 2.5}


def test_each_model_is_under_its_own_name(tmp_path, models):
    write_bundle(tmp_path / "out.zip", models, METRICS)
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert (bundle.read("model.onnx"), bundle.read("model.keras")) == (b"onnx", b"keras")
        assert "keras.models.load_model" in bundle.read("README.txt").decode()


def test_a_bundle_of_the_middle_of_a_search_has_one_model_and_says_so(tmp_path, models):
    write_bundle(tmp_path / "out.zip", replace(models, keras=None), METRICS)
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert "model.onnx" in bundle.namelist() and "model.keras" not in bundle.namelist()
        readme = bundle.read("README.txt").decode()
    assert "The finished download also has model.keras" in readme
    assert "load_model" not in readme


def test_predict_py_stands_alone(tmp_path, models):
    write_bundle(tmp_path / "out.zip", models, METRICS)
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
        write_bundle(folder / "out.zip", models, METRICS)
    assert list(folder.iterdir()) == []


def test_a_member_that_was_not_chosen_is_named(tmp_path, models):
    write_bundle(tmp_path / "out.zip", models, METRICS)
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

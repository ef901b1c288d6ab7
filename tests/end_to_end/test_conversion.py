"""The finished download, written for other runtimes and asked about a folder, on the command line."""

import csv
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import REPOSITORY

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
def model_zip(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The download as it came."""
    path = tmp_path_factory.mktemp("download") / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in bundle.rglob("*"):
            archive.write(file, file.relative_to(bundle))
    return path


def automl(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "automl.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)


def test_a_float32_litert_model_is_the_same_model_and_has_its_program_beside_it(
    model_zip: Path, photos: Path, tmp_path: Path
) -> None:
    done = automl("export", model_zip, "--photos", photos, "--formats", "litert_float32", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr + done.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"model_float32.tflite", "predict_litert.py", "predict.py", "README_litert.txt"} <= written
    assert "model.keras" not in written
    assert "yes" in done.stdout


def test_other_photos_prove_nothing(model_zip: Path, tmp_path: Path, photos: Path) -> None:
    for number, path in enumerate(sorted((photos / "test").rglob("*.jpg"))):
        target = tmp_path / "other" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes() + bytes([number]))  # the same pictures, other files
    done = automl("export", model_zip, "--photos", tmp_path / "other", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "not the photos that the model was trained with" in " ".join(done.stderr.split())


def test_a_folder_of_photos_becomes_a_table_of_answers(
    model_zip: Path, photos: Path, finished_run: Any, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    done = automl("predict", model_zip, photos / "test", tmp_path / "notes.txt", "--csv", tmp_path / "answers.csv")
    assert done.returncode == 2  # one of them was no photo
    with (tmp_path / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    right = [row for row in rows if row["answer"] == Path(row["photo"]).parent.name]
    assert len(right) == finished_run["result"]["test"]["n_correct"]
    assert [row["answer"] for row in rows if row["error"]] == [""]
    assert all(abs(sum(float(row[label]) for label in ("checks", "dots", "stripes")) - 1) < 1e-4 for row in rows[:-1])

"""What was downloaded works where Darkroom is not installed."""

import json
import re
import subprocess
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.serving.predict import load_image
from tests.end_to_end.conftest import run_python
from tests.environments import environment_with

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
def tensorflow_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a venv with TensorFlow, what TensorFlow itself needs, and nothing else."""
    return environment_with(["tensorflow"], tmp_path_factory.mktemp("tensorflow") / "venv")


@pytest.fixture(scope="module")
def bundle_python(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a venv with what the bundle's own requirements.txt lists."""
    folder = tmp_path_factory.mktemp("bundle-venv")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    subprocess.run([*install, "-r", bundle / "requirements.txt"], check=True)
    return python


def test_the_keras_model_needs_only_tensorflow(
    tensorflow_python: Path, bundle: Path, photos: Path, finished_run: Any, tmp_path: Path
) -> None:
    paths = sorted((photos / "test").rglob("*.jpg"))
    size_px = finished_run["result"]["winner"]["image_size_px"]
    images = np.stack([load_image(path, size_px) for path in paths])
    np.savez(tmp_path / "test.npz", images=images, labels=[path.parent.name for path in paths])
    script = Path(__file__).parent / "score_keras.py"
    score = json.loads(run_python(tensorflow_python, script, bundle, tmp_path / "test.npz", folder=tmp_path))
    expected = {"n_correct": finished_run["result"]["test"]["n_correct"], "n_images": 60, "is_distribution": True}
    assert score == expected


def test_the_venv_of_that_test_has_no_part_of_darkroom(tensorflow_python: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.util as u; print([n for n in ('automl', 'PIL', 'onnxruntime', 'optuna') if u.find_spec(n)])"
    )
    assert run_python(tensorflow_python, "-c", code, folder=tmp_path) == "[]\n"


def test_predict_py_needs_only_its_own_requirements(
    bundle_python: Path, bundle: Path, photos: Path, finished_run: Any
) -> None:
    paths = sorted((photos / "test").rglob("*.jpg"))
    lines = run_python(bundle_python, "predict.py", *paths, folder=bundle).splitlines()
    # Before its likeliest class a line may say that the model is not sure, or has learned nothing like it.
    said = [re.search(r"(\S+) \d+\.\d%", line.rpartition(": ")[2])[1] for line in lines]
    n_correct = sum(label == path.parent.name for label, path in zip(said, paths, strict=True))
    assert n_correct == finished_run["result"]["test"]["n_correct"]


def test_predict_py_names_what_is_no_picture(bundle_python: Path, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no picture")
    result = subprocess.run([bundle_python, "predict.py", tmp_path / "notes.jpg"], cwd=bundle, capture_output=True)
    assert result.returncode == 1
    assert b"not a readable picture" in result.stderr

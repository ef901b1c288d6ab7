"""What was downloaded works where Darkroom is not installed."""

import json
import re
import subprocess
import venv
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from automl.serving.predict import load_image
from tests.end_to_end.conftest import REPOSITORY, run_python

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
def tensorflow_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a venv with TensorFlow, what TensorFlow itself needs, and nothing else."""
    folder = tmp_path_factory.mktemp("tensorflow")
    (folder / "requirements.txt").write_text(part_of_lock("tensorflow"))
    return make_venv(folder, "--require-hashes", "-r", str(folder / "requirements.txt"))


@pytest.fixture(scope="module")
def bundle_python(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a venv with what the bundle's own requirements.txt lists."""
    return make_venv(tmp_path_factory.mktemp("bundle-venv"), "-r", str(bundle / "requirements.txt"))


def make_venv(folder: Path, *packages: str) -> Path:
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *packages], check=True)
    return python


def part_of_lock(package: str) -> str:
    """The entries of runtime.lock for a package and everything it needs here."""
    lock = (REPOSITORY / "requirements" / "runtime.lock").read_text()
    entries: dict[str, str] = {}
    for entry in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]:
        name = canonicalize_name(re.split(r"[=\[]", entry, maxsplit=1)[0])
        entries[name] = entries.get(name, "") + entry  # one entry for each range of Python versions
    needed, waiting = set[str](), [package]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in needed:
            needed.add(name)
            asked = [Requirement(text) for text in requires(name) or []]
            waiting += [one.name for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    return "".join(entries[name] for name in sorted(needed))


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
    said = [line.rpartition(": ")[2].split()[0] for line in lines]
    n_correct = sum(label == path.parent.name for label, path in zip(said, paths, strict=True))
    assert n_correct == finished_run["result"]["test"]["n_correct"]


def test_predict_py_names_what_is_no_picture(bundle_python: Path, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no picture")
    result = subprocess.run([bundle_python, "predict.py", tmp_path / "notes.jpg"], cwd=bundle, capture_output=True)
    assert result.returncode == 1
    assert b"not a readable picture" in result.stderr

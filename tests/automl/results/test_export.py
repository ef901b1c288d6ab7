"""Both exports are the same model, take photos of any size and need none of this project."""

import subprocess
import sys

import numpy as np
import pytest

from automl.models.heads import Curves, HeadFit
from automl.models.weights import InstalledWeights, installed
from automl.results.export import build_keras, export, largest_difference, write_onnx
from automl.search.space import LAST_TAP, SEVERAL_TAPS, head_space
from automl.search.trial import Candidate
from automl.serving.predict import Classifier
from automl.settings import load_settings

LABELS = ("ant", "bee 🐝", "c,d")


@pytest.fixture(scope="module")
def weights() -> dict[str, InstalledWeights]:
    found = installed(load_settings().weights_dir)
    assert "mobilenet_v2" in found, "Run `automl weights fetch` first; scripts/test does."
    return found


def candidate(weights: dict[str, InstalledWeights], backbones: str, taps: str, size_px: int = 96) -> Candidate:
    """A head of random numbers."""
    random = np.random.default_rng(0)
    widths = [weights[name].tap_widths for name in backbones.split("+")]
    n_features = sum(w[-1] if taps == LAST_TAP else sum(w) for w in widths)
    kernel = random.normal(size=(n_features, 3)).astype(np.float32) / 10
    fit = HeadFit(kernel, np.zeros(3, np.float32), np.zeros((1, 3)), 0.5, 1.0, 1, Curves((), (), (), ()))
    params = head_space([backbones], [size_px]).defaults(backbones=backbones, taps=taps)
    mean, scale = random.random(n_features), random.random(n_features)
    return Candidate(0, params, fit, mean.astype(np.float32), scale.astype(np.float32), 1)


def pictures(n: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("taps", [LAST_TAP, SEVERAL_TAPS])
@pytest.mark.parametrize("backbones", ["mobilenet_v2", "mobilenet_v2+mobilenet_v1"])
def test_keras_and_onnx_agree(weights, tmp_path, backbones, taps):
    if not set(backbones.split("+")) <= set(weights):
        pytest.fail(f"{backbones} is not installed; run `automl weights fetch`.")
    models = export(candidate(weights, backbones, taps), LABELS, weights, tmp_path)
    assert largest_difference(models, pictures(3, 96, 96)) < 1e-3


def test_onnx_knows_its_labels_and_size(weights, tmp_path):
    write_onnx(candidate(weights, "mobilenet_v2", LAST_TAP), LABELS, weights, tmp_path / "model.onnx")
    classifier = Classifier(tmp_path / "model.onnx")
    assert classifier.labels == LABELS
    assert classifier.size_px == 96


def test_onnx_gives_probabilities_for_photos_of_any_size(weights, tmp_path):
    write_onnx(candidate(weights, "mobilenet_v2", LAST_TAP), LABELS, weights, tmp_path / "model.onnx")
    probabilities = Classifier(tmp_path / "model.onnx").predict_arrays(pictures(2, 130, 77))
    assert probabilities.shape == (2, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_a_plain_call_is_the_same_as_predict(weights, tmp_path):
    """Keras' Resizing wants to train by default, and every batch norm behind it would follow."""
    model = build_keras(candidate(weights, "mobilenet_v2", SEVERAL_TAPS), weights)
    images = pictures(3, 96, 96).astype(np.float32)
    assert np.allclose(model(images), model.predict(images, verbose=0), atol=1e-4)


@pytest.mark.slow
def test_resizing_inside_both_models_is_the_same(weights, tmp_path):
    models = export(candidate(weights, "mobilenet_v2", LAST_TAP), LABELS, weights, tmp_path)
    assert largest_difference(models, pictures(2, 150, 200)) < 0.02


@pytest.mark.slow
def test_the_keras_file_loads_without_this_project(weights, tmp_path):
    build_keras(candidate(weights, "mobilenet_v2", SEVERAL_TAPS), weights).save(tmp_path / "model.keras")
    code = (
        "import keras, numpy, sys; model = keras.models.load_model('model.keras');"
        "print(model(numpy.zeros((1, 50, 60, 3), 'float32')).shape);"
        "assert not any(name.startswith('automl') for name in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "(1, 3)" in done.stdout

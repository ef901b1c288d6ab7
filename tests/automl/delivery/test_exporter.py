"""Both exports are the same model, take photos of any size and need none of this project."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from automl.delivery.exporter import Exporter
from automl.delivery.tap_inputs import frozen_taps, tap_name
from automl.evaluation.novelty import learn_distance
from automl.models.features import OnnxExtractor
from automl.models.weights.cache import InstalledWeights, installed
from automl.records import DeliveredContract, ServingContract
from automl.search.candidate import Branch, Candidate
from automl.search.joined import unit
from automl.search.space import LAST_TAP, SEVERAL_TAPS
from automl.serving.explained import ExplainedModel
from automl.serving.predict import Classifier
from automl.settings import load_settings
from tests.automl.evaluation.candidates import candidate, member

LABELS = ("ant", "bee 🐝", "c,d")
V2, V1 = "mobilenet_v2", "mobilenet_v1"
SMALL = Branch(V2, 96)


@pytest.fixture(scope="module")
def weights() -> dict[str, InstalledWeights]:
    found = installed(load_settings().weights_dir)
    assert {V2, V1} <= set(found), "Run `automl weights fetch` first; scripts/test does."
    return found


@pytest.fixture
def exporter(weights, tmp_path) -> Exporter:
    return Exporter(weights, LABELS, tmp_path / "graphs", contract=ServingContract())


@pytest.fixture(scope="module")
def tuned(weights, tmp_path_factory) -> Branch:
    """MobileNetV2 at 128 px with other weights."""
    from automl.models.weights.cache import load_backbone

    model, random = load_backbone(weights[V2]), np.random.default_rng(0)
    model.set_weights([array * random.normal(1, 0.05, array.shape) for array in model.get_weights()])
    path = tmp_path_factory.mktemp("tuned") / "tuned-7.weights.h5"
    model.save_weights(path)
    return Branch(V2, 128, path)


def simple(weights: dict[str, InstalledWeights], taps: str = LAST_TAP) -> Candidate:
    return candidate([member(weights, [SMALL], taps)], 96)


def pictures(n: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("taps", [LAST_TAP, SEVERAL_TAPS])
@pytest.mark.parametrize("hidden", [(), (16, 8)])
def test_keras_and_onnx_agree(weights, exporter, tmp_path, taps, hidden):
    model = candidate([member(weights, [SMALL, Branch(V1, 96)], taps, hidden)], 96)
    models = exporter.export(model, tmp_path / "out")
    assert exporter.largest_difference(model, models, pictures(3, 96, 96)) < 1e-3


@pytest.mark.slow
def test_a_mean_of_two_members_at_two_sizes_one_of_them_tuned_agrees(weights, exporter, tmp_path, tuned):
    """Two networks of one architecture in one model: each has its own weights and its own size."""
    head = member(weights, [SMALL, Branch(V1, 96)], SEVERAL_TAPS, (8,))
    fine = member(weights, [tuned], LAST_TAP)
    models = exporter.export(candidate([fine, head], 128), tmp_path / "out")
    assert exporter.largest_difference(candidate([fine, head], 128), models, pictures(3, 128, 128)) < 1e-3


@pytest.mark.slow
def test_a_mean_of_heads_on_the_same_networks_and_on_a_part_of_them_agrees(weights, exporter, tmp_path):
    """What the search makes of heads that did about as well: several on one network, each network run once."""
    other = Branch(V1, 96)
    several = [
        member(weights, [SMALL, other], SEVERAL_TAPS),
        member(weights, [SMALL, other], LAST_TAP),
        member(weights, [other], LAST_TAP),
        member(weights, [SMALL], SEVERAL_TAPS),
        member(weights, [SMALL, other], SEVERAL_TAPS, is_unit=True),
        member(weights, [SMALL], LAST_TAP, (8,), is_unit=True),
    ]
    mean = candidate(several, 96)
    assert mean.branches == (SMALL, other)
    models = exporter.export(mean, tmp_path / "out")
    assert exporter.largest_difference(mean, models, pictures(3, 96, 96)) < 1e-3


@pytest.mark.slow
def test_a_tuned_branch_may_see_less_than_the_model_takes(weights, exporter, tmp_path, tuned):
    """The pictures are made squares of 160 px, then of 128 px, in both models alike."""
    model = candidate([member(weights, [tuned], LAST_TAP)], 160)
    models = exporter.export(model, tmp_path / "out")
    assert exporter.largest_difference(model, models, pictures(3, 160, 160)) < 0.01
    assert Classifier(models.onnx).size_px == 160


@pytest.mark.slow
def test_large_squares_agree_also_beside_a_tuned_branch_that_sees_much_less(weights, exporter, tmp_path, tuned):
    """Networks that were drawn for 224 px see 288, and what was tuned at 128 px sees these squares made smaller."""
    head = member(weights, [Branch(V2, 288), Branch(V1, 288)], SEVERAL_TAPS, (8,))
    model = candidate([head, member(weights, [tuned], LAST_TAP)], 288)
    models = exporter.export(model, tmp_path / "out")
    assert exporter.largest_difference(model, models, pictures(3, 288, 288)) < 0.01
    assert Classifier(models.onnx).size_px == 288


@pytest.mark.slow
def test_the_tuned_weights_are_what_both_models_use(weights, exporter, tmp_path, tuned):
    import keras

    from automl.models.backbones.building import build_backbone

    head, images = member(weights, [tuned], LAST_TAP), pictures(2, 128, 128)
    models = exporter.export(candidate([head], 128), tmp_path / "out")
    backbone = build_backbone(V2)
    backbone.load_weights(tuned.tuned)
    pooled = np.asarray(backbone(images.astype(np.float32))[-1]).mean(axis=(1, 2))
    ((kernel, bias),) = head.layers
    expected = np.asarray(keras.ops.softmax(pooled @ kernel + bias))
    pretrained = replace(head, branches=(Branch(V2, 128),))
    exporter.write_onnx(candidate([pretrained], 128), tmp_path / "pretrained.onnx")
    assert Classifier(models.onnx).predict_arrays(images) == pytest.approx(expected, abs=1e-3)
    loaded = keras.models.load_model(models.keras)
    assert np.asarray(loaded(images.astype(np.float32))) == pytest.approx(expected, abs=1e-3)
    assert np.abs(Classifier(tmp_path / "pretrained.onnx").predict_arrays(images) - expected).max() > 0.02


@pytest.mark.slow
def test_the_graph_of_tuned_weights_is_converted_once(weights, exporter, tmp_path, tuned):
    exporter.write_onnx(candidate([member(weights, [tuned], LAST_TAP)], 128), tmp_path / "one.onnx")
    (graph,) = (tmp_path / "graphs").iterdir()
    before = graph.stat().st_ino
    exporter.write_onnx(candidate([member(weights, [tuned], SEVERAL_TAPS)], 160), tmp_path / "two.onnx")
    assert [path.stat().st_ino for path in (tmp_path / "graphs").iterdir()] == [before]


def test_the_first_download_has_no_keras_file_and_is_compared_with_its_parts(weights, exporter, tmp_path):
    fused = candidate([member(weights, [SMALL, Branch(V1, 96)], SEVERAL_TAPS, (16,))], 96)
    models = exporter.export(fused, tmp_path / "out", with_keras=False)
    assert models.keras is None
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.onnx"]
    assert exporter.largest_difference(fused, models, pictures(3, 96, 96)) < 1e-4


def test_taps_divided_by_their_norm_are_compared_with_the_parts_too(weights, exporter, tmp_path):
    units = candidate([member(weights, [SMALL, Branch(V1, 96)], SEVERAL_TAPS, is_unit=True)], 96)
    models = exporter.export(units, tmp_path / "out", with_keras=False)
    assert exporter.largest_difference(units, models, pictures(3, 96, 96)) < 1e-4


def test_another_model_differs_from_the_parts(weights, exporter, tmp_path):
    models = exporter.export(simple(weights), tmp_path / "out", with_keras=False)
    other = candidate([member(weights, [SMALL], LAST_TAP, (4,))], 96)
    assert exporter.largest_difference(other, models, pictures(3, 96, 96)) > 0.01


def test_the_mean_of_two_members_is_the_softmax_of_their_sum(weights, exporter, tmp_path):
    one, other = member(weights, [SMALL], LAST_TAP), member(weights, [SMALL], LAST_TAP, (8,))
    for name, members in {"both": [one, other], "one": [one], "other": [other]}.items():
        exporter.write_onnx(candidate(members, 96), tmp_path / f"{name}.onnx")
    by = {
        name: Classifier(tmp_path / f"{name}.onnx").predict_arrays(pictures(2, 96, 96))
        for name in ("both", "one", "other")
    }
    product = by["one"] * by["other"]
    assert by["both"] == pytest.approx(product / product.sum(axis=1, keepdims=True), abs=1e-4)


def test_each_model_carries_its_threshold(weights, exporter, tmp_path):
    model = replace(candidate([member(weights, [Branch(V2, 96)], LAST_TAP)], 96), sure_threshold=0.83)
    models = exporter.export(model, tmp_path / "out", with_keras=False)
    assert DeliveredContract.model_validate_json(models.contract).sure == Classifier(models.onnx).sure == 0.83


@pytest.mark.parametrize("is_unit", [False, True])
def test_onnx_gives_the_distance_that_the_taps_have(weights, exporter, tmp_path, is_unit):
    plain = candidate([member(weights, [SMALL, Branch(V1, 96)], SEVERAL_TAPS, is_unit=is_unit)], 96)
    taps = frozen_taps(plain, weights)
    images = pictures(40, 96, 96)
    pooled = np.concatenate([OnnxExtractor(weights[name])(images) for name in (V2, V1)], axis=1)
    widths = [width for name in (V2, V1) for width in weights[name].tap_widths]
    units = [unit(part) for part in np.split(pooled, np.cumsum(widths)[:-1], axis=1)]
    found = learn_distance(
        np.concatenate(units, axis=1),
        taps=[tap_name(tap) for tap in taps],
        widths=widths,
        folds=np.arange(len(images)) % 4,
    )
    able = replace(plain, distance=found.distance)
    models = exporter.export(able, tmp_path / "out", with_keras=False)
    classifier = Classifier(models.onnx)
    flat = np.full((2, 96, 96, 3), 200, np.uint8)
    probabilities, distances = classifier.ask_arrays(np.concatenate([images[:3], flat]))
    assert DeliveredContract.model_validate_json(models.contract).foreign == classifier.foreign == 1
    assert distances[:3] == pytest.approx(found.distance.of(pooled[:3]), abs=1e-3)
    assert distances[:3].max() < 1 < distances[3:].min()
    exporter.write_onnx(plain, tmp_path / "plain.onnx")
    assert Classifier(tmp_path / "plain.onnx").ask_arrays(images[:3])[1] is None
    assert probabilities[:3] == pytest.approx(Classifier(tmp_path / "plain.onnx").predict_arrays(images[:3]), abs=1e-5)
    assert models.onnx.stat().st_size - (tmp_path / "plain.onnx").stat().st_size < 1_000_000
    assert ExplainedModel(models.onnx.read_bytes()).explain(images[:1])[0] == pytest.approx(probabilities[:1], abs=1e-5)


def test_fine_tuned_networks_have_no_part_in_the_distance(weights, tuned):
    both = candidate([member(weights, [tuned], LAST_TAP), member(weights, [SMALL], LAST_TAP)], 128)
    last = len(weights[V2].taps) - 1
    assert frozen_taps(both, weights) == [(SMALL, last)]
    assert tap_name((SMALL, last)) == f"mobilenet_v2_96_tap_{last}"


def test_onnx_knows_its_labels_and_size(weights, exporter, tmp_path):
    exporter.write_onnx(simple(weights), tmp_path / "model.onnx")
    classifier = Classifier(tmp_path / "model.onnx")
    assert classifier.labels == LABELS
    assert classifier.size_px == 96


def test_onnx_gives_probabilities_for_photos_of_any_size(weights, exporter, tmp_path):
    exporter.write_onnx(simple(weights), tmp_path / "model.onnx")
    probabilities = Classifier(tmp_path / "model.onnx").predict_arrays(pictures(2, 130, 77))
    assert probabilities.shape == (2, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_a_plain_call_is_the_same_as_predict(weights, exporter):
    """Keras' Resizing wants to train by default, and every batch norm behind it would follow."""
    model = exporter.build_keras(simple(weights, SEVERAL_TAPS))
    images = pictures(3, 96, 96).astype(np.float32)
    assert np.allclose(model(images), model.predict(images, verbose=0), atol=1e-4)


@pytest.mark.slow
def test_resizing_inside_both_models_is_the_same(weights, exporter, tmp_path):
    models = exporter.export(simple(weights), tmp_path / "out")
    assert exporter.largest_difference(simple(weights), models, pictures(2, 150, 200)) < 0.02


@pytest.mark.slow
def test_the_keras_file_loads_without_this_project(weights, exporter, tmp_path, tuned):
    model = candidate([member(weights, [tuned], LAST_TAP), member(weights, [SMALL], SEVERAL_TAPS, (8,))], 128)
    exporter.build_keras(model).save(tmp_path / "model.keras")
    code = (
        "import keras, numpy, sys; model = keras.models.load_model('model.keras');"
        "print(model(numpy.zeros((1, 50, 60, 3), 'float32')).shape);"
        "assert not any(name.startswith('automl') for name in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "(1, 3)" in done.stdout

"""Heat maps of the delivered ONNX graph are those that Keras gives of the same model."""

from pathlib import Path

import numpy as np
import pytest

from automl.delivery.exporter import Exporter
from automl.errors import BadBundle
from automl.models.weights.cache import InstalledWeights, installed
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.space import LAST_TAP, SEVERAL_TAPS
from automl.serving.explained import ExplainedModel
from automl.serving.predict import Classifier
from automl.settings import load_settings
from tests.automl.evaluation.candidates import candidate, explainer_of, member
from tests.automl.serving.tiny_model import LABELS, tiny_model

V2, V1 = "mobilenet_v2", "mobilenet_v1"
CLASSES = np.array([0, 2, 1])


def pictures(n: int, size: int = 96) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def weights() -> dict[str, InstalledWeights]:
    found = installed(load_settings().weights_dir)
    assert {V2, V1} <= set(found), "Run `automl weights fetch` first; scripts/test does."
    return found


@pytest.fixture(scope="module")
def tuned(weights, tmp_path_factory) -> Branch:
    """MobileNetV2 with other weights."""
    from automl.models.weights.cache import load_backbone

    model, random = load_backbone(weights[V2]), np.random.default_rng(0)
    model.set_weights([array * random.normal(1, 0.05, array.shape) for array in model.get_weights()])
    path = tmp_path_factory.mktemp("tuned") / "tuned-7.weights.h5"
    model.save_weights(path)
    return Branch(V2, 96, path)


def written(weights: dict[str, InstalledWeights], model: Candidate, folder: Path) -> bytes:
    """The delivered `model.onnx`."""
    Exporter(weights, ("a", "b", "c"), folder, contract=None).write_onnx(model, folder / "model.onnx")
    return (folder / "model.onnx").read_bytes()


def assert_same(
    weights: dict[str, InstalledWeights],
    members: list[BranchHead],
    typical: np.ndarray,
    folder: Path,
    tolerance: float = 1e-4,
) -> None:
    """`tolerance`: as a share of the strongest heat."""
    model, images = candidate(members, 96), pictures(3)
    by_keras = explainer_of(weights, model, typical).evidence(images, CLASSES)
    delivered = written(weights, model, folder)
    explained = ExplainedModel(delivered)
    explained.learn_typical(typical)
    largest = float(np.abs(by_keras.heat).max())
    for number, said in enumerate(CLASSES.tolist()):
        probabilities, found = explained.explain(images[number : number + 1], said)
        assert found.heat[0] == pytest.approx(by_keras.heat[number], abs=tolerance * largest)
        assert found.logits == pytest.approx(by_keras.logits[number : number + 1], abs=10 * tolerance)
    assert probabilities == pytest.approx(Classifier(delivered).predict_arrays(images[2:]), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [(), (16, 8)])
def test_one_backbone_with_a_linear_or_a_deep_head(weights, tmp_path, hidden) -> None:
    assert_same(weights, [member(weights, [Branch(V1, 96)], LAST_TAP, hidden)], pictures(0), tmp_path)


@pytest.mark.slow
def test_several_taps_members_and_tuned_weights_less_what_typical_photos_have(weights, tuned, tmp_path) -> None:
    members = [
        member(weights, [Branch(V1, 96), Branch(V2, 96)], SEVERAL_TAPS, (8,)),
        member(weights, [Branch(V1, 96)], LAST_TAP),
        member(weights, [tuned], SEVERAL_TAPS),
        member(weights, [Branch(V1, 96), tuned], SEVERAL_TAPS, is_unit=True),
    ]
    assert_same(weights, members, pictures(20)[3:], tmp_path)


@pytest.mark.slow
def test_a_smaller_input_is_resized_inside_the_graph(weights, tmp_path) -> None:
    """Keras and ONNX Runtime do not round alike there, which shows on noise more than on any photo."""
    assert_same(weights, [member(weights, [Branch(V2, 64)], SEVERAL_TAPS)], pictures(0), tmp_path, tolerance=0.03)


def test_a_tiny_model_is_explained_by_hand() -> None:
    """Its features are the mean red, green and blue, so what speaks for "red" is where the red is."""
    photo = np.zeros((1, 8, 8, 3), np.uint8)
    photo[0, :4, :4, 0] = 255
    probabilities, found = ExplainedModel(tiny_model()).explain(photo)
    assert LABELS[int(probabilities.argmax())] == "red"
    assert found.heat[0, :10, :10].min() > 0.9 * found.heat.max()
    assert np.abs(found.heat[0, 18:, 18:]).max() < 1e-6


def test_what_typical_photos_have_is_taken_off() -> None:
    photo, model = np.full((1, 8, 8, 3), 200, np.uint8), ExplainedModel(tiny_model())
    plain = model.explain(photo, 0)[1]
    model.learn_typical(np.repeat(photo, 18, axis=0))
    less = model.explain(photo, 0)[1]
    assert np.abs(less.heat).max() < 1e-5 < np.abs(plain.heat).max()
    assert less.logits == pytest.approx(plain.logits, abs=1e-5)
    assert ExplainedModel(tiny_model(hidden=4)).explain(photo, 1)[1].heat.shape == (1, 28, 28)


def test_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="Classes are 0 to 2, not 3"):
        ExplainedModel(tiny_model()).explain(np.zeros((1, 8, 8, 3), np.uint8), 3)


def test_a_graph_of_another_program_has_no_heat_maps() -> None:
    with pytest.raises(BadBundle, match="Heat maps cannot be drawn"):
        ExplainedModel(tiny_model(has_taps=False))

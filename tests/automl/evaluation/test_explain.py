"""Heat maps are complete: their mean and what the biases add are the logit of the delivered model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.delivery.exporter import Exporter
from automl.evaluation.explain import Explainer
from automl.models.weights.cache import InstalledWeights, installed
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.space import LAST_TAP, SEVERAL_TAPS
from automl.serving.heat import HEAT_PX, resized, shown
from automl.settings import load_settings
from tests.automl.evaluation.candidates import candidate, explainer_of, member

V2, V1 = "mobilenet_v2", "mobilenet_v1"
SMALL = Branch(V1, 96)
CLASSES = np.array([0, 2, 1])
NO_PHOTOS = np.zeros((0, 96, 96, 3), np.uint8)


@pytest.fixture(scope="module")
def weights() -> dict[str, InstalledWeights]:
    found = installed(load_settings().weights_dir)
    assert {V2, V1} <= set(found), "Run `automl weights fetch` first; scripts/test does."
    return found


@pytest.fixture(scope="module")
def tuned(weights, tmp_path_factory) -> Branch:
    """MobileNetV2 at 64 px with other weights."""
    from automl.models.weights.cache import load_backbone

    model, random = load_backbone(weights[V2]), np.random.default_rng(0)
    model.set_weights([array * random.normal(1, 0.05, array.shape) for array in model.get_weights()])
    path = tmp_path_factory.mktemp("tuned") / "tuned-7.weights.h5"
    model.save_weights(path)
    return Branch(V2, 64, path)


@pytest.fixture(scope="module")
def head(weights) -> BranchHead:
    return member(weights, [SMALL], LAST_TAP)


@pytest.fixture(scope="module")
def linear(weights, head) -> Explainer:
    return explainer_of(weights, candidate([head], 96), NO_PHOTOS)


def pictures(n: int, size: int = 96) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def delivered(weights: dict[str, InstalledWeights], model: Candidate) -> Any:
    """The Keras model; its logits are what goes into the layer "probabilities"."""
    return Exporter(weights, ("a", "b", "c"), Path(), contract=None).build_keras(model)


def logits_by_keras(weights: dict[str, InstalledWeights], model: Candidate, images: np.ndarray) -> np.ndarray:
    """float32 (n,), of `CLASSES`."""
    import keras

    whole = delivered(weights, model)
    logits = keras.Model(whole.input, whole.get_layer("probabilities").input)(images.astype(np.float32))
    return np.asarray(logits)[np.arange(len(images)), CLASSES]


@pytest.mark.slow
def test_mean_heat_and_the_bias_are_the_logit_of_a_linear_head(weights, linear, head) -> None:
    heat = linear.heat(pictures(3), CLASSES)
    ((_, bias),) = head.layers
    assert linear.is_exact
    assert heat.dtype == np.float32
    assert heat.shape == (3, HEAT_PX, HEAT_PX)
    expected = logits_by_keras(weights, candidate([head], 96), pictures(3))
    assert heat.mean(axis=(1, 2)) + bias[CLASSES] == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
def test_the_same_holds_for_several_taps_of_two_backbones(weights) -> None:
    fused = member(weights, [SMALL, Branch(V2, 96)], SEVERAL_TAPS)
    model, ((_, bias),) = candidate([fused], 96), fused.layers
    heat = explainer_of(weights, model, NO_PHOTOS).heat(pictures(3), CLASSES)
    expected = logits_by_keras(weights, model, pictures(3))
    assert heat.mean(axis=(1, 2)) + bias[CLASSES] == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
def test_several_members_sizes_and_hidden_layers_add_up_to_the_logit(weights, tuned) -> None:
    """One branch is shared by two members, one has weights of its own and sees 64 px, which gives maps of 2 by 2.

    What typical photos add to the logit is part of the rest.
    """
    members = [
        member(weights, [SMALL, Branch(V2, 96)], SEVERAL_TAPS, (8,)),
        member(weights, [SMALL], LAST_TAP),
        member(weights, [tuned], SEVERAL_TAPS),
    ]
    model, images = candidate(members, 96), pictures(3)
    explainer = explainer_of(weights, model, pictures(20)[2:])
    expected = logits_by_keras(weights, model, images)
    assert not explainer.is_exact
    assert explainer.evidence(images, CLASSES).logits == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
def test_heat_is_grad_cam_by_automatic_differentiation(weights) -> None:
    """The gradient of the logit, by TensorFlow, at each place of each tap, as Grad-CAM is defined."""
    import keras
    import tensorflow as tf

    members = [member(weights, [SMALL], SEVERAL_TAPS, (16, 8)), member(weights, [SMALL], LAST_TAP)]
    model, images = candidate(members, 96), pictures(3)
    whole = delivered(weights, model)
    taps = [whole.get_layer(f"{SMALL.name}_tap_{tap}").input for tap in range(5)]
    maps = keras.Model(whole.input, taps)(images.astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        logits = keras.Model(taps, whole.get_layer("probabilities").input)(maps)
        own = tf.gather(logits, CLASSES, axis=1, batch_dims=1)
    expected = np.zeros((3, HEAT_PX, HEAT_PX), np.float32)
    for values, gradient in zip(maps, tape.gradient(own, maps), strict=True):
        weight = np.asarray(gradient).sum(axis=(1, 2))
        expected += resized(np.einsum("nhwc,nc->nhw", np.asarray(values), weight))
    heat = explainer_of(weights, model, NO_PHOTOS).heat(images, CLASSES)
    assert heat == pytest.approx(expected, abs=1e-3 * float(np.abs(expected).max()))


@pytest.mark.slow
def test_heat_lies_where_the_thing_is(weights) -> None:
    """The head tells a noisy square on gray from gray alone; the square is at the top, right."""
    from automl.models.features import OnnxExtractor

    gray = np.full((1, 224, 224, 3), 128, np.uint8)
    photo = gray.copy()
    photo[0, :96, 128:] = pictures(1)[0]
    without, with_it = OnnxExtractor(weights[V1])(np.concatenate([gray, photo]))[:, -weights[V1].tap_widths[-1] :]
    kernel = np.stack([without - with_it, with_it - without], axis=1)
    head = BranchHead((Branch(V1, 224),), LAST_TAP, ((kernel, np.zeros(2, np.float32)),))
    (heat,) = shown(explainer_of(weights, candidate([head], 224), gray).heat(photo, np.array([1])))
    square = heat[:12, 16:].mean()
    assert heat.max() == heat[:12, 16:].max()
    assert max(heat[:12, :12].mean(), heat[16:, :12].mean(), heat[16:, 16:].mean()) < square / 2


@pytest.mark.slow
def test_what_all_photos_have_is_not_shown(weights, linear, head) -> None:
    """A photo like the typical ones has no heat; another one has that of the plain map less that of the typical one."""
    images, model = np.repeat(pictures(2), [1, 18], axis=0), candidate([head], 96)
    relative = explainer_of(weights, model, images[1:]).evidence(images[:2], np.array([1, 1]))
    plain = linear.heat(images[:2], np.array([1, 1]))
    assert relative.heat[0] == pytest.approx(plain[0] - plain[1], abs=1e-3)
    assert np.abs(relative.heat[1]).max() < 1e-3 < np.abs(plain[1]).max()
    assert relative.logits == pytest.approx(linear.evidence(images[:2], np.array([1, 1])).logits, abs=1e-3)


@pytest.mark.slow
def test_a_batch_that_does_not_fit_into_memory_is_halved(linear, monkeypatch) -> None:
    images, classes = pictures(5), np.zeros(5, int)
    expected, run = linear.heat(images, classes), linear._run

    def cramped(images: np.ndarray) -> list[np.ndarray]:
        if len(images) > 2:
            raise MemoryError
        return run(images)

    monkeypatch.setattr(linear, "_run", cramped)
    np.testing.assert_allclose(linear.heat(images, classes), expected, atol=1e-4)


@pytest.mark.slow
def test_batches_make_no_difference(linear) -> None:
    images, classes = pictures(18), np.arange(18) % 3
    together = linear.heat(images, classes)
    assert linear.heat(images[16:], classes[16:]) == pytest.approx(together[16:], abs=1e-3)
    assert linear.heat(images[:0], classes[:0]).shape == (0, 28, 28)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [[0, 1], [[0], [1], [2]], [0, 1, 3], [-1, 0, 1]])
def test_classes_that_do_not_fit_are_refused(linear, classes) -> None:
    with pytest.raises(ValueError, match=r"photos need as many classes|Classes are 0 to 2"):
        linear.heat(pictures(3), np.array(classes))

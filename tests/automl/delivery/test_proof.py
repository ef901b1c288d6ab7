"""A delivered file is loaded by a process that knows nothing of the project, and judged by what it says there."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from automl.delivery.proof import Proof, Reference, prove
from automl.formats import find_format

CLASSES = ("blue", "red")
ONNX = find_format("onnx")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Says which of two colours is stronger; its labels and its size are in its metadata."""
    from onnx import TensorProto, helper, numpy_helper, save

    kernel = np.array([[-0.02, 0.02], [0, 0], [0.02, -0.02]], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["image", "axes"], ["colour"], keepdims=0),
        helper.make_node("MatMul", ["colour", "kernel"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", "height", "width", 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(np.array([1, 2]), "axes")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(made, {"labels": "\n".join(CLASSES), "image_size_px": "16"})
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    save(made, path)
    return path


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """200 photos, half of them blue; the last blue one is called red by the model."""
    folder = tmp_path_factory.mktemp("photos")
    colours = [(0, 0, 255)] * 99 + [(255, 0, 0)] * 101
    photos = []
    for number, colour in enumerate(colours):
        photos.append(folder / f"{number}.png")
        Image.new("RGB", (20, 10), colour).save(photos[-1])
    sure = 1 / (1 + np.exp(-2 * 0.02 * 255))
    is_red = np.array([colour[0] > 0 for colour in colours])
    red = np.where(is_red, sure, 1 - sure).astype(np.float32)
    truth = np.array([0] * 100 + [1] * 100)
    return Reference(classes=CLASSES, photos=tuple(photos), truth=truth, probabilities=np.stack([1 - red, red], axis=1))


def test_a_true_copy_is_proven_with_its_figures(model, reference):
    proof = prove(ONNX, model, reference)
    assert proof.is_true
    assert proof.accuracy == 0.995
    assert proof.largest_difference == pytest.approx(0, abs=1e-5)
    assert proof.n_bytes == model.stat().st_size
    assert 0 < proof.latency_s < 1 and proof.load_s > 0
    assert proof.words == (
        "Loaded again, it was right on 199 of 200 test photos, as many as the model itself; its probabilities are the "
        "same."
    )


@pytest.mark.parametrize(
    ("n_more", "name", "is_true"),
    [(1, "onnx", True), (2, "onnx", False), (4, "litert_int8", True), (5, "litert_int8", False)],
)
def test_what_differs_by_more_than_its_format_may_is_marked_and_says_so(model, reference, n_more, name, is_true):
    """One photo of 200 is half a percentage point, four are two."""
    told = reference.probabilities.copy()
    told[10 : 10 + n_more] = (0, 1)  # the model itself was wrong on these
    tolerance = replace(ONNX, tolerance=find_format(name).tolerance)
    proof = prove(tolerance, model, replace(reference, probabilities=told))
    assert proof.is_true is is_true
    assert (f"{n_more} more than the model itself ({n_more / 2:.1f} percentage points)" in proof.words) is not is_true
    assert proof.largest_difference > 0.9


def test_on_photos_that_were_learned_from_only_the_agreement_counts(model, reference):
    learned = replace(reference, truth=None)
    proof = prove(ONNX, model, learned)
    assert (proof.is_true, proof.accuracy, proof.agreement) == (True, None, 1.0)
    assert proof.words == (
        "Loaded again, it gives the same answers as the model itself to the photos that it was tried on, 200 of 200; "
        "its probabilities are the same."
    )


@pytest.mark.parametrize(("n_other", "is_true"), [(1, True), (2, False)])
def test_other_answers_to_learned_photos_are_counted_also_where_as_many_are_right(model, reference, n_other, is_true):
    told = reference.probabilities.copy()
    told[:n_other] = told[:n_other, ::-1]
    proof = prove(ONNX, model, replace(reference, truth=None, probabilities=told))
    assert (proof.is_true, proof.agreement) == (is_true, 1 - n_other / 200)
    assert f"{200 - n_other} of the 200 photos" in proof.words


def test_a_damaged_file_is_marked_and_is_no_exception(model, reference, tmp_path):
    broken = tmp_path / "model.onnx"
    broken.write_bytes(model.read_bytes()[:-50])
    proof = prove(ONNX, broken, reference)
    assert proof == Proof(
        format="onnx",
        n_bytes=broken.stat().st_size,
        is_true=False,
        words="It could not be loaded again, so do not rely on it.",
    )


def test_labels_in_another_order_are_found(model, reference):
    proof = prove(ONNX, model, replace(reference, classes=("red", "blue")))
    assert (proof.is_true, proof.words) == (False, "Its labels are not those of the model.")


def test_a_proof_can_be_written_as_json(model, reference):
    told = prove(ONNX, model, reference).model_dump(mode="json")
    assert set(told) == {
        "format", "n_bytes", "is_true", "words", "accuracy", "agreement", "largest_difference", "latency_s",
        "load_s",
    }  # fmt: skip

"""The real thing: a trained head on an installed backbone, in every format, each in an environment with its runtime."""

import pytest

from automl.delivery.proof import prove
from automl.formats import FORMATS
from automl.models.weights.cache import installed
from automl.records import ServingContract
from automl.settings import load_settings
from bench import exports
from bench.harness import DATA
from tests.environments import environment_with

pytestmark = [pytest.mark.slow, pytest.mark.data]


LARGEST_PX = 288
"""Larger than most networks were drawn for, as squares are where the photos have the detail and the time is there."""


@pytest.fixture(scope="module", params=[exports.SIZE_PX, LARGEST_PX], ids="{}px".format)
def delivered(tmp_path_factory, request):
    """Six formats of a small MobileNetV2 for beans, and what the model itself says of the test photos."""
    from automl.delivery.exporter import Exporter
    from automl.delivery.format_writer import FormatWriter, add_labels
    from automl.serving.predict import Classifier, load_image

    if not (DATA / "beans").is_dir():
        pytest.skip(f"the measuring photographs are not at {DATA}; set DARKROOM_TEST_DATA")
    folder, weights = tmp_path_factory.mktemp("delivered"), installed(load_settings().weights_dir)["mobilenet_v2"]
    size_px, photos = request.param, exports.photos_in(DATA / "beans" / "train")[::6]
    images = exports.np.stack([load_image(photo, size_px) for photo in photos])
    classes = sorted({photo.parent.name for photo in photos})
    labels = [classes.index(photo.parent.name) for photo in photos]
    candidate = exports.linear_candidate(weights, "several", images, labels)
    models = Exporter({weights.name: weights}, classes, folder, contract=ServingContract()).export(candidate, folder)
    add_labels(models.keras, classes, size_px, contract=models.contract)
    writer = FormatWriter(
        models.keras,
        labels=classes,
        size_px=size_px,
        contract=models.contract,
        calibration=images[::2],
        target=folder,
    )
    for one in FORMATS:
        if not one.is_made_at_once:
            writer.write(one.name)
    test = exports.photos_in(DATA / "beans" / "test")
    return folder, exports.scored(Classifier(models.onnx), test)


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_every_format_is_the_same_model_where_there_is_only_its_runtime(one, delivered, tmp_path):
    folder, reference = delivered
    proof = prove(
        one, folder / one.file_name, reference, python=environment_with(one.runtime.packages, tmp_path / "venv")
    )
    assert proof.accuracy is not None, proof.words
    assert proof.is_true, proof.words
    assert proof.largest_difference < {"litert_int8": 0.5, "litert_float16": 0.05}.get(one.name, 0.01)

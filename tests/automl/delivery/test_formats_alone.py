"""The real thing: a trained head on an installed backbone, in every format, each in an environment with its runtime."""

import re
import venv
from importlib import metadata
from pathlib import Path

import pytest

from automl.delivery.proof import prove
from automl.formats import FORMATS, Runtime
from automl.models.weights.cache import installed
from automl.settings import load_settings
from bench import exports
from bench.harness import DATA

pytestmark = [pytest.mark.slow, pytest.mark.data]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """Six formats of a small MobileNetV2 for beans, and what the model itself says of the test photos."""
    from automl.delivery.exporter import Exporter
    from automl.delivery.format_writer import FormatWriter, add_labels
    from automl.serving.predict import Classifier, load_image

    if not (DATA / "beans").is_dir():
        pytest.skip(f"the measuring photographs are not at {DATA}; set DARKROOM_TEST_DATA")
    folder, weights = tmp_path_factory.mktemp("delivered"), installed(load_settings().weights_dir)["mobilenet_v2"]
    photos = exports.photos_in(DATA / "beans" / "train")[::6]
    images = exports.np.stack([load_image(photo, exports.SIZE_PX) for photo in photos])
    classes = sorted({photo.parent.name for photo in photos})
    labels = [classes.index(photo.parent.name) for photo in photos]
    candidate = exports.linear_candidate(weights, "several", images, labels)
    models = Exporter({weights.name: weights}, classes, folder).export(candidate, folder)
    add_labels(models.keras, classes, exports.SIZE_PX)
    writer = FormatWriter(models.keras, labels=classes, size_px=exports.SIZE_PX, calibration=images[::2], target=folder)
    for one in FORMATS:
        if not one.is_made_at_once:
            writer.write(one.name)
    test = exports.photos_in(DATA / "beans" / "test")
    return folder, exports.scored(Classifier(models.onnx), test)


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_every_format_is_the_same_model_where_there_is_only_its_runtime(one, delivered, tmp_path):
    folder, reference = delivered
    proof = prove(one, folder / one.file_name, reference, python=environment_of(one.runtime, tmp_path / "venv"))
    assert proof.accuracy is not None, proof.words
    assert proof.is_true, proof.words
    assert proof.largest_difference < {"litert_int8": 0.5, "litert_float16": 0.05}.get(one.name, 0.01)


def environment_of(runtime: Runtime, folder: Path) -> Path:
    """The Python of a fresh environment that holds the runtime's packages and what they need: links, no download."""
    venv.create(folder, with_pip=False)
    (site,) = (folder / "lib").glob("python3*/site-packages")
    for name in closure([re.split("[<>=~]", line)[0] for line in runtime.packages]):
        for file in metadata.files(name) or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(Path(file.locate()).parents[len(file.parts) - 2] if len(file.parts) > 1
                                        else file.locate())  # fmt: skip
    return folder / "bin" / "python"


def closure(names: list[str]) -> set[str]:
    """The packages and, in turn, all that they require on this machine."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name in found:
            continue
        found.add(name)
        for requirement in metadata.requires(name) or ():
            needed = re.match(r"[\w.-]+", requirement)
            if needed and "extra ==" not in requirement and is_installed(needed[0]):
                names.append(needed[0])
    return found


def is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:  # of another system or another Python
        return False
    return True

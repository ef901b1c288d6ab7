"""The pretrained features are worth what they should be: a linear probe on the beans' official split."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from automl.models.features import OnnxExtractor
from automl.models.weights.cache import InstalledWeights
from automl.serving.predict import load_image

pytestmark = [pytest.mark.data, pytest.mark.slow]


def load_part(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (n, 224, 224, 3) and the names of the n class folders."""
    paths = sorted(path for path in folder.glob("*/*") if path.is_file())
    return np.stack([load_image(path, 224) for path in paths]), np.array([path.parent.name for path in paths])


@pytest.fixture(scope="module")
def beans(photos: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {part: load_part(photos / "beans" / part) for part in ("train", "test")}


def last_features(images: np.ndarray, extractor: OnnxExtractor) -> np.ndarray:
    batches = [extractor(images[start : start + 32]) for start in range(0, len(images), 32)]
    return np.concatenate(batches)[:, -extractor.tap_widths[-1] :]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("mobilenet_v2", 0.86),
        ("mobilenet_v1", 0.85),
        ("efficientnet_lite0", 0.85),
        ("efficientnet_lite1", 0.85),
        ("efficientnet_lite2", 0.85),
    ],
)
def test_a_linear_probe_on_beans_reaches_its_mark(
    weights: dict[str, InstalledWeights], beans: dict[str, tuple[np.ndarray, np.ndarray]], name: str, wanted: float
) -> None:
    extractor = OnnxExtractor(weights[name])
    (train, train_labels), (test, test_labels) = beans["train"], beans["test"]
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    probe.fit(last_features(train, extractor), train_labels)
    assert probe.score(last_features(test, extractor), test_labels) >= wanted

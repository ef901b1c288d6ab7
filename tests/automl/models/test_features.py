import errno
from pathlib import Path

import numpy as np
import pytest

from automl.errors import DiskFull
from automl.models.features import FeatureExtractor, extract_features
from automl.models.weights import InstalledWeights, load_backbone


class Means:
    """Stands for a backbone with one tap: the mean colour of each image."""

    tap_widths = (3,)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        means: np.ndarray = images.mean(axis=(1, 2), dtype=np.float32)
        return means


PIXELS = np.random.default_rng(0).integers(0, 256, (70, 4, 4, 3), dtype=np.uint8)


def ignore(done: int, total: int) -> None:
    pass


def test_the_extractor_gives_the_pooled_taps_in_order(weights: dict[str, InstalledWeights]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    extractor = FeatureExtractor(weights["mobilenet_v2"], n_threads=1)
    features = extractor(images)
    maps = load_backbone(weights["mobilenet_v2"])(images.astype(np.float32), training=False)
    pooled = np.concatenate([np.asarray(tap).mean(axis=(1, 2)) for tap in maps], axis=1)
    assert features.shape == (2, sum(extractor.tap_widths))
    np.testing.assert_allclose(features, pooled, atol=1e-3)


def test_features_are_written_in_batches_as_float16(tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    features = extract_features(PIXELS, Means(), tmp_path / "f.npy", lambda *done: progress.append(done))
    assert progress == [(32, 70), (64, 70), (70, 70)]
    assert features.dtype == np.float16
    np.testing.assert_allclose(features, PIXELS.mean(axis=(1, 2)), rtol=1e-3)
    np.testing.assert_array_equal(np.load(tmp_path / "f.npy"), features)


def test_aborting_leaves_nothing_behind(tmp_path: Path) -> None:
    def abort(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_features(PIXELS, Means(), tmp_path / "f.npy", abort)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    def full(done: int, total: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull, match="Free some space"):
        extract_features(PIXELS, Means(), tmp_path / "f.npy", full)
    assert list(tmp_path.iterdir()) == []


def test_no_images_give_an_empty_file(tmp_path: Path) -> None:
    assert extract_features(PIXELS[:0], Means(), tmp_path / "f.npy", ignore).shape == (0, 3)

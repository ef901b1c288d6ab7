import errno
import fcntl
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.checked_files import sha256_of
from automl.errors import DiskFull
from automl.images.arriving import arriving
from automl.images.pixels import PixelCache
from automl.models import features as features_module
from automl.models.features import (
    OnnxExtractor,
    TensorFlowExtractor,
    extract_features,
    features_of,
    make_extractor,
)
from automl.models.weights.cache import InstalledWeights
from automl.records import ImageRecord
from automl.serving.predict import RULES


class Means:
    """Stands for a backbone with one tap: the mean colour of each image."""

    tap_widths = (3,)
    batch = timed_batch = 32

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.batches.append(len(images))
        means: np.ndarray = images.mean(axis=(1, 2), dtype=np.float32)
        return means


class Cramped(Means):
    """Has memory for `room` images."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def __call__(self, images: np.ndarray) -> np.ndarray:
        if len(images) > self._room:
            raise MemoryError
        return super().__call__(images)


PIXELS = np.random.default_rng(0).integers(0, 256, (70, 4, 4, 3), dtype=np.uint8)
MEANS = PIXELS.mean(axis=(1, 2))


def ignore(done: int, total: int) -> None:
    pass


def abort_after(n: int, done: int) -> None:
    if done >= n:
        raise KeyboardInterrupt


def test_tensorflow_and_onnx_runtime_give_the_same_pooled_taps_in_the_same_order(
    weights: dict[str, InstalledWeights],
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    by_onnx = OnnxExtractor(weights["mobilenet_v2"], n_threads=1)
    by_tensorflow = TensorFlowExtractor(weights["mobilenet_v2"])
    features = by_onnx(images)
    assert by_onnx.tap_widths == by_tensorflow.tap_widths
    assert features.shape == (2, sum(by_onnx.tap_widths))
    np.testing.assert_allclose(features, by_tensorflow(images), atol=1e-3)


def test_a_device_flips_pictures_itself_and_takes_batches_ahead(weights: dict[str, InstalledWeights]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    extractor = TensorFlowExtractor(weights["mobilenet_v2"])
    mirrored = np.concatenate(list(extractor.stream(iter([images[:2], images[2:4], images[4:]]), mirrored=True)))
    np.testing.assert_allclose(mirrored, extractor(images[:, :, ::-1]), atol=1e-4)
    assert list(extractor.stream(iter([]))) == []


def test_the_way_of_a_gpu_gives_the_features_of_the_way_of_a_cpu(
    weights: dict[str, InstalledWeights], tmp_path: Path
) -> None:
    """Decoded beside the pass, sent ahead and flipped there, against decoded first and flipped here."""
    images = []
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (5, 40, 40, 3), dtype=np.uint8)):
        path = tmp_path / f"{number}.png"
        Image.fromarray(pixels).save(path)
        images.append(ImageRecord(path=path, name=path.name, label="x", sha256=sha256_of(path), width=40, height=40))
    cache, installed = PixelCache(tmp_path / "cache", tuple(images), RULES), weights["mobilenet_v2"]
    extractor = TensorFlowExtractor(installed)
    extractor.batch = 2
    with arriving(cache, [32]) as pixels:
        there = extract_features(pixels.of_size(32), extractor, tmp_path / "gpu.npy", on_batch=ignore, mirrored=True)
    here = extract_features(
        cache.open(32), OnnxExtractor(installed, n_threads=1), tmp_path / "cpu.npy", on_batch=ignore, mirrored=True
    )
    np.testing.assert_allclose(there.astype(np.float32), here.astype(np.float32), atol=5e-3)


@pytest.mark.parametrize(
    ("off", "half_s", "is_as_good"), [(0.001, 0.5, True), (0.001, 0.99, False), (0.1, 0.5, False), (None, 0.5, False)]
)
def test_float16_is_used_where_it_is_quicker_and_nearly_the_same(
    weights: dict[str, InstalledWeights],
    monkeypatch: pytest.MonkeyPatch,
    off: float | None,
    half_s: float,
    is_as_good: bool,
) -> None:
    """The device is made up: what its float16 is off, None for one that has none, and how long it takes."""

    class Device:
        def __init__(self, installed: InstalledWeights, *, half: bool) -> None:
            self.half = half

        def __call__(self, images: np.ndarray) -> np.ndarray:
            if self.half and off is None:
                raise RuntimeError("no float16 here")
            return np.full((len(images), sum(installed.tap_widths)), 1.0 + (off or 0.0) * self.half)

    installed, seconds = weights["mobilenet_v2"], iter([1.0, half_s])
    monkeypatch.setattr(features_module, "TensorFlowExtractor", Device)
    monkeypatch.setattr(features_module, "quickest_s", lambda _work, _n: next(seconds))
    assert features_module._half_is_as_good(installed) == is_as_good


def test_features_that_are_no_numbers_are_not_near() -> None:
    assert not features_module._nearly_equal(np.full((1, 3), np.nan), np.ones((1, 3)), (1, 2))


def test_averages_of_float16_are_float32_and_near(weights: dict[str, InstalledWeights]) -> None:
    images = features_module._soft_images(2)[:, :64, :64]
    full, half = (TensorFlowExtractor(weights["mobilenet_v1"], half=half) for half in (False, True))
    found = half(images)
    assert found.dtype == np.float32
    assert features_module._nearly_equal(found, full(images), full.tap_widths)


def test_the_extractor_follows_the_machine(
    weights: dict[str, InstalledWeights], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features_module, "has_gpu", lambda: False)
    assert isinstance(make_extractor(weights["mobilenet_v2"], 1000), OnnxExtractor)
    monkeypatch.setattr(features_module, "has_gpu", lambda: True)
    monkeypatch.setattr(features_module, "gpu_name", lambda: "Some card")
    answers = {"features": "mixed_float16", "compiled": "0.1 0.5"}
    monkeypatch.setattr(features_module, "measured", lambda question, _measure: answers[question.split()[0]])
    made = []
    monkeypatch.setattr(features_module, "TensorFlowExtractor", lambda _installed, **how: made.append(how))
    for n_images in (1280, 1281):
        make_extractor(weights["mobilenet_v2"], n_images)
    assert made == [{"half": True, "compiled": False}, {"half": True, "compiled": True}]


@pytest.mark.slow
def test_compiled_features_are_the_same_also_of_a_last_batch_that_is_smaller(
    weights: dict[str, InstalledWeights],
) -> None:
    images = features_module._soft_images(5)[:, :32, :32]
    plain, compiled = (TensorFlowExtractor(weights["mobilenet_v1"], compiled=compiled) for compiled in (False, True))
    found = list(compiled.stream(iter([images[:3], images[3:]])))
    assert [len(part) for part in found] == [3, 2]
    assert features_module._nearly_equal(np.concatenate(found), plain(images), plain.tap_widths)


def test_features_are_written_in_batches_as_float16(tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    features = extract_features(PIXELS, Means(), tmp_path / "f.npy", on_batch=lambda *done: progress.append(done))
    assert progress == [(32, 70), (64, 70), (70, 70)]
    assert features.dtype == np.float16
    np.testing.assert_allclose(features, MEANS, rtol=1e-3)
    np.testing.assert_array_equal(np.load(tmp_path / "f.npy"), features)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.npy", "f.npy.sha256"]


def test_what_was_broken_off_goes_on_after_its_last_row(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        extract_features(PIXELS, Means(), tmp_path / "f.npy", on_batch=lambda done, _: abort_after(64, done))
    assert [path.name for path in tmp_path.iterdir()] == ["f.part"]
    means = Means()
    features = extract_features(PIXELS, means, tmp_path / "f.npy", on_batch=ignore)
    assert means.batches == [6]
    np.testing.assert_allclose(features, MEANS, rtol=1e-3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.npy", "f.npy.sha256"]


def test_half_a_row_is_computed_again(tmp_path: Path) -> None:
    """A killed process leaves a file that ends anywhere."""
    with pytest.raises(KeyboardInterrupt):
        extract_features(PIXELS, Means(), tmp_path / "f.npy", on_batch=lambda done, _: abort_after(32, done))
    part = tmp_path / "f.part"
    part.write_bytes(part.read_bytes()[:-1])
    means = Means()
    np.testing.assert_allclose(extract_features(PIXELS, means, tmp_path / "f.npy", on_batch=ignore), MEANS, rtol=1e-3)
    assert sum(means.batches) == 39


@pytest.mark.parametrize("left", [b"", b"\x93NUMPY", b"x" * 1000])
def test_a_partial_file_without_our_header_starts_anew(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "f.part").write_bytes(left)
    np.testing.assert_allclose(extract_features(PIXELS, Means(), tmp_path / "f.npy", on_batch=ignore), MEANS, rtol=1e-3)


def test_two_processes_do_not_write_into_one_file(tmp_path: Path) -> None:
    with (tmp_path / "f.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        np.testing.assert_allclose(
            extract_features(PIXELS, Means(), tmp_path / "f.npy", on_batch=ignore), MEANS, rtol=1e-3
        )
    assert (tmp_path / "f.part").read_bytes() == b""


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    def full(done: int, total: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull, match="Free some space"):
        extract_features(PIXELS, Means(), tmp_path / "f.npy", on_batch=full)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_does_not_fit_into_memory_is_halved(tmp_path: Path) -> None:
    cramped = Cramped(room=10)
    features = extract_features(PIXELS, cramped, tmp_path / "f.npy", on_batch=ignore)
    np.testing.assert_allclose(features, MEANS, rtol=1e-3)
    assert cramped.batches == [8] * 8 + [6]


def test_too_little_memory_for_one_image_ends_it(tmp_path: Path) -> None:
    with pytest.raises(MemoryError, match="a single image"):
        extract_features(PIXELS, Cramped(room=0), tmp_path / "f.npy", on_batch=ignore)


def test_mirrored_pictures_are_flipped_before_they_are_looked_at(tmp_path: Path) -> None:
    class LeftColumn(Means):
        def __call__(self, images: np.ndarray) -> np.ndarray:
            return images[:, :, 0].mean(axis=1, dtype=np.float32)

    features = extract_features(PIXELS, LeftColumn(), tmp_path / "f.npy", on_batch=ignore, mirrored=True)
    np.testing.assert_allclose(features, PIXELS[:, :, -1].mean(axis=1), rtol=1e-3)


def test_images_in_memory_are_taken_in_batches_that_fit() -> None:
    cramped = Cramped(room=10)
    np.testing.assert_allclose(features_of(PIXELS, cramped), MEANS, rtol=1e-3)
    assert cramped.batches == [8] * 8 + [6]


def test_no_images_give_an_empty_file(tmp_path: Path) -> None:
    assert extract_features(PIXELS[:0], Means(), tmp_path / "f.npy", on_batch=ignore).shape == (0, 3)

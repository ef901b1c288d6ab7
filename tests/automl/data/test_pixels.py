"""Each picture is decoded once, into arrays that are whole or not there."""

import errno
import os

import numpy as np
import pytest
from PIL import Image

from automl.data.pixels import PixelCache, content_key, sweep
from automl.errors import DiskFull
from automl.records import ImageRecord
from automl.serving.predict import load_image


@pytest.fixture
def images(tmp_path):
    records = []
    for number in range(70):
        path = tmp_path / f"{number}.jpg"
        Image.new("RGB", (50 + number, 40), (number, 100, 0)).save(path)
        records.append(ImageRecord(path, path.name, "x", f"sha{number}", 50 + number, 40))
    return tuple(records)


def test_pixels_are_those_that_predict_py_would_see(images, tmp_path):
    cache = PixelCache(tmp_path / "cache", images)
    cache.decode([32, 64], lambda done, total: None)
    for size in (32, 64):
        pixels = cache.open(size)
        assert pixels.shape == (70, size, size, 3)
        assert np.array_equal(pixels[69], load_image(images[69].path, size))


def test_progress_counts_up_to_all(images, tmp_path):
    seen = []
    PixelCache(tmp_path / "cache", images).decode([32], lambda *step: seen.append(step))
    assert seen == [(64, 70), (70, 70)]


def test_what_is_there_is_not_decoded_again(images, tmp_path):
    cache = PixelCache(tmp_path / "cache", images)
    cache.decode([32], lambda done, total: None)
    for image in images:
        image.path.unlink()
    cache.decode([32], lambda done, total: None)
    assert cache.open(32).shape[0] == 70


def test_an_abort_leaves_nothing_behind(images, tmp_path):
    def abort(done, total):
        raise InterruptedError

    cache = PixelCache(tmp_path / "cache", images)
    with pytest.raises(InterruptedError):
        cache.decode([32], abort)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_full_disk_is_an_error_before_anything_is_decoded(images, tmp_path, monkeypatch):
    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(DiskFull):
        PixelCache(tmp_path / "cache", images).decode([32], lambda done, total: pytest.fail("decoded"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_sweep_removes_only_what_no_run_can_still_use(tmp_path):
    names = ("pixels-old.npy", ".features-old.npy.x.part", "features-old.npy", "pixels-new.npy")
    for name in names:
        (tmp_path / name).touch()
        if "old" in name:
            os.utime(tmp_path / name, (0, 0))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features-old.npy", "pixels-new.npy"]


def test_the_key_names_contents_order_and_size(images):
    key = content_key(images, 32)
    assert key == content_key(images, 32)
    assert len({key, content_key(images[::-1], 32), content_key(images, 64), content_key(images[1:], 32)}) == 4

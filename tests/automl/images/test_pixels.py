"""Each picture is decoded once, into arrays that are whole or not there."""

import errno
import os
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from automl.checked_files import sha256_of
from automl.errors import BadImage, DiskFull, StoreDamaged
from automl.images.pixels import PixelCache, content_key, mark_used, sweep
from automl.records import ImageRecord
from automl.serving.predict import RULES, PhotoRules, load_image

DAY_S = 24 * 3600


@pytest.fixture
def images(tmp_path):
    records = []
    for number in range(70):
        path = tmp_path / f"{number}.jpg"
        Image.new("RGB", (50 + number, 40), (number, 100, 0)).save(path)
        records.append(
            ImageRecord(path=path, name=path.name, label="x", sha256=sha256_of(path), width=50 + number, height=40)
        )
    return tuple(records)


def test_pixels_are_those_that_predict_py_would_see(images, tmp_path):
    cache = PixelCache(tmp_path / "cache", images, RULES)
    cache.decode([32, 64], lambda done, total: None)
    for size in (32, 64):
        pixels = cache.open(size)
        assert pixels.shape == (70, size, size, 3)
        assert np.array_equal(pixels[69], load_image(images[69].path, size))


def test_progress_counts_up_to_all(images, tmp_path):
    seen = []
    PixelCache(tmp_path / "cache", images, RULES).decode([32], lambda *step: seen.append(step))
    done = [step[0] for step in seen]
    assert done == sorted(done) and len(done) == 3
    assert seen[-1] == (70, 70)


def test_a_picture_that_is_whole_and_cannot_be_decoded_is_named(images, tmp_path):
    images[40].path.write_bytes(b"no picture")
    bad = replace(images[40], sha256=sha256_of(images[40].path))
    with pytest.raises(BadImage, match=r"40\.jpg can no longer be read \(This is not a picture"):
        PixelCache(tmp_path / "cache", (*images[:40], bad), RULES).decode([32], lambda done, total: None)


def test_damaged_pixels_are_decoded_again(images, tmp_path):
    cache = PixelCache(tmp_path / "cache", images, RULES)
    cache.decode([32], lambda done, total: None)
    expected = cache.open(32).copy()
    with cache.path(32).open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    cache.decode([32], lambda done, total: None)
    assert np.array_equal(cache.open(32), expected)


def test_what_is_there_is_not_decoded_again(images, tmp_path):
    cache = PixelCache(tmp_path / "cache", images, RULES)
    cache.decode([32], lambda done, total: None)
    for image in images:
        image.path.unlink()
    cache.decode([32], lambda done, total: None)
    assert cache.open(32).shape[0] == 70


def test_an_abort_leaves_nothing_behind(images, tmp_path):
    def abort(done, total):
        raise InterruptedError

    cache = PixelCache(tmp_path / "cache", images, RULES)
    with pytest.raises(InterruptedError):
        cache.decode([32], abort)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_photo_that_cannot_be_decoded_is_named(images, tmp_path):
    images[40].path.write_bytes(b"no picture")
    with pytest.raises(StoreDamaged, match=r"stored of 40\.jpg is not what was sent"):
        PixelCache(tmp_path / "cache", images, RULES).decode([32], lambda done, total: None)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_full_disk_is_an_error_before_anything_is_decoded(images, tmp_path, monkeypatch):
    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(DiskFull):
        PixelCache(tmp_path / "cache", images, RULES).decode([32], lambda done, total: pytest.fail("decoded"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_sweep_removes_only_what_no_run_can_still_use(tmp_path):
    left = ("pixels-old.npy", ".pixels-old.npy.x.part", "features-old.part")
    kept = ("features-old.npy", "pixels-new.npy", "features-new.part")
    for name in left + kept:
        (tmp_path / name).touch()
        if "old" in name:
            os.utime(tmp_path / name, (0, 0))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_sweep_removes_the_scratch_folders_of_killed_runs(tmp_path):
    for name in ("scratch-old", "scratch-new"):
        (tmp_path / name / "work").mkdir(parents=True)
    os.utime(tmp_path / "scratch-old", (0, 0))
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["scratch-new"]


def test_features_beyond_the_limit_go_those_first_that_lay_unused_longest(tmp_path):
    for days in (0, 2, 3, 4):
        path = tmp_path / f"features-{days}.npy"
        path.write_bytes(b"x" * 10)
        os.utime(path, (0, time.time() - days * DAY_S))
    assert mark_used(tmp_path / "features-3.npy")
    sweep(tmp_path, max_features_bytes=30)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"features-{days}.npy" for days in (0, 2, 3)]


def test_features_of_the_last_day_stay_whatever_the_limit(tmp_path):
    (tmp_path / "features-x.npy").write_bytes(b"x")
    sweep(tmp_path, max_features_bytes=0)
    assert (tmp_path / "features-x.npy").exists()
    assert not mark_used(tmp_path / "features-y.npy")


def test_the_key_names_contents_order_and_size(images):
    key = content_key(images, 32, RULES)
    assert key == content_key(images, 32, RULES)
    others = [content_key(images[::-1], 32, RULES), content_key(images, 64, RULES), content_key(images[1:], 32, RULES)]
    others.append(content_key(images, 32, PhotoRules(background=0)))
    assert len({key, *others}) == 5

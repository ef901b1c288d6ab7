"""Pixels are used while others are still being decoded."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.checked_files import sha256_of
from automl.errors import StoreDamaged
from automl.images.arriving import ArrivingPixels, arriving
from automl.images.pixels import PixelCache
from automl.records import ImageRecord
from automl.serving.predict import RULES, load_image


@pytest.fixture
def cache(tmp_path: Path) -> PixelCache:
    """Of 40 pictures, which two chunks hold."""
    images = []
    for number in range(40):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (20, 10), (number, 0, 0)).save(path)
        images.append(ImageRecord(path=path, name=path.name, label="x", sha256=sha256_of(path), width=20, height=10))
    return PixelCache(tmp_path / "cache", tuple(images), RULES)


def test_rows_are_there_before_all_are_and_in_the_end_files_are(
    cache: PixelCache,
) -> None:
    with arriving(cache, [8, 16]) as pixels:
        rows = pixels.of_size(8)
        assert len(rows) == 40
        np.testing.assert_array_equal(rows[2:4][1], load_image(cache.images[3].path, 8))
        assert rows[32:64].shape == (8, 8, 8, 3)
    assert cache.path(8).exists() and cache.path(16).exists()
    np.testing.assert_array_equal(cache.open(16)[39], load_image(cache.images[39].path, 16))


def test_rows_that_come_early_wait_for_those_before_them(cache: PixelCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ArrivingPixels, "_decode", lambda _self: None)
    pixels = ArrivingPixels(cache, [8])
    pixels._begin({8: np.arange(40)})
    for rows, n_there in ((range(32, 40), 0), (range(4), 4), (range(4, 32), 40)):
        pixels._take(rows)
        assert pixels._n_there == n_there
    np.testing.assert_array_equal(pixels.of_size(8)[30:99], np.arange(30, 40))


def test_what_is_decoded_already_is_opened(cache: PixelCache) -> None:
    cache.decode([8], lambda _done, _total: None)
    with arriving(cache, [8]) as pixels:
        assert pixels.of_size(8)[:40].shape == (40, 8, 8, 3)


def test_a_picture_that_cannot_be_read_is_named_where_its_row_is_asked_for(cache: PixelCache) -> None:
    cache.images[35].path.write_bytes(b"no picture")
    with pytest.raises(StoreDamaged, match=r"35\.png"), arriving(cache, [8]) as pixels:
        pixels.of_size(8)[30:40]
    assert list(cache.folder.iterdir()) == []


def test_who_stops_using_the_pixels_ends_the_decoding(cache: PixelCache) -> None:
    with pytest.raises(InterruptedError), arriving(cache, [8]):
        raise InterruptedError
    assert [path.name for path in cache.folder.iterdir() if path.suffix == ".part"] == []

"""Features of a small set of photos with a fake backbone: what is computed, kept, opened again and joined."""

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from automl.checked_files import sha256_of
from automl.models.weights.cache import InstalledWeights
from automl.records import ImageRecord
from automl.search import frozen, speeds
from automl.search.block import Block
from automl.search.frozen import FrozenFeatures
from automl.serving.predict import RULES, load_image

SIZE = 96
A, B = Block("a", SIZE), Block("b", SIZE)
A_MIRRORED = Block("a", SIZE, mirrored=True)


class LeftHalf:
    """Stands for a backbone of two taps: the mean colour of the left half, and that of the whole photo."""

    batch = timed_batch = 4
    n_images = 0

    def __init__(self, installed: InstalledWeights) -> None:
        self.tap_widths = installed.tap_widths

    def __call__(self, images: np.ndarray) -> np.ndarray:
        LeftHalf.n_images += len(images)
        left, whole = images[:, :, : images.shape[2] // 2], images
        return np.concatenate([view.mean(axis=(1, 2), dtype=np.float32) for view in (left, whole)], axis=1)


def ignore(done, total):
    pass


@pytest.fixture
def images(tmp_path):
    random = np.random.default_rng(0)
    for number in range(10):
        photo = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        photo.resize((100, 90)).save(tmp_path / f"{number}.png")
    return [
        ImageRecord(path=path, name=path.name, label="x", sha256=sha256_of(path), width=100, height=90)
        for path in (tmp_path / f"{n}.png" for n in range(10))
    ]


@pytest.fixture
def make(images, tmp_path, monkeypatch):
    """Makes the features of one run; all runs share a cache."""
    monkeypatch.setattr(frozen, "make_extractor", lambda installed, _n_images: LeftHalf(installed))
    monkeypatch.setattr(LeftHalf, "n_images", 0)
    for name in "ab":
        (tmp_path / f"{name}.onnx").write_bytes(b"12345")
    weights = {
        name: InstalledWeights(
            name=name,
            title=name,
            folder=tmp_path,
            origin="",
            location="",
            sha256=f"sha-{name}",
            licence="",
            note="",
            taps=("t", "u"),
            tap_widths=(3, 3),
        )
        for name in "ab"
    }
    return lambda **options: FrozenFeatures(images, weights, tmp_path / "cache", rules=RULES, **options)


def test_photos_are_decoded_once_for_all_ways_of_making_them_square(make, images):
    rules = [RULES, replace(RULES, aspect="whole", background=0)]
    squeezed, whole = make().last_layers_by(rules, [3, 1, 4, 0, 9], A, ignore)
    assert squeezed.shape == whole.shape == (5, 3)
    expected = load_image(images[1].path, SIZE, rules[1]).mean(axis=(0, 1))
    assert whole[1] == pytest.approx(expected, abs=0.1)
    assert (whole < squeezed).all()


def test_features_are_kept_apart_by_how_photos_become_square(make):
    squeezed, whole = make(), make()
    whole.decode_by(replace(RULES, aspect="whole", background=0))
    squeezed.compute(A, ignore)
    assert not whole.is_computed(A)
    whole.compute(A, ignore)
    assert (whole.last_layer() < squeezed.last_layer()).all()


def params(backbones="a", taps="several", views="plain"):
    return {"backbones": backbones, "taps": taps, "image_size_px": SIZE, "views": views}


def test_a_second_run_computes_nothing(make):
    first = make()
    for block in (A, A_MIRRORED):
        first.compute(block, ignore)
    first.release_pixels([SIZE])
    assert LeftHalf.n_images == 20
    second = make()
    assert second.computed() == {A, A_MIRRORED}
    second.decode([A, A_MIRRORED], lambda done, total: pytest.fail("decoded"))
    second.compute(A, ignore)
    assert (LeftHalf.n_images, second.available()) == (20, {A})


def test_an_aborted_block_goes_on_where_it_was(make):
    def abort(done, total):
        if LeftHalf.n_images == 8:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        make().compute(A, abort)
    features = make()
    assert not features.is_computed(A)
    features.compute(A, ignore)
    assert LeftHalf.n_images == 10
    assert features.joined(params()).n_rows == 10


def test_photos_are_decoded_while_the_first_block_is_computed(make, tmp_path):
    plain = make()
    plain.compute(A, ignore)
    expected = np.array(plain.joined(params()).take(np.arange(10)))
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    features = make(overlaps=True)
    features.decode([A, Block("b", 128)], lambda done, total: pytest.fail("decoded before it was needed"))
    progress = []
    features.compute(A, lambda *done: progress.append(done))
    assert progress == [(4, 10), (8, 10), (10, 10)]
    np.testing.assert_array_equal(features.joined(params()).take(np.arange(10)), expected)
    sizes = {np.load(path, mmap_mode="r").shape[1] for path in (tmp_path / "cache").glob("pixels-*.npy")}
    assert sizes == {SIZE, 128}


def test_who_stops_in_the_middle_ends_the_decoding_too(make, tmp_path):
    def abort(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        make(overlaps=True).compute(A, abort)
    assert not list((tmp_path / "cache").glob(".*.part"))


def test_features_in_use_are_not_the_first_to_be_swept(make, tmp_path):
    make().compute(A, ignore)
    (path,) = (tmp_path / "cache").glob("features-*.npy")
    os.utime(path, (0, 0))
    make().compute(A, ignore)
    assert time.time() - path.stat().st_mtime < 60


def test_pixels_are_decoded_when_they_are_asked_for(make, images):
    pixels = make().pixels(32)
    assert np.array_equal(pixels[3], load_image(images[3].path, 32))


def test_only_sizes_with_something_to_compute_are_decoded(make, tmp_path):
    features = make()
    features.compute(A, ignore)
    features.release_pixels([SIZE])
    features.decode([A, Block("a", 128)], ignore)
    (decoded,) = (tmp_path / "cache").glob("pixels-*.npy")
    assert np.load(decoded, mmap_mode="r").shape[1] == 128


def test_taps_of_fused_backbones_stand_side_by_side(make):
    features = make()
    for block in (A, B):
        features.compute(block, ignore)
    joined = features.joined(params("a+b"))
    alone = features.joined(params("a", taps="last"))
    assert (joined.n_features, alone.n_features) == (12, 3)
    np.testing.assert_allclose(joined.normalisation.mean[3:6], alone.normalisation.mean)
    np.testing.assert_allclose(joined.take(np.arange(10))[:, 3:6] * 4, alone.take(np.arange(10)), rtol=1e-4)


def test_mirrored_features_are_those_of_mirrored_photos(make):
    features = make()
    for block in (A, A_MIRRORED):
        features.compute(block, ignore)
    joined = features.joined(params(views="mirrored"))
    rows = np.arange(10)
    left, whole = np.split(joined.take(rows) / joined.normalisation.scale, 2, axis=1)
    right, same = np.split(joined.take_mirrored(rows) / joined.normalisation.scale, 2, axis=1)
    np.testing.assert_allclose(whole, same, atol=0.2)
    middle = joined.normalisation.mean[3:] - joined.normalisation.mean[:3]
    np.testing.assert_allclose((left + right) / 2 - middle, whole, atol=0.2)
    assert np.abs(left - right).max() > 5


def test_a_join_is_kept_for_the_next_trial(make):
    features = make()
    features.compute(A, ignore)
    assert features.joined(params()).plain is features.joined(params()).plain


def test_joins_stay_within_their_memory(make):
    """Room for one matrix of 10 x 6 numbers: the older join makes way, and mirrored ones are read from disk."""
    features = make(max_bytes=250)
    for block in (A, B, A_MIRRORED):
        features.compute(block, ignore)
    first = features.joined(params("a")).plain
    assert features.joined(params("b")).plain.n_bytes > 0
    assert features.joined(params("a")).plain is not first
    both = features.joined(params("a", views="mirrored"))
    assert both.plain.n_bytes > 0 and both.mirrored.n_bytes == 0
    assert features.joined(params("a+b")).plain.n_bytes == 0


def test_probing_is_done_once(make):
    features = make()
    assert features.seconds_per_image("a") == features.seconds_per_image("a") > 0
    assert LeftHalf.n_images == 12


def test_latency_grows_with_the_area(make, monkeypatch):
    monkeypatch.setattr(speeds, "OnnxExtractor", LeftHalf)
    features = make()
    assert features.latency_s("a", 112) == pytest.approx(features.latency_s("a", 224) / 4)
    assert features.latency_s("a", 224) > 0
    assert features.model_bytes("a") == 5


def test_trials_cannot_use_what_is_not_there(make):
    with pytest.raises(KeyError):
        make().joined(params())


def test_after_a_block_its_own_speed_counts(make, monkeypatch):
    monkeypatch.setattr(speeds, "_FEWEST_TIMED", 4)
    now = iter(np.arange(100.0))
    features = make()
    timed = features.seconds_per_image("a")
    monkeypatch.setattr(speeds.time, "perf_counter", lambda: next(now))
    features.compute(A, ignore)  # batches of 4, 4 and 2 photos: the last six of them within two ticks
    assert timed != features.seconds_per_image("a") == pytest.approx(2 / 6 * (224 / SIZE) ** 2)


def test_too_few_photos_tell_nothing_of_the_speed(make):
    features = make()
    timed = features.seconds_per_image("a")
    features.compute(A, ignore)
    assert features.seconds_per_image("a") == timed


def test_damaged_features_are_computed_again(make):
    """Without a checksum, the run would be wrong in silence, or fail each time."""
    make().compute(A, ignore)
    features = make()
    path = features._path(A)
    expected = np.load(path)
    with path.open("r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(b"damaged!")
    assert not features.is_computed(A)
    features.compute(A, ignore)
    assert np.array_equal(np.load(path), expected)

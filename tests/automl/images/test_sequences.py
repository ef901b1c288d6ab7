"""Stretches are found where neighbours are far more alike than pictures that stand far apart, and only there."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from automl.images.fingerprint import FINGERPRINT_PX, traits_of
from automl.images.sequences import find_sequences, joined
from tests.automl.images.faults import photo


def fingerprint(image: Image.Image) -> np.ndarray:
    return np.frombuffer(traits_of(image, width=1, height=1, format="JPEG").fingerprint, np.uint8)


def series(images: list[Image.Image]) -> np.ndarray:
    return np.stack([fingerprint(image) for image in images])


def scene(seed: int) -> Image.Image:
    return photo(np.random.default_rng(seed), (400, 300))


def pan(seed: int, n_frames: int) -> list[Image.Image]:
    """The frames of a camera that moves over a scene and turns."""
    still = scene(seed)
    return [
        still.rotate(i / 2).crop((20 + 4 * i, 20 + 2 * i, 260 + 4 * i, 200 + 2 * i)).resize((96, 72))
        for i in range(n_frames)
    ]


def burst(seed: int, n_frames: int) -> list[Image.Image]:
    """Photos of one thing from a hand that is not steady."""
    random = np.random.default_rng(seed)
    still, frames = scene(seed), []
    for _ in range(n_frames):
        x, y, side = random.uniform(30, 60), random.uniform(30, 60), random.uniform(0.62, 0.7)
        frames.append(
            still.rotate(random.uniform(-5, 5)).crop((int(x), int(y), int(x + 400 * side), int(y + 300 * side)))
        )
    return frames


def turntable(seed: int, n_frames: int, step: float = 15) -> list[Image.Image]:
    """A thing from all sides, as the middle of a picture that is turned."""
    still = scene(seed)
    return [still.rotate(step * i, Image.Resampling.BILINEAR).crop((110, 60, 290, 240)) for i in range(n_frames)]


def firsts(*sizes: int) -> list[int]:
    starts = np.cumsum([0, *sizes[:-1]])
    return [int(start) for start, size in zip(starts, sizes, strict=True) for _ in range(size)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("take", [pan, burst])
def test_clips_are_cut_where_the_scene_changes(take, seed):
    sizes = (12, 5, 20, 8)
    frames = [frame for number, n in enumerate(sizes) for frame in take(100 * seed + number, n)]
    assert find_sequences(series(frames)).tolist() == firsts(*sizes)


@pytest.mark.parametrize("seed", range(10))
def test_different_things_are_no_sequence_however_they_are_numbered(seed):
    things = series([scene(1000 * seed + i) for i in range(60)])
    assert find_sequences(things).tolist() == list(range(60))


def test_one_frame_that_is_out_of_place_does_not_cut_a_clip():
    frames = pan(1, 12) + pan(2, 12)
    frames[5] = scene(3).resize((96, 72))
    assert find_sequences(series(frames)).tolist() == [*[0] * 5, 5, *[0] * 6, *[12] * 12]


def test_two_clips_that_take_turns_are_told_apart():
    frames = [frame for pair in zip(pan(1, 10), pan(2, 10), strict=True) for frame in pair] + pan(3, 10) + pan(4, 10)
    assert find_sequences(series(frames)).tolist() == [*[0, 1] * 10, *[20] * 10, *[30] * 10]


def test_bursts_among_single_photos_are_found():
    frames = [scene(500 + i) for i in range(20)]
    frames[8:8] = burst(1, 6)
    assert find_sequences(series(frames)).tolist() == [*range(8), *[8] * 6, *range(14, 26)]


def test_one_long_clip_is_one_sequence():
    assert find_sequences(series(pan(4, 40))).tolist() == [0] * 40


@pytest.mark.parametrize("step", [5, 10, 15, 20])
def test_turntables_are_found_whatever_their_step(step):
    frames = [frame for seed in range(6) for frame in turntable(seed, 12, step)]
    assert find_sequences(series(frames)).tolist() == firsts(*[12] * 6)


@pytest.mark.parametrize("seed", range(3))
def test_a_burst_that_is_all_there_is_is_told_by_pictures_of_other_things(seed):
    frames, others = series(burst(seed, 30)), series([scene(800 + i) for i in range(30)])
    assert find_sequences(frames, others).tolist() == [0] * 30
    assert find_sequences(frames, frames[::2]).tolist() != [0] * 30


@pytest.mark.parametrize("seed", range(3))
def test_a_short_burst_beside_a_long_one_is_found(seed):
    frames, others = series([*burst(seed, 40), *burst(70 + seed, 5)]), series([scene(800 + i) for i in range(30)])
    assert find_sequences(frames, others).tolist() == firsts(40, 5)


def test_the_photos_of_a_fixed_camera_are_no_sequence():
    """All are alike, so neighbours are not more alike than others; what differs is a small part, light and noise."""
    random, still = np.random.default_rng(0), np.asarray(scene(7), float)
    frames = []
    for _ in range(40):
        x, y = random.integers(0, 300), random.integers(0, 220)
        noisy = still * random.uniform(0.8, 1.2) + random.normal(0, 4, still.shape)
        noisy[y : y + 60, x : x + 30] = random.integers(0, 255, 3)
        frames.append(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)))
    assert find_sequences(series(frames)).tolist() == list(range(40))


@pytest.mark.parametrize("n", range(6))
def test_a_few_photos_are_no_sequence(n):
    assert find_sequences(np.zeros((n, FINGERPRINT_PX**2), np.uint8)).tolist() == list(range(n))


def test_things_hang_together_through_pairs():
    assert joined(6, np.array([(4, 2), (2, 1), (5, 3)])).tolist() == [0, 1, 1, 3, 1, 3]
    assert joined(2, np.zeros((0, 2), np.int64)).tolist() == [0, 1]


def test_small_digits_are_alike_by_chance_and_no_sequence():
    digits = []
    for seed in range(400):
        random = np.random.default_rng(seed)
        x = [int(v) for v in random.integers(-3, 4, 4)]
        digit = Image.new("L", (28, 28))
        ImageDraw.Draw(digit).line([14 + x[0], 4 + x[1], 12 + x[2], 24 + x[3]], fill=255, width=3)
        digits.append(digit.filter(ImageFilter.GaussianBlur(0.6)).convert("RGB"))
    assert find_sequences(series(digits)).tolist() == list(range(400))
    others = series([scene(i) for i in range(30)])
    assert find_sequences(series(digits), others).tolist() == list(range(400))

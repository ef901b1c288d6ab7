import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.images.detail import details_from
from automl.images.fingerprint import FINGERPRINT_PX, traits_of
from automl.images.near_copies import copy_groups, near_copies
from automl.images.verify import inspect_photo
from automl.serving.predict import open_rgb
from tests.automl.images.faults import (
    CHANGES,
    Planted,
    as_jpeg,
    fingerprints_of,
    photo,
    planted,
    precision_of,
    recall_of,
)
from tests.automl.images.scenes import Shots, background, fixed_camera, opened, taken

REPOSITORY = Path(__file__).resolve().parents[3]
N_PICTURES, N_ALTERED = 300, 60


@pytest.fixture(scope="module")
def files() -> list[Planted]:
    return list(planted(N_PICTURES, N_ALTERED))


@pytest.fixture(scope="module")
def groups(files: list[Planted]) -> np.ndarray:
    return near_copies(fingerprints_of(files))


@pytest.mark.parametrize("change", CHANGES)
def test_altered_copies_are_found(files: list[Planted], groups: np.ndarray, change: str) -> None:
    assert recall_of(files, groups, change) >= 0.95


def test_exact_copies_are_always_found(files: list[Planted], groups: np.ndarray) -> None:
    assert recall_of(files, groups, "exact") == 1


def test_different_pictures_are_not_joined(files: list[Planted], groups: np.ndarray) -> None:
    assert precision_of(files, groups) >= 0.99


def test_a_group_has_the_smallest_index_of_its_members(groups: np.ndarray) -> None:
    for group in np.unique(groups):
        assert np.flatnonzero(groups == group)[0] == group


def test_the_order_of_the_pictures_hardly_matters(files: list[Planted], groups: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(len(files))
    shuffled = near_copies(fingerprints_of(files)[order])
    together = shuffled[:, None] == shuffled[None, :]
    before = groups[order][:, None] == groups[order][None, :]
    assert (together != before).sum() <= 0.02 * before.sum()


def test_no_picture_and_one_picture() -> None:
    assert near_copies(np.zeros((0, FINGERPRINT_PX**2), np.uint8)).tolist() == []
    assert near_copies(fingerprint(photo(np.random.default_rng(0)))[None]).tolist() == [0]


def test_fingerprints_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        near_copies(np.zeros((3, 7), np.uint8))


def test_blank_pictures_are_copies_only_of_equal_ones() -> None:
    shades = [Image.new("RGB", (64, 64), (shade,) * 3) for shade in (0, 40, 40, 90, 255)]
    lively = photo(np.random.default_rng(0))
    assert near_copies(np.stack([fingerprint(image) for image in (*shades, lively)])).tolist() == [0, 1, 1, 3, 4, 5]


def test_noise_is_no_copy_of_other_noise() -> None:
    noise = np.random.default_rng(0).integers(120, 136, (40, FINGERPRINT_PX**2)).astype(np.uint8)
    assert len(np.unique(near_copies(noise))) == 40


def test_the_same_light_with_another_detail_is_another_picture() -> None:
    ramp = np.linspace(40, 200, FINGERPRINT_PX)[None].repeat(FINGERPRINT_PX, axis=0)
    detail = np.random.default_rng(0).normal(0, 8, (30, FINGERPRINT_PX, FINGERPRINT_PX))
    fingerprints = (ramp + detail).clip(0, 255).astype(np.uint8).reshape(30, -1)
    assert len(np.unique(near_copies(fingerprints))) == 30


def test_a_series_does_not_grow_from_one_resemblance_to_the_next_without_end() -> None:
    """Each of 200 frames is nearly the one before, the last is nothing like the first."""
    random = np.random.default_rng(0)
    keys = np.stack([fingerprint(photo(random)).astype(float) for _ in range(5)])
    steps = np.linspace(0, 4, 200)
    fingerprints = np.stack(
        [np.array([np.interp(step, range(5), keys[:, at]) for at in range(FINGERPRINT_PX**2)]) for step in steps]
    )
    found = near_copies(fingerprints.astype(np.uint8))
    assert 4 <= len(np.unique(found)) <= 100
    assert np.bincount(found).max() < 80


def test_thousands_are_compared_in_seconds() -> None:
    random = np.random.default_rng(0)
    fingerprints = np.stack([fingerprint(photo(random, (48, 48))) for _ in range(1500)])
    start = time.process_time()
    near_copies(fingerprints)
    assert time.process_time() - start < 5


@pytest.mark.data
@pytest.mark.parametrize("change", CHANGES)
def test_altered_copies_of_real_photographs_are_found_and_nothing_else(change: str) -> None:
    data = Path(os.environ.get("DARKROOM_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    paths = sorted((data / "beans" / "validation").rglob("*.jpg"))
    if not paths:
        pytest.skip(f"the measuring photographs are not at {data}; set DARKROOM_TEST_DATA")
    random = np.random.default_rng(0)
    images = [open_rgb(path) for path in paths]
    copies = [CHANGES[change](image, random) for image in images]
    found = near_copies(np.stack([fingerprint(image) for image in (*images, *copies)]))
    assert (found[: len(paths)] == np.arange(len(paths))).all()
    assert (found[len(paths) :] == np.arange(len(paths))).mean() >= 0.95


def fingerprint(image: Image.Image) -> np.ndarray:
    return np.frombuffer(traits_of(image, width=image.width, height=image.height, format="PNG").fingerprint, np.uint8)


def fixed_camera_of(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Fingerprints and details of as many shots of one scene: each has other light and other noise."""
    random = np.random.default_rng(0)
    traits = [
        traits_of(image, width=image.width, height=image.height, format="PNG")
        for image in (opened(taken(background(1), Shots(quality=0), random)) for _ in range(20))
    ]
    prints = np.stack([np.frombuffer(one.fingerprint, np.uint8) for one in traits])[np.arange(n) % 20]
    details = details_from([one.detail for one in traits])[np.arange(n) % 20].copy()
    prints = (prints + random.integers(-1, 2, prints.shape)).clip(0, 255).astype(np.uint8)
    noise = random.normal(0, 4, details["patches"].shape)
    details["patches"] = (details["patches"] + noise).clip(0, 255).astype(np.uint8)
    details["means"] = (details["means"] + random.normal(0, 400, details["means"].shape)).clip(0, 65535)
    return prints, details


def test_none_of_a_thousand_photos_of_a_fixed_camera_counts_as_a_copy() -> None:
    """Each resembles each; how long that takes is measured by `bench.doctor`."""
    prints, details = fixed_camera_of(1200)
    groups = copy_groups(prints, details)
    assert len(np.unique(groups.near)) == 1
    assert len(np.unique(groups.original)) == 1200


def test_a_copy_among_the_photos_of_a_fixed_camera_is_found_by_its_noise() -> None:
    prints, details = fixed_camera_of(300)
    copied = np.arange(0, 300, 10)
    again = details[copied].copy()
    again["patches"] = (again["patches"] + np.random.default_rng(1).normal(0, 0.2, again["patches"].shape)).round()
    groups = copy_groups(np.concatenate([prints, prints[copied]]), np.concatenate([details, again]))
    assert (groups.original[300:] == groups.original[copied]).mean() >= 0.95
    assert len(np.unique(groups.original[:300])) == 300


@pytest.fixture(scope="module")
def still_shots() -> list[bytes]:
    return [content for shots in fixed_camera("machine", 60, Shots()).values() for content in shots]


@pytest.mark.parametrize("change", ["saved_again", "resized", "brightened", "mirrored"])
def test_altered_copies_among_the_photos_of_a_fixed_camera_are_found(still_shots: list[bytes], change: str) -> None:
    copied = range(0, len(still_shots), 10)
    copies = [as_jpeg(CHANGES[change](opened(still_shots[i]), np.random.default_rng(i))) for i in copied]
    n = len(still_shots)
    groups = copy_groups(*looked_at([*still_shots, *copies]))
    assert (groups.original[n:] == groups.original[list(copied)]).mean() >= 0.9
    assert len(np.unique(groups.original[:n])) >= n - 1


def looked_at(contents: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    traits = [inspect_photo(io.BytesIO(content), 10**8)[0] for content in contents]
    prints = np.stack([np.frombuffer(one.fingerprint, np.uint8) for one in traits])
    return prints, details_from([one.detail for one in traits])

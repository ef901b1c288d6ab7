"""Augmentation: pictures are moved, recoloured and mixed as drawn, and a seed draws the same."""

import keras
import numpy as np
import pytest

from automl.models.fine_tuning.augment import (
    Policy,
    draw_colours,
    draw_maps,
    draw_mixing,
    mix,
    recolour,
    resize,
    warp,
)


def pictures(n: int = 3, side: int = 32, seed: int = 0) -> np.ndarray:
    """Smooth, so that half a pixel's difference shows but is small."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (n, 4, 4, 3)).astype(np.float32)
    return np.asarray(keras.ops.image.resize(coarse, (side, side))).astype(np.uint8)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_policy_that_allows_nothing_changes_nothing() -> None:
    images = pictures()
    maps = draw_maps(Policy(), 3, from_px=32, to_px=32, random=random())
    np.testing.assert_allclose(warp(images, maps, 32), images, atol=1e-3)
    np.testing.assert_allclose(
        recolour(images.astype(np.float32), draw_colours(Policy(), 3, random())), images, atol=0.1
    )
    assert draw_mixing(Policy(), 3, random()) is None


def test_a_flip_mirrors_the_picture_exactly() -> None:
    images = pictures(16)
    maps = draw_maps(Policy(flips="horizontal"), 16, from_px=32, to_px=32, random=random())
    flipped = np.asarray(warp(images, maps, 32))
    kinds = [
        (np.abs(new - old).max() < 0.01, np.abs(new - old[:, ::-1]).max() < 0.01)
        for new, old in zip(flipped, images.astype(float), strict=True)
    ]
    assert {kind.index(True) for kind in kinds} == {0, 1}


def test_both_flips_turn_a_picture_upside_down_too() -> None:
    maps = draw_maps(Policy(flips="both"), 64, from_px=32, to_px=32, random=random())
    assert {tuple(signs) for signs in np.sign(maps[:, [0, 4]])} == {(1, 1), (1, -1), (-1, 1), (-1, -1)}


def test_a_crop_lies_within_the_picture_and_keeps_its_share_of_the_area() -> None:
    maps = draw_maps(Policy(crop=0.4), 200, from_px=64, to_px=32, random=random())
    corners = np.stack([maps[:, 2], maps[:, 5], maps[:, 0] * 31 + maps[:, 2], maps[:, 4] * 31 + maps[:, 5]])
    assert corners.min() >= -0.5
    assert corners.max() <= 63.5
    share = maps[:, 0] * maps[:, 4] * 32 * 32 / 64**2
    assert 0.39 < share.min() < 0.5
    assert 0.9 < share.max() <= 1.001


def test_a_rotation_keeps_the_centre_and_the_size() -> None:
    a0, a1, a2, b0, b1, b2 = draw_maps(Policy(rotation_deg=30), 50, from_px=32, to_px=32, random=random())[:, :6].T
    np.testing.assert_allclose([a0 * 15.5 + a1 * 15.5 + a2, b0 * 15.5 + b1 * 15.5 + b2], 15.5, atol=1e-4)
    np.testing.assert_allclose(a0 * b1 - a1 * b0, 1, atol=1e-5)
    assert np.abs(np.rad2deg(np.arctan2(b0, a0))).max() == pytest.approx(30, abs=3)


def test_a_larger_cache_is_brought_to_the_networks_size() -> None:
    images = pictures(side=64)
    warped = np.asarray(warp(images, draw_maps(Policy(), 3, from_px=64, to_px=32, random=random()), 32))
    np.testing.assert_allclose(warped, resize(images, 32), atol=8)


def test_resizing_is_that_of_a_delivered_model() -> None:
    images = pictures(side=48).astype(np.float32)
    layer = keras.layers.Resizing(32, 32, interpolation="bilinear", antialias=True)
    np.testing.assert_allclose(resize(images, 32), layer(images), atol=1e-3)


def test_colours_stay_within_a_pixels_range() -> None:
    images = pictures().astype(np.float32)
    changed = np.asarray(recolour(images, draw_colours(Policy(colour=0.9), 3, random())))
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert np.abs(changed - images).max() > 10


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_targets_are_mixed_as_the_pictures_are(kind: str) -> None:
    """Pictures of a single value: their mean tells how much is left of each."""
    mixing = draw_mixing(Policy(mix=kind), 8, random(1))
    assert mixing is not None
    one_hot = np.eye(8, dtype=np.float32)
    images = np.tile(one_hot[:, None, None, :], (1, 64, 64, 1))
    mixed = np.asarray(mix(images, mixing))
    np.testing.assert_allclose(mixed.mean(axis=(1, 2)), mixing.of_targets(one_hot), atol=0.04)


def test_mixup_leaves_at_least_half_of_the_picture() -> None:
    mixing = draw_mixing(Policy(mix="mixup"), 100, random())
    assert mixing is not None
    assert mixing.boxes is None
    assert mixing.share.min() >= 0.5


def test_one_seed_draws_the_same() -> None:
    policy = Policy(flips="both", crop=0.5, rotation_deg=20, colour=0.3, mix="cutmix")
    first, second = (draw_maps(policy, 5, from_px=64, to_px=32, random=random(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)

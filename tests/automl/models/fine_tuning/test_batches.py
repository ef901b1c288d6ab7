"""What a network is fed with: photos as they are drawn, activations as they were stored."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from automl.models.fine_tuning import batches
from automl.models.fine_tuning.augment import Policy
from automl.models.fine_tuning.batches import ActivationBatches, PhotoBatches

N, SIDE = 10, 16
PIXELS = np.random.default_rng(0).integers(0, 256, (N, SIDE, SIDE, 3), np.uint8)
ROWS, HELD_OUT = np.arange(6), np.arange(6, N)


def stem(images: object) -> list[np.ndarray]:
    """The left half of the picture as an activation, and its mean as a pooled tap."""
    values = np.asarray(images, np.float32) / 256
    return [values[:, :, : SIDE // 2].astype(np.float16), values.mean(axis=(1, 2))]


def stored(policy: Policy, folder: Path, on_work: Callable[[], None] = lambda: None) -> ActivationBatches:
    photos = PhotoBatches(PIXELS, SIDE, policy)
    made = ActivationBatches(photos=photos, stem=stem, policy=policy, n_photos=N, folder=folder, seed=0)
    made.prepare(ROWS, HELD_OUT, batch_size=4, on_work=on_work)
    return made


def test_photos_are_given_as_they_are() -> None:
    photos = PhotoBatches(PIXELS, SIDE, Policy(flips="both", crop=0.5, mix="mixup"))
    np.testing.assert_array_equal(photos.plain(ROWS)[0], PIXELS[ROWS])


def test_a_seed_draws_the_same_photos() -> None:
    photos = PhotoBatches(PIXELS, 8, Policy(flips="both", crop=0.5, rotation_deg=10, colour=0.2, mix="cutmix"))
    (first, mixing), (second, _) = (photos.augmented(ROWS, np.random.default_rng(3)) for _ in range(2))
    assert mixing is not None
    assert first[0].shape == (len(ROWS), 8, 8, 3)
    np.testing.assert_array_equal(first[0], second[0])


@pytest.mark.parametrize(
    ("policy", "n_views"),
    [(Policy(), 1), (Policy(flips="horizontal"), 2), (Policy(crop=0.5), 3), (Policy(flips="both", colour=0.1), 4)],
)
def test_the_policy_says_which_views_are_stored(policy: Policy, n_views: int, tmp_path: Path) -> None:
    assert stored(policy, tmp_path).n_views == n_views
    assert len(list(tmp_path.glob("view-*-0.f16"))) == n_views


def test_held_out_photos_are_predicted_from_their_own_activations(tmp_path: Path) -> None:
    activations, pooled = stored(Policy(flips="horizontal"), tmp_path).plain(HELD_OUT[::-1])
    expected = stem(PIXELS[HELD_OUT[::-1]])
    np.testing.assert_array_equal(activations, expected[0])
    np.testing.assert_allclose(pooled, expected[1], atol=1e-3)


def test_training_sees_each_photo_as_it_is_or_mirrored(tmp_path: Path) -> None:
    made = stored(Policy(flips="horizontal"), tmp_path)
    (activations, _), mixing = made.augmented(np.zeros(40, int), np.random.default_rng(0))
    assert mixing is None
    plain, mirrored = (stem(pixels)[0][0] for pixels in (PIXELS[:1], PIXELS[:1, :, ::-1]))
    is_plain = [np.array_equal(one, plain) for one in activations]
    is_mirrored = [np.array_equal(one, mirrored) for one in activations]
    assert np.logical_xor(is_plain, is_mirrored).all()
    assert 0 < sum(is_plain) < 40


def test_pooled_taps_are_mixed_as_much_as_the_activations(tmp_path: Path) -> None:
    made = stored(Policy(mix="mixup"), tmp_path)
    (activations, pooled), mixing = made.augmented(ROWS, np.random.default_rng(0))
    assert mixing is not None
    share = mixing.share[:, None]
    whole = stem(PIXELS[ROWS])
    np.testing.assert_allclose(pooled, share * whole[1] + (1 - share) * whole[1][mixing.partner], atol=2e-3)
    expected = share[..., None, None] * whole[0] + (1 - share[..., None, None]) * whole[0][mixing.partner]
    np.testing.assert_allclose(activations, expected, atol=5e-3)


def test_where_the_disk_is_small_fewer_views_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_STORED_BYTES", 1)
    stored(Policy(flips="horizontal", crop=0.5), tmp_path)
    assert len(list(tmp_path.glob("view-*-0.f16"))) == 1


def test_storing_can_be_ended(tmp_path: Path) -> None:
    def over() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        stored(Policy(), tmp_path, over)


def test_what_one_fold_has_stored_serves_the_others(tmp_path: Path) -> None:
    made, steps = stored(Policy(flips="horizontal"), tmp_path), list[None]()
    made.prepare(HELD_OUT, ROWS, batch_size=4, on_work=lambda: steps.append(None))
    assert len(steps) == 1  # the mirror images of four photos; everything else is there
    for rows in (ROWS, HELD_OUT):
        np.testing.assert_array_equal(made.plain(rows)[0], stem(PIXELS[rows])[0])
    (activations, _), _ = made.augmented(np.repeat(HELD_OUT, 20), np.random.default_rng(0))
    mirrored = stem(PIXELS[HELD_OUT[3:], :, ::-1])[0][0]
    assert any(np.array_equal(one, mirrored) for one in activations[60:])
    made.clear()
    made.prepare(ROWS, HELD_OUT[:0], batch_size=4, on_work=lambda: steps.append(None))
    assert len(steps) == 5
    assert (tmp_path / "view-0-0.f16").stat().st_size == stem(PIXELS[ROWS])[0].nbytes


def test_the_disk_has_its_blocks_back_at_once(tmp_path: Path) -> None:
    """What still maps a deleted file keeps its blocks, and a cycle would wait for the garbage collector."""
    made = stored(Policy(flips="horizontal"), tmp_path)
    maps = [weakref.ref(part) for view in made._views for part in view._parts]
    gc.disable()
    try:
        made.clear()
        assert maps and not any(ref() is not None for ref in maps)
    finally:
        gc.enable()


def test_a_storing_that_was_ended_goes_on(tmp_path: Path) -> None:
    photos = PhotoBatches(PIXELS, SIDE, Policy())
    made = ActivationBatches(photos=photos, stem=stem, policy=Policy(), n_photos=N, folder=tmp_path, seed=0)
    n_steps = 0

    def over() -> None:
        nonlocal n_steps
        n_steps += 1
        if n_steps == 2:
            raise MemoryError

    with pytest.raises(MemoryError):
        made.prepare(ROWS, HELD_OUT, batch_size=4, on_work=over)
    made.prepare(ROWS, HELD_OUT, batch_size=2, on_work=over)
    assert n_steps == 3
    np.testing.assert_array_equal(made.plain(np.arange(N))[0], stem(PIXELS)[0])

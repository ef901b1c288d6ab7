"""The arithmetic of heat maps, by hand and by small differences."""

import itertools

import numpy as np
import pytest

from automl.serving.heat import (
    HEAT_PX,
    ExplainedHead,
    Layers,
    evidence,
    linearised,
    on_photo,
    resized,
    shown,
    typical_of,
)

CLASSES = np.array([0, 2, 1])


def test_a_linear_head_is_its_own_gradient() -> None:
    kernel, bias = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])
    gradient, biases = linearised(((kernel, bias),), np.zeros((2, 2)), np.array([1, 0]))
    assert gradient.tolist() == [[2, 4], [1, 3]]
    assert biases.tolist() == [6, 5]


def test_a_hidden_unit_that_is_off_passes_nothing_on() -> None:
    """By hand: x = (1, 2) gives units 1 + 2 + 1 = 4 and 1 - 2 - 1 = -2, which is off; the logit is 3 * 4 + 7."""
    first = np.array([[1.0, 1.0], [1.0, -1.0]]), np.array([1.0, -1.0])
    last = np.array([[3.0], [100.0]]), np.array([7.0])
    gradient, biases = linearised((first, last), np.array([[1.0, 2.0]]), np.array([0]))
    assert gradient.tolist() == [[3, 3]]
    assert biases.tolist() == [3 * 1 + 7]


def spot(row: int, column: int) -> np.ndarray:
    """A map of 30 x 30 with heat in a ninth of it."""
    heat = np.zeros((30, 30), np.float32)
    heat[10 * row : 10 * row + 10, 10 * column : 10 * column + 10] = 1
    return heat


def test_the_heat_of_a_whole_photo_is_where_the_photo_is_in_its_square() -> None:
    placed = on_photo(spot(1, 0), (300, 100), "whole")
    assert placed.shape == (100, 300)
    assert placed[20:80, 20:80].min() > 0.9 and abs(placed[:, 120:]).max() < 0.1
    assert abs(on_photo(spot(0, 0), (300, 100), "whole")[20:]).max() < 0.1  # it is in the bar above


def test_the_heat_of_a_cropped_photo_is_in_its_middle() -> None:
    placed = on_photo(spot(0, 0), (100, 300), "crop")
    assert placed.shape == (300, 100)
    assert placed[105:125, 5:25].min() > 0.9 and abs(placed[:100]).max() == abs(placed[200:]).max() == 0


def test_the_heat_of_a_squeezed_photo_is_stretched_with_it() -> None:
    heat = spot(1, 2)
    assert on_photo(heat, (300, 100), "squeeze") is heat


def random_layers(*widths: int) -> Layers:
    random = np.random.default_rng(0)
    return tuple(
        (random.normal(size=(n_in, n_out)), random.normal(size=n_out)) for n_in, n_out in itertools.pairwise(widths)
    )


def logits_of(layers: Layers, values: np.ndarray) -> np.ndarray:
    for number, (kernel, bias) in enumerate(layers):
        values = (np.maximum(values, 0) if number else values) @ kernel + bias
    return values


@pytest.mark.parametrize("hidden", [(), (16,), (16, 8)])
def test_gradient_and_biases_together_are_the_logit(hidden: tuple[int, ...]) -> None:
    layers, features = random_layers(12, *hidden, 3), np.random.default_rng(1).normal(size=(3, 12))
    gradient, biases = linearised(layers, features, CLASSES)
    assert (gradient * features).sum(axis=1) + biases == pytest.approx(
        logits_of(layers, features)[np.arange(3), CLASSES]
    )


@pytest.mark.parametrize("hidden", [(), (16,)])
def test_a_map_is_complete_where_taps_are_divided_by_their_norm(hidden: tuple[int, ...]) -> None:
    random = np.random.default_rng(2)
    maps = [random.uniform(0, 3, (3, side, side, width)).astype(np.float32) for side, width in ((7, 5), (4, 7))]
    maps[1][2] = 0.0  # a tap that found nothing
    typical = [values[:1].mean(axis=0, keepdims=True) for values in maps]
    heads = [
        ExplainedHead((0, 1), random_layers(12, *hidden, 3), is_unit=True),
        ExplainedHead((1,), random_layers(7, 3)),
    ]
    pooled = [values.mean(axis=(1, 2)) for values in maps]
    norms = [np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12) for values in pooled]
    units = np.concatenate([values / norm for values, norm in zip(pooled, norms, strict=True)], axis=1)
    logits = logits_of(heads[0].layers, units) + logits_of(heads[1].layers, pooled[1])
    found = evidence(heads, maps, typical=typical, classes=CLASSES)
    assert found.logits == pytest.approx(logits[np.arange(3), CLASSES], abs=1e-4)


def test_the_gradient_is_that_of_small_differences() -> None:
    layers, features = random_layers(12, 16, 8, 3), np.random.default_rng(1).normal(size=(3, 12))
    gradient, _ = linearised(layers, features, CLASSES)
    for feature in range(12):
        step = 1e-6 * np.eye(12)[feature]
        change = logits_of(layers, features + step) - logits_of(layers, features - step)
        assert gradient[:, feature] == pytest.approx(change[np.arange(3), CLASSES] / 2e-6, abs=1e-5)


def test_a_map_is_resized_along_straight_lines() -> None:
    """By hand: the middles of two cells lie at 1/4 and 3/4; the line between them has the mean 1/4 over [1/4, 1/2]."""
    (row,) = resized(np.array([[[0.0, 1.0]]]), 4)[:, 0]
    assert row == pytest.approx([0, 0.25, 0.75, 1])


@pytest.mark.parametrize("side", [1, 3, 5, 7, 10, 14, 20, 28, 40, 56])
def test_resizing_keeps_the_mean_at_every_size(side: int) -> None:
    maps = np.random.default_rng(0).normal(1, 5, (4, side, side))
    assert resized(maps).shape == (4, HEAT_PX, HEAT_PX)
    assert resized(maps).mean(axis=(1, 2)) == pytest.approx(maps.mean(axis=(1, 2)), abs=1e-5)


def test_what_speaks_for_a_class_is_shown_by_its_share_of_the_brightest() -> None:
    heat = np.full((2, 28, 28), -3.0)
    heat[0, :5, :5], heat[0, 5:10, :5] = 8, 2
    heat[1, 4, 4] = 0.5
    one, other = shown(heat)
    assert (one.max(), one[7, 2], one[20, 20]) == (1, 0.25, 0)
    assert (other[4, 4], other.sum()) == (1, 1)


def test_a_lone_spike_does_not_hide_the_rest() -> None:
    heat = np.zeros((1, 28, 28))
    heat[0, 10:20, 10:20], heat[0, 0, 0] = 8, 800
    assert shown(heat)[0, 15, 15] == pytest.approx(8 / 200)
    heat[0, 0, 0] = 16
    assert shown(heat)[0, 15, 15] == 1


def test_a_photo_without_any_evidence_shows_nothing() -> None:
    assert shown(np.full((2, 4, 4), -7.0)).max() == 0
    assert shown(np.zeros((2, 4, 4))).max() == 0
    assert shown(np.zeros((0, 4, 4))).shape == (0, 4, 4)


@pytest.mark.parametrize(("n", "expected"), [(0, 0), (3, 3), (48, 48), (95, 48), (500, 48)])
def test_typical_photos_are_spread_over_the_list(n: int, expected: int) -> None:
    chosen = typical_of(range(n))
    assert len(chosen) == expected
    assert n < 96 or chosen[-1] > n * 0.9

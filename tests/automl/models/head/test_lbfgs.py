"""L-BFGS finds the lowest points of several convex problems at once."""

import numpy as np
import pytest

from automl.models.head.lbfgs import minimised

RANDOM = np.random.default_rng(0)
N_PROBLEMS, N_VARIABLES = 3, 8
HALVES = RANDOM.normal(size=(N_PROBLEMS, N_VARIABLES, N_VARIABLES))
CURVATURES = HALVES @ HALVES.transpose(0, 2, 1) + 0.1 * np.eye(N_VARIABLES)
LOWEST = RANDOM.normal(size=(N_PROBLEMS, N_VARIABLES))


def quadratics(points):
    away = points - LOWEST
    gradients = np.einsum("pij,pj->pi", CURVATURES, away)
    return 0.5 * (away * gradients).sum(axis=1), gradients


def steep(points):
    """Far too long first steps: the fourth power of the distance beside a little of its square."""
    away = points - LOWEST
    return (away**4 + 0.1 * away**2).sum(axis=1), 4 * away**3 + 0.2 * away


@pytest.mark.parametrize("function", [quadratics, steep])
def test_the_lowest_points_are_found(function):
    start = 30 * np.ones_like(LOWEST)
    found = minimised(function, start, largest_gradient=1e-8, on_step=lambda: False)
    np.testing.assert_allclose(found, LOWEST, atol=1e-5)


def test_a_solved_problem_stays_where_it_is():
    start = np.concatenate([LOWEST[:1], 30 * np.ones_like(LOWEST[1:])])
    found = minimised(quadratics, start, largest_gradient=1e-8, on_step=lambda: False)
    assert np.array_equal(found[0], LOWEST[0])


def test_in_a_hurry_only_a_few_more_steps_follow():
    n_calls = 0

    def count() -> bool:
        nonlocal n_calls
        n_calls += 1
        return True

    minimised(quadratics, 1e6 * np.ones_like(LOWEST), largest_gradient=0.0, on_step=count)
    assert 1 <= n_calls <= 21

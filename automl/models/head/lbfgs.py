"""L-BFGS (Liu and Nocedal, 1989) for several smooth, strictly convex problems at once, in NumPy.

SciPy's would take a second to import, for which the first model of a run would wait, and would take one problem at a
time, although all problems here share a matrix.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LossAndGradient = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Takes points (n_problems, n_variables). Returns the value of each problem there, and its gradient."""

_N_REMEMBERED = 10
_MOST_STEPS, _STEPS_IN_A_HURRY = 200, 20
_MOST_TRIES = 20
_SUFFICIENT, _OVERSHOT = 1e-4, 0.9
_SMALLEST_STEP, _LARGEST_STEP = 0.1, 0.5  # as shares of a step that was too long


def minimised(
    function: LossAndGradient,
    start: np.ndarray,
    *,
    largest_gradient: float | np.ndarray,
    on_step: Callable[[], bool],
    scales: float | np.ndarray = 1.0,
) -> np.ndarray:
    """The points (n_problems, n_variables) at which the values are lowest.

    Args:
        function: the problems.
        start: where each one starts.
        largest_gradient: a problem is solved where no component of its gradient is larger; a number, or (n_problems,).
        scales: of each variable: about the inverse of its second derivative, up to a factor; (n_problems, n_variables).
        on_step: is called after each step. Where it returns True, only a few more steps follow; it may also raise.
    """
    at, memory = _Place(start, *function(start)), _Memory(len(start), scales)
    n_left = _MOST_STEPS
    while n_left and (unsolved := np.abs(at.gradients).max(axis=1) > largest_gradient).any():
        directions = np.where(unsolved[:, None], -memory.times_inverse_hessian(at.gradients), 0.0)
        after = _moved(function, at, directions)
        memory.add(after.points - at.points, after.gradients - at.gradients)
        at = after
        n_left -= 1
        if on_step():
            n_left = min(n_left, _STEPS_IN_A_HURRY)
    return at.points


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the problems are.

    Attributes:
        points: (n_problems, n_variables).
        values: of the problems there, (n_problems,).
        gradients: (n_problems, n_variables).
    """

    points: np.ndarray
    values: np.ndarray
    gradients: np.ndarray


class _Memory:
    """The latest steps and what they changed, which stand for the curvature."""

    def __init__(self, n_problems: int, scales: float | np.ndarray) -> None:
        self._scales = scales
        self._pairs: deque[tuple[np.ndarray, np.ndarray, np.ndarray]] = deque(maxlen=_N_REMEMBERED)
        self._scale: np.ndarray | None = None
        self._n_problems = n_problems

    def add(self, steps: np.ndarray, changes: np.ndarray) -> None:
        """Takes a step of every problem and the change of its gradient; those of a solved problem are zero."""
        products, squares = (steps * changes).sum(axis=1), (self._scales * changes**2).sum(axis=1)
        is_curved = products > 0
        inverse = np.where(is_curved, 1 / np.where(is_curved, products, 1.0), 0.0)
        self._pairs.append((steps, changes, inverse[:, None]))
        before = np.ones(self._n_problems) if self._scale is None else self._scale
        self._scale = np.where(is_curved, products / np.where(is_curved, squares, 1.0), before)

    def times_inverse_hessian(self, gradients: np.ndarray) -> np.ndarray:
        """The inverse of the approximated Hessian of each problem, times its gradient."""
        if self._scale is None:
            found = self._scales * gradients
            return np.asarray(found / np.maximum(np.abs(found).sum(axis=1, keepdims=True), 1.0))
        found = np.array(gradients)
        shares: list[np.ndarray] = []
        for steps, changes, inverse in reversed(self._pairs):
            shares.append(inverse * _products(steps, found))
            found -= shares[-1] * changes
        found *= self._scale[:, None] * self._scales
        for (steps, changes, inverse), share in zip(self._pairs, reversed(shares), strict=True):
            found += (share - inverse * _products(changes, found)) * steps
        return found


def _products(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The product of each row with the same row of the other, (n_problems, 1)."""
    products: np.ndarray = np.einsum("pv,pv->p", one, other)
    return products[:, None]


def _moved(function: LossAndGradient, at: _Place, directions: np.ndarray) -> _Place:
    """One step along `directions`, shortened where it went too far.

    Of a convex problem the slope behind the step says whether it did; values are too coarse for that near the end.
    """
    steps = np.ones(len(directions))
    slopes = (at.gradients * directions).sum(axis=1)
    for _ in range(_MOST_TRIES):
        points = at.points + steps[:, None] * directions
        there = _Place(points, *function(points))
        behind = (there.gradients * directions).sum(axis=1)
        is_lower = there.values <= at.values + _SUFFICIENT * steps * slopes
        is_fine = is_lower | (behind <= -_OVERSHOT * slopes)
        if is_fine.all():
            break
        shares = np.clip(slopes / np.minimum(slopes - behind, -1e-300), _SMALLEST_STEP, _LARGEST_STEP)
        steps = np.where(is_fine, steps, steps * shares)
    return there

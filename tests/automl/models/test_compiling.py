"""XLA is used where it is quicker by more than compiling takes."""

from collections.abc import Callable

import numpy as np
import pytest

from automl.models import compiling
from automl.models.compiling import NO_GAIN, CompiledGain, gain_of

SAME: Callable[[np.ndarray, np.ndarray], bool] = np.array_equal


def one() -> np.ndarray:
    return np.ones(2)


@pytest.fixture
def taking(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the seconds of the first compiled call, of the plain one and of the compiled one."""

    def set_seconds(*seconds: float) -> None:
        left = list(seconds)

        def quickest_s(work: Callable[[], object], _n_times: int) -> float:
            work()
            return left.pop(0)

        monkeypatch.setattr(compiling, "quickest_s", quickest_s)

    return set_seconds


def test_it_pays_after_so_many_calls(taking: Callable[..., None]) -> None:
    taking(5.25, 1.0, 0.25)
    gain = gain_of(one, one, agree=SAME)
    assert gain == CompiledGain(saved_s=0.75, compile_s=5.0)
    assert [gain.pays(n) for n in (6, 7)] == [False, True]
    assert not gain.pays(7, n_shapes=2)


def test_hardly_quicker_is_not_worth_it(taking: Callable[..., None]) -> None:
    taking(5.0, 1.0, 0.99)
    assert gain_of(one, one, agree=SAME) == NO_GAIN
    assert not NO_GAIN.pays(10**9)


def test_what_gives_something_else_is_not_used(taking: Callable[..., None]) -> None:
    taking(5.0, 1.0, 0.1)
    assert gain_of(one, lambda: np.zeros(2), agree=SAME) == NO_GAIN


def test_what_does_not_compile_is_left_as_it_is() -> None:
    def failing() -> np.ndarray:
        raise RuntimeError("unsupported")

    assert gain_of(one, failing, agree=SAME) == NO_GAIN


def test_what_was_measured_is_kept_as_text() -> None:
    gain = CompiledGain(saved_s=0.00125, compile_s=3.5)
    assert CompiledGain.of_words(gain.in_words()) == gain

"""Which precision and compiler a training step gets."""

import pytest

from automl.models.precision import PLAIN, Precision, fastest

MIXED, XLA, BOTH = Precision(mixed=True), Precision(xla=True), Precision(mixed=True, xla=True)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({PLAIN: 1.0, MIXED: 0.5, BOTH: 0.3}, BOTH),
        ({PLAIN: 1.0, MIXED: 0.5, BOTH: 0.6}, MIXED),
        ({PLAIN: 1.0, MIXED: 1.2, XLA: 0.7}, XLA),
        ({PLAIN: 1.0, MIXED: 1.2, XLA: 1.1}, PLAIN),
    ],
)
def test_the_fastest_variant_wins(seconds: dict[Precision, float], chosen: Precision) -> None:
    assert fastest(lambda precision: seconds[precision]) == chosen


def test_a_gain_within_the_noise_is_none() -> None:
    assert fastest(lambda precision: 1.0 if precision == PLAIN else 0.98) == PLAIN


def test_a_variant_that_does_not_run_does_not_help() -> None:
    def probe(precision: Precision) -> float:
        if precision != PLAIN:
            raise RuntimeError("not on this device")
        return 1.0

    assert fastest(probe) == PLAIN


def test_a_plain_step_that_does_not_run_is_an_error() -> None:
    def probe(precision: Precision) -> float:
        raise MemoryError

    with pytest.raises(MemoryError):
        fastest(probe)

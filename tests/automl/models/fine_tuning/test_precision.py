"""Which precision and compiler a training step gets."""

import pytest

from automl.models.fine_tuning.precision import fastest

PLAIN, MIXED, XLA, BOTH = (False, False), (True, False), (False, True), (True, True)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({PLAIN: 1.0, MIXED: 0.5, BOTH: 0.3}, BOTH),
        ({PLAIN: 1.0, MIXED: 0.5, BOTH: 0.6}, MIXED),
        ({PLAIN: 1.0, MIXED: 1.2, XLA: 0.7}, XLA),
        ({PLAIN: 1.0, MIXED: 1.2, XLA: 1.1}, PLAIN),
    ],
)
def test_the_fastest_variant_wins(seconds: dict[tuple[bool, bool], float], chosen: tuple[bool, bool]) -> None:
    assert fastest(lambda mixed, xla: seconds[mixed, xla]) == chosen


def test_a_gain_within_the_noise_is_none() -> None:
    assert fastest(lambda mixed, xla: 0.98 if mixed or xla else 1.0) == PLAIN


def test_a_variant_that_does_not_run_does_not_help() -> None:
    def probe(mixed: bool, xla: bool) -> float:
        if mixed or xla:
            raise RuntimeError("not on this device")
        return 1.0

    assert fastest(probe) == PLAIN


def test_a_plain_step_that_does_not_run_is_told() -> None:
    def probe(mixed: bool, xla: bool) -> float:
        raise MemoryError

    with pytest.raises(MemoryError):
        fastest(probe)

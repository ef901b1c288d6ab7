"""Numbers are written one way everywhere."""

import pytest

from automl.text.numbers import latency_in_words, percent, size_in_words, validated


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.93, "93.0 %"), (1.0, "100.0 %"), (0.99999, "99.9 %"), (0.00001, "0.1 %"), (0, "0.0 %"), (None, "–")],
)
def test_percentages_are_never_rounded_to_perfection(share, text):
    assert percent(share) == text


def test_a_model_that_was_not_tested_is_told_by_its_validation_score():
    assert validated(0.803) == "80.3 % on photos it had not learned from"


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(999, "999 bytes"), (1_500, "1.5 kB"), (18_640_000, "18.6 MB"), (999_700, "1.0 MB"), (10 * 1024**3, "10.7 GB")],
)
def test_sizes_have_two_or_three_digits(n_bytes, text):
    assert size_in_words(n_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0004, "0.4 ms"), (0.00996, "10 ms"), (0.0123, "12 ms"), (0.9996, "1.0 s"), (1.23, "1.2 s")]
)
def test_latencies_have_two_digits(seconds, text):
    assert latency_in_words(seconds) == text

import pytest

from automl.errors import BadSetting
from automl.text.durations import duration_in_words, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2m", 120), ("90s", 90), ("1.5h", 5400), ("1,5h", 5400), ("1h30m", 5400), ("10 min", 600), ("2", 120), (0.5, 30)],
)
def test_people_write_durations_in_many_ways(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "2 weeks", "5ms", "nan", "1e9", "m", "2m!", True, None])
def test_anything_else_is_explained(text):
    with pytest.raises(BadSetting, match="Write minutes"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 seconds"),
        (1, "1 second"),
        (119.6, "2 minutes"),
        (150, "2 minutes 30 seconds"),
        (605, "10 minutes"),
        (3600, "1 hour"),
        (3599, "1 hour"),
        (5400, "1 hour 30 minutes"),
        (86_400, "24 hours"),
    ],
)
def test_durations_in_words_have_two_units_at_most(seconds, words):
    assert duration_in_words(seconds) == words

from datetime import timedelta

import pytest

from automl.store.tables import now
from server.template_filters import ago, clean_name, percent, probability, soft_breaks


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "just now"), (61, "1 minute ago"), (7300, "2 hours ago"), (86_400 * 3, "3 days ago")],
)
def test_times_are_relative(seconds, text):
    at = now()
    assert ago(at - timedelta(seconds=seconds), at) == text


@pytest.mark.parametrize(
    ("name", "clean"), [(" a\n b\x00", "a b"), ("", "Photos"), ("\x00", "Photos"), ("🌹" * 200, "🌹" * 100)]
)
def test_names_are_one_short_printable_line(name, clean):
    assert clean_name(name) == clean


def test_soft_breaks_escape_the_name():
    assert soft_breaks("<b>_x") == "&lt;b&gt;_<wbr>x"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.9996, "99.9\xa0%"),
        (0.0006, "0.1\xa0%"),
        (0.0001, "under 0.1\xa0%"),
        (1e-12, "under 0.1\xa0%"),
        (0, "0.0\xa0%"),
        (1, "100.0\xa0%"),
    ],
)
def test_the_shares_of_classes_do_not_seem_to_make_more_than_all(share, text):
    assert probability(share) == text


def test_no_line_breaks_before_a_percent_sign():
    assert (percent(0.9321), percent(0.9321, 0), percent(None)) == ("93.2\xa0%", "93\xa0%", "–")

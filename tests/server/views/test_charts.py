"""Where a chart puts what."""

import pytest

from server.views.charts import HEIGHT, WIDTH, Scale, draw


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([87.9, 92.3], (87, 93)),
        ([95.0, 95.0], (94, 96)),
        ([99.5, 100.0], (98.5, 100)),
        ([0.0, 0.4], (0, 2)),
        ([3, 97], (0, 100)),
    ],
)
def test_a_scale_ends_at_round_numbers_around_all_values(values, ends):
    scale = Scale.of_percents("Score in %", values, least=2.0)
    assert scale.low <= min(values) and scale.high >= max(values)
    assert scale.high <= 100
    assert (scale.low, scale.high) == pytest.approx(ends, abs=1.0)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 100, (0, 20, 40, 60, 80, 100)), (94, 96, (94, 94.5, 95, 95.5, 96)), (0, 122.4, (0, 25, 50, 75, 100))],
)
def test_lines_are_named_by_few_round_numbers(low, high, ticks):
    assert Scale(words="", low=low, high=high).ticks == ticks


def test_marks_and_the_line_lie_where_their_values_are_and_each_place_is_drawn_once():
    across, up = Scale(words="Minutes", low=0, high=10), Scale(words="Score", low=50, high=100)
    chart = draw(across, up, marks=[(0, 50, "heads"), (10, 100, "heads"), (10, 100, "heads")], line=[(0, 50), (10, 75)])
    assert [(mark.x, mark.y) for mark in chart.marks] == [(chart.left, chart.bottom), (chart.right, chart.top)]
    assert chart.line == f"{chart.left},{chart.bottom} {chart.right},{(chart.top + chart.bottom) / 2:g}"
    assert all(0 < tick.at < WIDTH for tick in chart.x_ticks) and all(0 < tick.at < HEIGHT for tick in chart.y_ticks)
    assert (chart.x_words, chart.y_words) == ("Minutes", "Score")

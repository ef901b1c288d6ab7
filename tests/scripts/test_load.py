"""What `bench.load` makes of the answers that its users got."""

from bench.load import MIX, Seen, percentiles


def test_errors_are_told_apart_and_pages_counted_together():
    seen = Seen()
    for what, status, seconds in (("page /", 200, 0.1), ("page /datasets", 500, 0.3), ("prediction", 404, 9.0)):
        seen.add(what, status, seconds)
    figures = seen.figures()
    assert (figures["answers"], figures["answers_5xx"], figures["answers_4xx"]) == (3, 1, 1)
    assert figures["pages"] == {"n": 2, "p50_ms": 200, "p95_ms": 290}
    assert figures["by_kind"]["prediction"]["statuses"] == {404: 1}


def test_nothing_seen_has_no_percentiles():
    assert percentiles([]) == {"n": 0}
    assert Seen().figures()["answers"] == 0


def test_the_mix_is_whole():
    assert sum(MIX.values()) == 1

from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from automl.records import RunSettings
from automl.store.tables import Run
from server.views.comparison import compare_pairs, compare_tests, figure_rows, made_rows, mcnemar_p, sign_flip_p
from server.views.test_photos import AnsweredPhoto
from tests.reports import made_report


def report(accuracy=0.9, half=0.05, **winner):
    test = {
        "accuracy": accuracy,
        "interval_95": [accuracy - half, accuracy + half],
        "log_loss": 1 - accuracy,
        "balanced_accuracy": 0.8,
    }
    test["intervals"] = {"log_loss": [1 - accuracy - half, 1 - accuracy + half]}
    return made_report(test=test, winner={"image_size_px": 160, **winner}, n_trials=1234, time={"used_s": 90})


def older_report(**test):
    """Of a version that measured neither probabilities nor the model."""
    not_measured = {"log_loss": None, "ece": None, "intervals": None}
    return made_report(test={**not_measured, **test}, winner={"n_bytes": None, "latency_s": None})


def run(settings=None, **winner):
    return Run(settings=settings or RunSettings(), result=report(**winner))


def answers(rows, clips=MappingProxyType({})):
    """rows: (sha256, class, whether the answer was right). clips: those of the photos that are in one, by SHA-256."""
    return [
        AnsweredPhoto(
            name="x",
            really=label,
            said=label if right else "wrong",
            confidence=0.9,
            is_sure=True,
            runner_up="y",
            runner_up_confidence=0.1,
            together=clips.get(digest, digest),
            sha256=digest,
        )
        for digest, label, right in rows
    ]


def words(row):
    return [figure.words for figure in row.figures]


def best(row):
    return [figure.is_best for figure in row.figures]


def row_of(rows, title):
    return next(row for row in rows if row.title == title or row.term == title)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_exact_test_is_the_binomial_one(only_first, only_second):
    n = only_first + only_second
    expected = binomtest(only_first, n).pvalue if n else 1.0
    assert mcnemar_p(only_first, only_second) == pytest.approx(expected)


@pytest.mark.parametrize(("case", "p"), [((5, 0), 2 / 32), ((1, 1), 1.0), ((0, 8), 2 / 256), ((3, 1), 10 / 16)])
def test_the_exact_test_by_hand(case, p):
    assert mcnemar_p(*case) == pytest.approx(p)


def test_thousands_of_photos_are_no_problem():
    assert mcnemar_p(2400, 2600) == pytest.approx(binomtest(2400, 5000).pvalue)
    assert mcnemar_p(0, 5000) == 0.0


@given(st.lists(st.sampled_from([-1, 1]), max_size=60))
def test_photos_that_are_alone_are_flipped_as_the_exact_test_counts_them(leads):
    assert sign_flip_p(leads) == pytest.approx(mcnemar_p(leads.count(1), leads.count(-1)))


def test_many_clips_are_flipped_as_few_are_but_for_rounding():
    leads = [5, -1, 3, -2] * 40 + [1] * 30
    assert sign_flip_p(leads * 2) == pytest.approx(sum_flipped(leads * 2), abs=0.01)


def sum_flipped(leads, n_times=20_000):
    signs = np.random.default_rng(0).choice([-1, 1], (n_times, len(leads)))
    return (np.abs(signs @ leads) >= abs(sum(leads))).mean()


def test_the_photos_of_a_clip_count_together():
    """Twelve photos that only B has right are much, unless they are the frames of two clips."""
    rows = [(str(i), "a", True) for i in range(12)]
    clips = {str(i): f"clip {i % 2}" for i in range(12)}
    (pair,) = compare_pairs("AB", [answers([(*row[:2], False) for row in rows], clips), answers(rows, clips)])
    assert (pair.only_second, pair.leads, pair.p_value) == (12, (-6, -6), 0.5)
    assert "may be luck (sign-flip test, clip by clip" in pair.words


def test_the_best_of_each_row_is_marked_higher_scores_and_lower_costs():
    rows = figure_rows([report(0.7, n_bytes=9_000_000), report(0.95, n_bytes=20_000_000), report(0.8)], are_alike=True)
    assert best(row_of(rows, "accuracy")) == best(row_of(rows, "log loss")) == [False, True, False]
    assert best(row_of(rows, "Size of the model")) == [True, False, True]
    assert best(row_of(rows, "Tries")) == [False, False, False]


def test_where_intervals_overlap_or_are_not_known_no_score_is_the_best():
    """The page says below the table that such runs may be equally good."""
    rows = figure_rows([report(0.7), report(0.92), report(0.95)], are_alike=True)
    assert not any(best(row_of(rows, "accuracy")) + best(row_of(rows, "log loss")))
    rows = figure_rows([report(0.95), older_report(log_loss=0.5)], are_alike=True)
    assert best(row_of(rows, "log loss")) == [False, False]


def test_runs_built_on_the_same_networks_have_no_fastest():
    """They were timed at different moments: what differs is what else the machine did."""
    of = {"backbones": ["mobilenet_v2", "mobilenet_v1"]}
    same = figure_rows([report(latency_s=0.006, **of), report(latency_s=0.065, **of)], are_alike=True)
    assert best(row_of(same, "latency, here")) == [False, False]
    other = figure_rows([report(latency_s=0.006), report(latency_s=0.065, **of)], are_alike=True)
    assert best(row_of(other, "latency, here")) == [True, False]
    larger = figure_rows([report(latency_s=0.006), report(latency_s=0.012, image_size_px=224)], are_alike=True)
    assert best(row_of(larger, "latency, here")) == [True, False]


def test_what_reads_the_same_has_no_best():
    rows = figure_rows([report(0.90001, half=0.0), report(0.90002, half=0.0)], are_alike=True)
    assert words(row_of(rows, "accuracy")) == ["90.0 %", "90.0 %"]
    assert best(row_of(rows, "accuracy")) == [False, False]


def test_scores_of_other_photos_have_no_best_but_sizes_have():
    rows = figure_rows([report(0.7, n_bytes=9_000_000), report(0.95)], are_alike=False)
    assert best(row_of(rows, "accuracy")) == [False, False]
    rows = figure_rows([report(n_bytes=1_000_000), report()], are_alike=None)
    assert best(row_of(rows, "Size of the model")) == [True, False]


def test_figures_have_their_intervals_and_what_is_unknown_is_a_dash():
    rows = figure_rows([report(0.9), older_report()], are_alike=True)
    assert row_of(rows, "accuracy").figures[0].interval == "85.0–95.0 %"
    assert [figure.interval for figure in row_of(rows, "log loss").figures] == ["0.050–0.150", ""]
    assert words(row_of(rows, "log loss")) == ["0.100", "–"]
    assert words(row_of(rows, "Size of the model")) == ["9.0 MB", "–"]


def test_settings_that_differ_are_told_apart_from_those_that_do_not():
    rows = made_rows([run(), run(settings=RunSettings(epochs=9, max_model_mb=12.0), image_size_px=224)])
    assert {row.term for row in rows if row.differs} == {"input size", "epochs", "max_model_mb"}
    assert words(row_of(rows, "epochs")) == ["depends on the stage", "9"]
    assert words(row_of(rows, "max_model_mb")) == ["no limit", "12 MB"]


@pytest.mark.parametrize(
    ("tested", "are_alike", "said"),
    [
        ([{"1": "a", "2": "b"}, {"2": "b", "1": "a"}], True, "the same 2 photos"),
        ([{"1": "a", "2": "b"}, {"1": "a", "2": "a"}], False, "1 photo had different labels"),
        ([{"1": "a"}, {"2": "a"}], False, "not tested with the same photos"),
        ([{"1": "a"}, {"1": "a"}, None], None, "we cannot know"),
    ],
)
def test_whether_scores_can_be_compared_is_said_plainly(tested, are_alike, said):
    tests = compare_tests(tested)
    assert tests.are_alike is are_alike
    assert said in tests.words


def test_two_runs_are_compared_photo_by_photo_on_what_both_were_tested_with():
    one = answers([("1", "a", True), ("2", "a", True), ("3", "a", False), ("4", "a", True), ("only A", "a", False)])
    other = answers([("1", "a", True), ("2", "a", False), ("3", "a", True), ("4", "b", True), ("only B", "a", True)])
    (pair,) = compare_pairs("AB", [one, other])  # 4 has another label in B
    assert (pair.n_common, pair.only_first, pair.only_second, pair.p_value) == (3, 1, 1, 1.0)
    assert "Of the 3 photos" in pair.words and "may be luck" in pair.words


def test_a_difference_that_luck_rarely_makes_is_called_one():
    rows = [(str(i), "a", True) for i in range(10)]
    (pair,) = compare_pairs("AB", [answers([(*row[:2], False) for row in rows]), answers(rows)])
    assert pair.p_value == pytest.approx(2 / 1024)
    assert "so B is probably better (exact McNemar test, p = 0.002)" in pair.words


def test_every_two_runs_are_compared_and_those_without_answers_with_none():
    known = answers([("1", "a", True)])
    pairs = compare_pairs("ABC", [known, None, known])
    assert [pair.words for pair in pairs] == [
        "Of the 1 photo that both were tested with, A and C were right on the same ones."
    ]
    assert len(compare_pairs("ABCD", [known] * 4)) == 6


def test_runs_without_a_test_photo_in_common_say_so():
    (pair,) = compare_pairs("AB", [answers([("1", "a", True)]), answers([("2", "a", True)])])
    assert pair.words == "A and B have no tested photo in common."

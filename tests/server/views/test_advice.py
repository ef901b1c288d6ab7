"""What is said first of a model, on made-up reports."""

from typing import Any

import pytest

from automl.records.learning_curve import CurvePoint
from automl.records.report import RunReport
from server.views.advice import Advice, StepKind, advise
from tests.reports import made_report


def report_of(confusion: list[list[int]], *, learned: list[int] | None = None, **test: Any) -> RunReport:
    """A report on "rose", "tulip", "daisy" ... with these answers. learned: photos of each kind."""
    classes = ["rose", "tulip", "daisy", *(f"kind {i}" for i in range(3, len(confusion)))][: len(confusion)]
    n, n_right = sum(map(sum, confusion)), sum(row[i] for i, row in enumerate(confusion))
    per_class = [
        {"label": label, "precision": 1.0, "recall": row[i] / sum(row), "f1": 1.0, "n_images": sum(row)}
        for i, (label, row) in enumerate(zip(classes, confusion, strict=True))
    ]
    share = n_right / n
    known = {"accuracy": share, "n_images": n, "n_correct": n_right, "confusion": confusion, "per_class": per_class}
    known |= {"interval_95": [max(0.0, share - 0.1), min(1.0, share + 0.02)], "baseline_accuracy": 1 / len(classes)}
    return made_report(classes=classes, test={**known, **test}, data=data_of(classes, learned))


def data_of(classes: list[str], learned: list[int] | None) -> dict[str, Any] | None:
    if learned is None:
        return None
    rows = [
        {"label": label, "n_learned": n, "n_test": 8, "n_left_out": 0}
        for label, n in zip(classes, learned, strict=True)
    ]
    counts = {"n_images": sum(learned), "n_learned": sum(learned), "n_test": 8, "n_left_out": 0, "n_refused": 0}
    return {"version": 1, **counts, "n_folds": 5, "split_seed": 0, "classes": rows}


def kinds(advice: Advice) -> list[StepKind]:
    return [step.kind for step in advice.steps]


def test_one_weak_kind_with_few_photos_is_put_level_with_the_others() -> None:
    report = report_of([[6, 2, 0], [0, 40, 0], [0, 0, 40]], learned=[12, 40, 44])
    first = advise(report, n_doubted=0).first
    assert first.kind is StepKind.PHOTOS
    assert first.words == (
        "rose: 6 of 8 right. It has learned from only 12 photos of it; about 30 more would put it level with the other "
        "kinds."
    )


def test_a_weak_kind_with_as_many_photos_as_the_others_gets_as_many_again() -> None:
    report = report_of([[30, 5, 5], [0, 40, 0], [0, 0, 40]], learned=[42, 40, 44])
    assert (
        "It is the weakest kind, so more photos of it help most: about 40 more are"
        in advise(report, n_doubted=0).first.words
    )


def test_of_an_old_report_the_weak_kind_is_named_without_a_number() -> None:
    words = advise(report_of([[6, 2, 0], [0, 40, 0], [0, 0, 40]]), n_doubted=0).first.words
    assert words == "rose: 6 of 8 right. It is the weakest kind, so more photos of it help most."


@pytest.mark.parametrize("confusion", [[[9, 1, 0], [1, 9, 0], [0, 1, 9]], [[6, 1, 1], [1, 6, 1], [1, 1, 6]]])
def test_a_kind_that_may_be_weak_by_chance_is_not_called_so(confusion: list[list[int]]) -> None:
    advice = advise(report_of(confusion, learned=[30, 30, 30]), n_doubted=0)
    assert advice.first.kind is StepKind.MISTAKES
    assert advice.steps[1].words.startswith("More photos of every kind help most: it has learned from about 30")


def test_two_kinds_that_are_taken_for_each_other_are_named() -> None:
    report = report_of([[30, 8, 1], [7, 31, 0], [0, 1, 38]], learned=[90, 90, 90])
    words = [step.words for step in advise(report, n_doubted=0).steps]
    assert words[0].startswith("15 of 17 mistakes mix up rose and tulip. Add photos that show what sets them apart")
    assert not any("weakest" in one for one in words)


def test_a_kind_that_is_taken_for_another_and_never_the_other_way_is_weak_first() -> None:
    report = report_of([[30, 9, 1], [0, 40, 0], [0, 0, 40]], learned=[90, 90, 90])
    words = [step.words for step in advise(report, n_doubted=0).steps]
    assert words[0].startswith("rose: 30 of 40 right.") and words[1].startswith("9 of 10 mistakes mix up rose")


def test_of_two_kinds_alone_it_is_no_news_that_they_are_mixed_up() -> None:
    assert not any("mix up" in step.words for step in advise(report_of([[8, 2], [3, 7]]), n_doubted=0).steps)


@pytest.mark.parametrize(("n_doubted", "place"), [(3, 0), (1, 1)])
def test_many_doubted_labels_come_first_and_few_after_what_helps_more(n_doubted: int, place: int) -> None:
    report = report_of([[6, 2, 0], [0, 40, 0], [0, 0, 40]], learned=[50, 50, 50])
    assert kinds(advise(report, n_doubted=n_doubted)).index(StepKind.DOUBTS) == place


def test_what_was_corrected_is_learned_before_anything_else() -> None:
    advice = advise(report_of([[6, 2, 0], [0, 40, 0], [0, 0, 40]]), n_doubted=9, n_corrected=1)
    assert kinds(advice)[:2] == [StepKind.TRAIN, StepKind.DOUBTS]
    assert advice.first.words == "You corrected 1 label: train again, so that the model learns it."


def test_a_model_without_a_mistake_is_to_be_tried_and_a_small_test_is_called_so() -> None:
    advice = advise(report_of([[10, 0], [0, 10]], interval_95=[0.84, 1.0]), n_doubted=0)
    assert "It made no mistake, but 20 photos are a small test." in advice.verdict
    assert advice.first.kind is StepKind.TRY
    assert "the score is rough: on new photos it may be anything from 84 to 100 of 100" in advice.steps[1].words
    sure = advise(report_of([[100, 0], [0, 100]], interval_95=[0.98, 1.0]), n_doubted=0)
    assert sure.verdict.startswith("It made no mistake. Try it") and kinds(sure) == [StepKind.TRY]


def test_a_model_that_has_learned_nothing_says_so_and_sends_to_the_photos() -> None:
    report = report_of([[6, 4], [5, 5]], interval_95=[0.34, 0.74], baseline_accuracy=0.5)
    advice = advise(report, n_doubted=2)
    assert advice.verdict.startswith("It has not learned to tell them apart: always saying “rose”")
    assert kinds(advice) == [StepKind.PHOTOS, StepKind.DOUBTS]


def test_a_score_that_may_be_luck_is_not_called_good_and_asks_for_photos() -> None:
    report = report_of([[4, 1], [1, 4]], interval_95=[0.49, 0.94], baseline_accuracy=0.5)
    advice = advise(report, n_doubted=0)
    assert advice.verdict == (
        "That may still be luck: always saying “rose” would be right on 5 of the 10 tested photos."
    )
    assert advice.first.words.startswith("With so few photos nobody can tell. Add more of each kind")


@pytest.mark.parametrize(
    ("n_wrong", "words"),
    [
        (2, "Good enough for most uses: about 1 answer in 100 is wrong."),
        (20, "Good enough where a mistake now and then does no harm: about 1 answer in 10 is wrong."),
        (40, "Good enough as a help, if somebody looks over its answers: about 1 in 5 is wrong."),
        (80, "Not good enough yet to rely on: about 4 answers in 10 are wrong."),
    ],
)
def test_whether_it_is_good_enough_is_said_in_words(n_wrong: int, words: str) -> None:
    share = 1 - n_wrong / 200
    confusion = [[100 - n_wrong // 2, n_wrong // 2], [n_wrong - n_wrong // 2, 100 - n_wrong + n_wrong // 2]]
    report = report_of(confusion, interval_95=[share - 0.03, min(1.0, share + 0.01)])
    assert advise(report, n_doubted=0).verdict == words


def test_a_search_that_was_stopped_may_go_on() -> None:
    steps = advise(report_of([[9, 1], [1, 9]]), n_doubted=0, was_stopped=True).steps
    assert StepKind.LONGER in [step.kind for step in steps]


def test_very_many_photos_and_kinds_are_no_trouble() -> None:
    report = report_of([[90_000, 10_000, 0], [0, 100_000, 0], [0, 0, 100_000]])
    assert advise(report, n_doubted=0).first.words.startswith("rose: 90,000 of 100,000 right.")


def curve_of(half: float, whole: float, error: float = 0.004) -> list[CurvePoint]:
    first = CurvePoint(n_learned=50, right=half, gain=0.0, gain_error=0.0)
    return [first, CurvePoint(n_learned=100, right=whole, gain=whole - half, gain_error=error)]


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        (curve_of(0.8, 0.85), "on 80 of 100, after all of them on 85. With twice as many, expect about 92 of 100"),
        (curve_of(0.9, 0.902), "More photos of the same sort would hardly help: after half of yours"),
        (curve_of(0.8, 0.83, error=0.02), ""),  # that may be chance
        ([], ""),
    ],
)
def test_what_more_photos_are_worth_is_said_where_it_was_measured(curve: list[CurvePoint], words: str) -> None:
    report = report_of([[90, 10], [10, 90]], learned=[400, 400])
    steps = advise(report, n_doubted=0, curve=curve).steps
    about = [step.words for step in steps if "quick model" in step.words]
    assert len(about) == bool(words) and all(words in one for one in about)


@pytest.mark.parametrize(("n_kinds", "is_weak"), [(3, True), (12, False)])
def test_of_many_kinds_one_does_badly_by_chance_and_is_not_called_weak(n_kinds: int, is_weak: bool) -> None:
    """15 of 20 right, where the others have 18 of 20: by chance once in 11 times with 3 kinds, in 19 with 12."""
    confusion = [[18 * (row == column) for column in range(n_kinds)] for row in range(n_kinds)]
    for row in range(n_kinds):
        for step in (1, 2):
            confusion[row][(row + step) % n_kinds] += 1
    confusion[0][:3] = [15, 3, 2]
    steps = advise(report_of(confusion), n_doubted=0).steps
    assert any("weakest" in step.words for step in steps) == is_weak

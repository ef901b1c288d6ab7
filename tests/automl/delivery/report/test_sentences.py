"""Sentences say what the figures say, and nothing where there is nothing to say."""

import numpy as np
import pytest

from automl.delivery.report.sentences import findings, limits, when_sure
from automl.text.lists import names_in_words
from tests.automl.delivery.report.built_reports import finished, unfinished
from tests.reports import SMALL_MODEL, doubted_label, made_report

CLASSES = ("rust", "spot", "healthy")
CONFUSION = np.array([[38, 4, 0], [1, 41, 0], [0, 0, 43]])


def test_the_first_sentence_is_that_of_the_test():
    sentence = finished(CLASSES, CONFUSION).sentence
    assert sentence.startswith("It was right on 122 of 127 photos it had never seen; expect ")


def test_the_findings_name_baseline_mistake_and_weakest_class():
    assert findings(finished(CLASSES, CONFUSION)) == [
        "Always saying the most common class would have been right on 42 of 127.",
        "Its most frequent mistake: it took 4 of the 42 tested photos of rust for spot.",
        "It recognises rust least often: 38 of 42 tested photos.",
    ]


@pytest.mark.parametrize(
    ("n_correct", "end"),
    [
        (117, "was right on 117 of 127; the search gained 4 points over it."),
        (121, "was right on 121 of 127; the search gained one point over it."),
        (122, "was right on 122 of 127, just as many: on these photos the search gained nothing over it."),
        (125, "was right on 125 of 127, 2 points more: on these photos the search gained nothing over it."),
    ],
)
def test_what_the_search_was_worth(n_correct, end):
    first = {"trial": 0, "accuracy": n_correct / 127, "n_correct": n_correct, "n_images": 127, "at_s": 12.2}

    def found(**winner):
        return findings(finished(CLASSES, CONFUSION, winner=winner, first_model=first))[1]

    assert found(trial=3) == f"The first model, found after 12 seconds, {end}"
    assert "is the one that won" in found(trial=0)
    # The first model is only a part of a mean.
    assert found(trial=0, parts=[0, 4, 7]).endswith(end)


def test_what_has_not_been_tested_says_where_its_score_is_from():
    assert "not learned from" in unfinished(CLASSES).sentence


def test_a_model_that_is_no_better_than_guessing_is_called_so():
    found = findings(finished(("a", "b"), np.array([[60, 5], [50, 5]])))
    assert found[0].endswith("The model is not clearly better than that, so do not rely on it yet.")


def test_no_mistake_is_no_promise():
    found = findings(finished(("a", "b"), np.diag([60, 60])))
    assert found[1:] == ["It made no mistake on these photos; that does not mean that it never will."]


def test_of_equal_mistakes_and_equal_classes_none_is_singled_out():
    found = findings(finished(CLASSES, np.array([[48, 2, 0], [2, 48, 0], [0, 0, 50]])))
    assert found[1].startswith("One of its most frequent mistakes: it took 2 of the 50 tested photos of rust for spot")
    assert found[2] == "It recognises rust and spot least often: 96 of 100 tested photos."
    equal = findings(finished(CLASSES, np.array([[49, 1, 0], [0, 49, 1], [1, 0, 49]])))
    assert [sentence for sentence in equal if "mistake" in sentence or "least often" in sentence] == []


@pytest.mark.parametrize(
    ("calibration", "test", "photos"),
    [
        ({"coverage": 0.9, "accuracy_when_sure": 0.98}, {}, "90 of 100 validation photos, it was right on 98 of 100"),
        ({"coverage": 0.9, "accuracy_when_sure": 0.98}, {"coverage": 0.8, "accuracy_when_sure": 0.999},
         "80 of 100 tested photos, it was right on 99 of 100"),
    ],
)  # fmt: skip
def test_the_threshold_is_told_with_its_most_honest_figures(calibration, test, photos):
    words = when_sure(made_report(calibration={"threshold": 0.83, **calibration}, test=test))
    assert (
        words == f"When it is at least 83 % sure, which it was for {photos}. Treat an answer below that as “not sure”."
    )


def test_without_a_test_set_only_figures_that_are_corrected_for_the_choice_are_told():
    calibration = {"threshold": 0.83, "coverage": 0.9, "accuracy_when_sure": 0.98}
    corrected = {"coverage": 0.8, "accuracy_when_sure": 0.97}
    report = made_report(calibration=calibration, test={"method": "cross-validated", **corrected})
    assert "80 of 100 tested photos, it was right on 97 of 100" in when_sure(report)
    nothing_sure = {"coverage": 0.0, "accuracy_when_sure": None}
    assert when_sure(made_report(calibration=calibration, test={"method": "cross-validated", **nothing_sure})) == ""


@pytest.mark.parametrize("calibration", [None, {"threshold": None, "coverage": 0.0, "accuracy_when_sure": None}])
def test_without_a_threshold_there_is_no_word_of_one(calibration):
    assert when_sure(made_report(calibration=calibration)) == ""


def test_few_test_photos_are_told():
    report = finished(("a", "b"), np.array([[12, 0], [0, 3]]))
    assert any(sentence.startswith("Only 15 photos were there for the test") for sentence in findings(report))
    assert "Fewer than 10 tested photos each, so their own figures say little: b." in limits(report)


def test_few_photos_are_told_where_every_photo_was_tested():
    report = finished(("a", "b"), np.array([[12, 0], [0, 3]]), test={"method": "cross-validated"})
    assert any(
        sentence.startswith("There were only 15 photos, so the score is a rough") for sentence in findings(report)
    )


@pytest.mark.parametrize(("n", "words"), [(1, "the label of one photo"), (1200, "the labels of 1,200 photos")])
def test_doubted_labels_are_counted(n, words):
    assert any(words in sentence for sentence in findings(finished(CLASSES, CONFUSION, suspects=[doubted_label()] * n)))


def test_the_limits_say_that_it_always_answers_and_where_its_networks_learned():
    text = " ".join(limits(finished(CLASSES, CONFUSION)))
    assert "It always answers with one of its 3 classes" in text
    assert "even for a photo that shows none of them, and sometimes with high confidence" in text
    assert "ImageNet" in text


@pytest.mark.parametrize(
    ("names", "words"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c", "d"], "a, b and 2 more")]
)
def test_names_are_listed_as_people_do(names, words):
    assert names_in_words(names, most=2) == words


@pytest.mark.parametrize(
    ("is_winner", "sentence"),
    [
        (
            False,
            "Best for its size: MobileNetV2 (9.0 MB, 4.0 ms for a photo), taught by the answers of MobileNetV1 + "
            "EfficientNet-Lite2, is right on 93.0 % of the validation photos: -2.0 points (95 % interval -5.0 to +1.0) "
            "beside this model, and +1.0 points (95 % interval -1.0 to +3.0) beside the same network without a "
            "teacher.",
        ),
        (
            True,
            "The model, or a part of it, is MobileNetV2 (9.0 MB, 4.0 ms for a photo), which learned from the answers "
            "of MobileNetV1 + EfficientNet-Lite2: right on 93.0 % of the validation photos, +1.0 points (95 % interval "
            "-1.0 to +3.0) beside the same network without a teacher.",
        ),
    ],
)
def test_what_a_small_model_reaches_that_was_taught(is_winner, sentence):
    report = made_report(small={**SMALL_MODEL, "is_winner": is_winner})
    assert sentence in findings(report)


def test_both_rates_of_photos_of_nothing_learned_are_said():
    novelty = {
        "is_tested": True,
        "n_photos": 127,
        "n_flagged": 4,
        "flagged_95": [0.012, 0.078],
        "n_others": 44,
        "n_recognised": 43,
        "recognised_95": [0.882, 0.996],
    }
    report = made_report(novelty=novelty)
    (said,) = (sentence for sentence in findings(report) if "nothing it has learned" in sentence)
    assert "to 43 of 44 pictures of other things (photographs, drawings, digits; expect 88 to 100 of 100)" in said
    assert "wrongly to 4 of 127 photos of what it has learned (expect 1 to 8 of 100)" in said
    assert said in limits(report)
    assert not any("nothing it has learned" in sentence for sentence in findings(made_report()))


def test_photos_of_anything_else_are_told_apart_from_the_kinds():
    told = findings(finished(("rust", "spot", "other"), CONFUSION))
    words = "of 43 tested ones, 0 were taken for one of its kinds, and of 84 tested photos of its kinds, 0"
    assert any(words in one for one in told)
    assert not any("anything else" in one for one in findings(finished(CLASSES, CONFUSION)))

"""What the figures of a report mean, for people who have never met such figures.

The first sentence is the test score's own (`TestScore.sentence`), so that the page, the report and the card agree.
"""

from collections.abc import Sequence

from automl.delivery.report.tables import mix_ups
from automl.records.report import RunReport
from automl.text.durations import duration_in_words
from automl.text.numbers import percent

_MIN_TEST_IMAGES = 100
_MIN_CLASS_IMAGES = 10
_MAX_NAMES = 10
_MAX_WEAKEST = 3

_OTHER_PHOTOS = (
    "The score holds for photos like the test photos, which came from the same collection. On photos from another "
    "place, camera, season or group of people it may do worse: test it on some of them before you rely on it."
)
_IMAGENET = (
    "The networks that it is built on first learned from ImageNet's photographs of the web; what these show too "
    "rarely, or with prejudice, may show in its answers."
)


def findings(report: RunReport) -> list[str]:
    """What else the test showed, most important first."""
    sentences = [
        _baseline(report),
        _first_model(report),
        _most_frequent_mistake(report),
        _weakest_class(report),
        when_sure(report),
        _few_photos(report),
        _suspects(report),
    ]
    return [sentence for sentence in sentences if sentence]


def limits(report: RunReport) -> list[str]:
    """What the model cannot do, and what its score does not say."""
    sentences = [
        f"It always answers with one of its {len(report.classes):,} classes, even for a photo that shows none of "
        "them, and sometimes with high confidence.",
        when_sure(report),
        _OTHER_PHOTOS,
        _few_photos(report),
        _rough_classes(report),
        _weakest_class(report),
        _IMAGENET if report.weights else "",
        _suspects(report),
    ]
    return [sentence for sentence in sentences if sentence]


def names_in_words(names: Sequence[str], most: int = _MAX_NAMES) -> str:
    """ "a", "a and b", "a, b and 3 more"."""
    if len(names) == 1:
        return names[0]
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def when_sure(report: RunReport) -> str:
    """From which confidence on an answer can be trusted; empty where that is not known.

    The threshold was chosen on validation photos, so the test photos give the more honest figures where they have any.
    """
    calibration, score = report.calibration, report.score
    if calibration is None or calibration.threshold is None:
        return ""
    if score.coverage is not None and score.accuracy_when_sure is not None:
        photos, coverage, accuracy = "test", score.coverage, score.accuracy_when_sure
    elif calibration.accuracy_when_sure is not None:
        photos, coverage, accuracy = "validation", calibration.coverage, calibration.accuracy_when_sure
    else:
        return ""
    return (
        f"When it is at least {percent(calibration.threshold, 0)} sure, which it was for {_of_100(coverage)} {photos} "
        f"photos, it was right on {_of_100(accuracy)}. Treat an answer below that as “not sure”."
    )


def _baseline(report: RunReport) -> str:
    n, baseline = report.score.n_images, report.score.baseline_accuracy
    words = f"Always saying the most common class would have been right on {round(baseline * n):,} of {n:,}."
    if report.score.interval_95[0] > baseline:
        return words
    return f"{words} The model is not clearly better than that, so do not rely on it yet."


def _first_model(report: RunReport) -> str:
    """What the search was worth; empty where the first model was not tested."""
    first = report.first_model
    if first is None:
        return ""
    found = f"after {duration_in_words(first.at_s)}"
    if report.is_first_model:
        return f"The first model that was found, {found}, is the one that won: the search found no better one."
    gained = 100 * (report.score.accuracy - first.accuracy)
    points = "one point" if round(abs(gained)) == 1 else f"{abs(gained):.0f} points"
    size = "less than one point" if abs(gained) < 0.5 else points
    before = f"The first model, found {found}, was right on {first.n_correct:,} of {first.n_images:,}"
    if not gained:
        return f"{before}, just as many: on these photos the search gained nothing over it."
    if gained < 0:
        return f"{before}, {size} more: on these photos the search gained nothing over it."
    return f"{before}; the search gained {size} over it."


def _most_frequent_mistake(report: RunReport) -> str:
    worst = mix_ups(report)
    if not worst:
        return "It made no mistake on these photos; that does not mean that it never will."
    one = worst[0]
    if one.n == 1:
        return ""
    is_tied = len(worst) > 1 and worst[1].n == one.n
    begin = "One of its most frequent mistakes" if is_tied else "Its most frequent mistake"
    return f"{begin}: it took {one.n:,} of the {one.n_true:,} test photos of {one.truth} for {one.predicted}."


def _weakest_class(report: RunReport) -> str:
    rows = [row for row in report.score.per_class if row.n_images]
    if len(rows) < 2:
        return ""
    lowest = min(row.recall for row in rows)
    weakest = [row for row in rows if row.recall == lowest]
    if len(weakest) > min(_MAX_WEAKEST, len(rows) - 1):
        return ""
    names, n = names_in_words([row.label for row in weakest]), sum(row.n_images for row in weakest)
    return f"It recognises {names} least often: {round(lowest * n):,} of {n:,} test photos."


def _few_photos(report: RunReport) -> str:
    n = report.score.n_images
    if n >= _MIN_TEST_IMAGES:
        return ""
    shown = "Only one photo was" if n == 1 else f"Only {n} photos were"
    return f"{shown} there for the test, so its score is a rough one. More photos would make it surer."


def _rough_classes(report: RunReport) -> str:
    few = [row.label for row in report.score.per_class if row.n_images < _MIN_CLASS_IMAGES]
    if not few:
        return ""
    return f"Fewer than {_MIN_CLASS_IMAGES} test photos each, so their own figures say little: {names_in_words(few)}."


def _suspects(report: RunReport) -> str:
    n = len(report.suspects)
    if not n:
        return ""
    labels = "the label of one photo" if n == 1 else f"the labels of {n:,} photos"
    return f"It doubts {labels} that it was trained on. If some of them are wrong, fixing them makes a better model."


def _of_100(share: float) -> str:
    """ "98 of 100"; never all or none of them unless it is so."""
    n = round(100 * share)
    if share < 1:
        n = min(n, 99)
    if share > 0:
        n = max(n, 1)
    return f"{n} of 100"

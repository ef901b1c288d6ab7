"""What the figures of a run mean, for somebody who has never met one. Reads `metrics.json`, also an older one.

The first sentence is the test score's own (`TestScore.sentence`), so that the page, the report and the card agree.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from automl.delivery.report.tables import class_rows, mix_ups
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


def headline(metrics: Mapping[str, Any]) -> str:
    """The score in one or two sentences."""
    return str(metrics["sentence"])


def findings(metrics: Mapping[str, Any]) -> list[str]:
    """What else the test showed, most important first; nothing for a model that has not been tested yet."""
    test = metrics.get("test") or {}
    if not test:
        return []
    sentences = [
        _baseline(test),
        _first_model(metrics),
        _most_frequent_mistake(metrics),
        _weakest_class(metrics),
        when_sure(metrics),
        _few_photos(test),
        _suspects(metrics),
    ]
    return [sentence for sentence in sentences if sentence]


def limits(metrics: Mapping[str, Any]) -> list[str]:
    """What the model cannot do, and what its score does not say."""
    sentences = [
        f"It always answers with one of its {len(metrics['classes']):,} classes, even for a photo that shows none of "
        "them, and sometimes with high confidence.",
        when_sure(metrics),
        _OTHER_PHOTOS,
        _few_photos(metrics.get("test") or {}),
        _rough_classes(metrics),
        _weakest_class(metrics),
        _IMAGENET if metrics.get("weights") else "",
        _suspects(metrics),
    ]
    return [sentence for sentence in sentences if sentence]


def names_in_words(names: Sequence[str], most: int = _MAX_NAMES) -> str:
    """ "a", "a and b", "a, b and 3 more"."""
    if len(names) == 1:
        return names[0]
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def when_sure(metrics: Mapping[str, Any]) -> str:
    """From which confidence on an answer can be trusted; "" where that is not known.

    The threshold was chosen on validation photos, so the test photos tell more honestly what it is worth.
    """
    calibration, test = metrics.get("calibration") or {}, metrics.get("test") or {}
    photos, known = ("test", test) if test.get("accuracy_when_sure") is not None else ("validation", calibration)
    threshold, coverage, accuracy = (
        calibration.get("threshold"),
        known.get("coverage"),
        known.get("accuracy_when_sure"),
    )
    if threshold is None or coverage is None or accuracy is None:
        return ""
    return (
        f"When it is at least {percent(threshold, 0)} sure, which it was for {_of_100(coverage)} {photos} photos, "
        f"it was right on {_of_100(accuracy)}. Treat an answer below that as “not sure”."
    )


def _baseline(test: Mapping[str, Any]) -> str:
    if "baseline_accuracy" not in test or "n_images" not in test:
        return ""
    n, baseline = test["n_images"], test["baseline_accuracy"]
    words = f"Always saying the most common class would have been right on {round(baseline * n):,} of {n:,}."
    interval = test.get("interval_95")
    if not interval or interval[0] > baseline:
        return words
    return f"{words} The model is not clearly better than that, so do not rely on it yet."


def _first_model(metrics: Mapping[str, Any]) -> str:
    """What the search was worth; "" where the first model was not scored."""
    first, winner = metrics.get("first_model"), metrics.get("winner") or {}
    if not first:
        return ""
    found = f"after {duration_in_words(first['at_s'])}"
    if first.get("trial") == winner.get("trial") and not winner.get("parts"):
        return f"The first model that was found, {found}, is the one that won: the search found no better one."
    gained = 100 * (metrics["test"]["accuracy"] - first["accuracy"])
    points = "one point" if round(abs(gained)) == 1 else f"{abs(gained):.0f} points"
    size = "less than one point" if abs(gained) < 0.5 else points
    before = f"The first model, found {found}, was right on {first['n_correct']:,} of {first['n_images']:,}"
    if not gained:
        return f"{before}, just as many: on these photos the search gained nothing over it."
    if gained < 0:
        return f"{before}, {size} more: on these photos the search gained nothing over it."
    return f"{before}; the search gained {size} over it."


def _most_frequent_mistake(metrics: Mapping[str, Any]) -> str:
    test = metrics["test"]
    if not test.get("confusion"):
        return ""
    worst = mix_ups(metrics)
    if not worst:
        return "It made no mistake on these photos; that does not mean that it never will."
    one = worst[0]
    if one.n == 1:
        return ""
    is_tied = len(worst) > 1 and worst[1].n == one.n
    begin = "One of its most frequent mistakes" if is_tied else "Its most frequent mistake"
    return f"{begin}: it took {one.n:,} of the {one.n_true:,} test photos of {one.truth} for {one.predicted}."


def _weakest_class(metrics: Mapping[str, Any]) -> str:
    rows = [row for row in class_rows(metrics) if row.n_images]
    if len(rows) < 2:
        return ""
    lowest = min(row.recall for row in rows)
    weakest = [row for row in rows if row.recall == lowest]
    if len(weakest) > min(_MAX_WEAKEST, len(rows) - 1):
        return ""
    names, n = names_in_words([row.label for row in weakest]), sum(row.n_images for row in weakest)
    return f"It recognises {names} least often: {round(lowest * n):,} of {n:,} test photos."


def _few_photos(test: Mapping[str, Any]) -> str:
    n = test.get("n_images")
    if n is None or n >= _MIN_TEST_IMAGES:
        return ""
    shown = "Only one photo was" if n == 1 else f"Only {n} photos were"
    return f"{shown} there for the test, so its score is a rough one. More photos would make it surer."


def _rough_classes(metrics: Mapping[str, Any]) -> str:
    few = [row.label for row in class_rows(metrics) if row.n_images < _MIN_CLASS_IMAGES]
    if not few:
        return ""
    return f"Fewer than {_MIN_CLASS_IMAGES} test photos each, so their own figures say little: {names_in_words(few)}."


def _suspects(metrics: Mapping[str, Any]) -> str:
    n = len(metrics.get("suspects") or ())
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

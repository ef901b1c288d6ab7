"""What the figures of a report mean, for people who have never met such figures.

The first sentence is the test score's own (`TestScore.sentence`), so that the page, the report and the card agree.
"""

from automl.datasets.none_of_these import anything_else
from automl.delivery.report.tables import mix_ups
from automl.records.report import Interval, RunReport
from automl.text.durations import duration_in_words
from automl.text.lists import names_in_words
from automl.text.messages import delivery as delivery_messages
from automl.text.names import backbones_in_words
from automl.text.numbers import latency_in_words, percent, size_in_words

_MIN_TEST_IMAGES = 100
_MIN_CLASS_IMAGES = 10
_MAX_WEAKEST = 3
_ONE_POINT_FROM = 0.5


def findings(report: RunReport) -> list[str]:
    """What else the test showed, most important first."""
    sentences = [
        _counted(report),
        _baseline(report),
        _first_model(report),
        _most_frequent_mistake(report),
        _weakest_class(report),
        when_sure(report),
        when_foreign(report),
        _few_photos(report),
        _suspects(report),
        _small_model(report),
    ]
    return [sentence for sentence in sentences if sentence]


def limits(report: RunReport) -> list[str]:
    """What the model cannot do, and what its score does not say."""
    sentences = [
        when_foreign(report) or delivery_messages.ALWAYS_ANSWERS.format(n=len(report.classes)),
        when_sure(report),
        delivery_messages.ONLY_PHOTOS_LIKE_THESE,
        _few_photos(report),
        _rough_classes(report),
        _weakest_class(report),
        delivery_messages.LEARNED_FROM_IMAGENET if report.weights else "",
        _suspects(report),
    ]
    return [sentence for sentence in sentences if sentence]


def when_sure(report: RunReport) -> str:
    """From which confidence on an answer can be trusted; empty where that is not known.

    The threshold was chosen on validation photos, so the figures of the test are the more honest ones where it has any.
    Without a test set the same answers have chosen it, so that only the corrected figures are told.
    """
    calibration, score = report.calibration, report.score
    if calibration is None or calibration.threshold is None:
        return ""
    if score.coverage is not None and score.accuracy_when_sure is not None:
        coverage, accuracy = score.coverage, score.accuracy_when_sure
        sentence = delivery_messages.SURE_ON_TEST_PHOTOS
    elif calibration.accuracy_when_sure is not None and score.is_held_out:
        coverage, accuracy = calibration.coverage, calibration.accuracy_when_sure
        sentence = delivery_messages.SURE_ON_VALIDATION_PHOTOS
    else:
        return ""
    return sentence.format(
        threshold=percent(calibration.threshold, 0), coverage=_of_100(coverage), accuracy=_of_100(accuracy)
    )


def when_foreign(report: RunReport) -> str:
    """How well it tells photos of none of its kinds, and of nothing that it has learned; empty where it cannot."""
    return " ".join(filter(None, (_of_anything_else(report), _of_far_photos(report))))


def _of_anything_else(report: RunReport) -> str:
    found = anything_else(report.classes, report.score.confusion)
    if found is None:
        return ""
    return delivery_messages.ANYTHING_ELSE.format(
        label=found.label, n_else=found.n_else, n_taken=found.n_taken, n_kinds=found.n_kinds, n_missed=found.n_missed
    )


def _of_far_photos(report: RunReport) -> str:
    novelty = report.novelty
    if novelty is None:
        return ""
    (low, high), (other_low, other_high) = novelty.flagged_95, novelty.recognised_95
    return delivery_messages.FOREIGN.format(
        n_recognised=novelty.n_recognised,
        n_others=novelty.n_others,
        n_flagged=novelty.n_flagged,
        n_photos=novelty.n_photos,
        flagged=_interval(low, high),
        recognised=_interval(other_low, other_high),
    )


def _interval(low: float, high: float) -> str:
    return delivery_messages.SHARE_INTERVAL.format(low=100 * low, high=100 * high)


def _counted(report: RunReport) -> str:
    """How the score and the count of right answers belong together; empty for a test set, where they are the same."""
    score = report.score
    if score.is_held_out:
        return ""
    return delivery_messages.EVERY_PHOTO_COUNTED.format(
        n=report.n_trials, n_right=score.n_correct, n_photos=score.n_images, score=percent(score.accuracy)
    )


def _baseline(report: RunReport) -> str:
    n, baseline = report.score.n_images, report.score.baseline_accuracy
    is_better = report.score.interval_95[0] > baseline
    sentence = delivery_messages.BASELINE if is_better else delivery_messages.NOT_BETTER_THAN_BASELINE
    return sentence.format(n_right=round(baseline * n), n=n)


def _first_model(report: RunReport) -> str:
    """What the search was worth; empty where the first model was not tested."""
    first = report.first_model
    if first is None:
        return ""
    time = duration_in_words(first.at_s)
    if report.is_first_model:
        return delivery_messages.FIRST_MODEL_WON.format(time=time)
    gained = 100 * (report.score.accuracy - first.accuracy)
    figures = {"time": time, "n_right": first.n_correct, "n_tested": first.n_images}
    if not gained:
        return delivery_messages.FIRST_MODEL_AS_GOOD.format(**figures)
    if abs(gained) < _ONE_POINT_FROM:
        little = (
            delivery_messages.SEARCH_GAINED_LITTLE if gained > 0 else delivery_messages.FIRST_MODEL_BETTER_BY_LITTLE
        )
        return little.format(**figures)
    points = delivery_messages.SEARCH_GAINED_POINTS if gained > 0 else delivery_messages.FIRST_MODEL_BETTER_BY_POINTS
    return points.format(n=max(1, round(abs(gained))), **figures)


def _most_frequent_mistake(report: RunReport) -> str:
    worst = mix_ups(report)
    if not worst:
        return delivery_messages.NO_MISTAKE
    one = worst[0]
    if one.n == 1:
        return ""
    is_tied = len(worst) > 1 and worst[1].n == one.n
    sentence = delivery_messages.ONE_OF_WORST_MISTAKES if is_tied else delivery_messages.WORST_MISTAKE
    return sentence.format(n=one.n, n_true=one.n_true, truth=one.truth, said=one.predicted)


def _weakest_class(report: RunReport) -> str:
    rows = [row for row in report.score.per_class if row.n_images]
    if len(rows) < 2:
        return ""
    lowest = min(row.recall for row in rows)
    weakest = [row for row in rows if row.recall == lowest]
    if len(weakest) > min(_MAX_WEAKEST, len(rows) - 1):
        return ""
    names, n = names_in_words([row.label for row in weakest]), sum(row.n_images for row in weakest)
    return delivery_messages.WEAKEST_CLASS.format(classes=names, n_right=round(lowest * n), n=n)


def _small_model(report: RunReport) -> str:
    """What a small model reaches that larger networks have taught; empty where none was taught."""
    small = report.small
    if small is None:
        return ""
    figures = {
        "student": backbones_in_words(small.backbones),
        "teachers": backbones_in_words(small.teachers),
        "size": size_in_words(small.n_bytes),
        "latency": latency_in_words(small.latency_s),
        "accuracy": percent(small.accuracy),
        "without_teacher": _points(small.beyond_direct, small.beyond_direct_95),
    }
    if small.is_winner:
        return delivery_messages.SMALL_MODEL_DELIVERED.format(**figures)
    beside = _points(small.beyond_winner, small.beyond_winner_95)
    return delivery_messages.SMALL_MODEL_BESIDE.format(**figures, beside=beside)


def _points(difference: float, interval: Interval) -> str:
    """ "+0.4 points (95 % interval -0.6 to +1.4)"."""
    low, high = interval
    return delivery_messages.POINTS.format(points=100 * difference, low=100 * low, high=100 * high)


def _few_photos(report: RunReport) -> str:
    n = report.score.n_images
    if n >= _MIN_TEST_IMAGES:
        return ""
    few = delivery_messages.FEW_TEST_PHOTOS if report.score.is_held_out else delivery_messages.FEW_PHOTOS
    return few.format(n=n)


def _rough_classes(report: RunReport) -> str:
    few = [row.label for row in report.score.per_class if row.n_images < _MIN_CLASS_IMAGES]
    if not few:
        return ""
    return delivery_messages.ROUGH_CLASSES.format(few=_MIN_CLASS_IMAGES, classes=names_in_words(few))


def _suspects(report: RunReport) -> str:
    n = len(report.suspects)
    return delivery_messages.DOUBTED_LABELS.format(n=n) if n else ""


def _of_100(share: float) -> str:
    """ "98 of 100"; never all or none of them unless it is so."""
    n = round(100 * share)
    if share < 1:
        n = min(n, 99)
    if share > 0:
        n = max(n, 1)
    return delivery_messages.OF_100.format(n=n)

"""How well a model tells photos of nothing that it has learned, from true photos and from pictures of other things."""

from automl.records.report.part import Count, ReportPart
from automl.records.report.score_report import Interval


class NoveltyReport(ReportPart):
    """Both rates of the threshold that aims at 3 % of true photos. Neither had a part in choosing it."""

    is_tested: bool
    """Whether the true photos are the test photos. Without a test set they are those that were held out, each judged by
    the distances of photos of other folds."""

    n_photos: Count
    """True photos."""

    n_flagged: Count
    """How many of them it wrongly takes for nothing that it has learned."""

    flagged_95: Interval
    """95 % interval of that share."""

    n_others: Count
    """Pictures of other things: photographs, drawings and handwritten digits that Darkroom's dependencies ship."""

    n_recognised: Count
    """How many of them it takes for nothing that it has learned."""

    recognised_95: Interval
    """95 % interval of that share."""

"""By how much one of two runs is ahead on the same photos."""

from types import MappingProxyType

import numpy as np
import pytest
from scipy.special import stdtrit

from server.views.paired import _t_95, paired_difference
from tests.server.views.test_comparison import answers


def difference(first, second, clips=MappingProxyType({})):
    """first, second: whether either run has each photo right."""
    of = [
        {one.sha256: one for one in answers([(str(i), "a", right) for i, right in enumerate(rights)], clips)}
        for rights in (first, second)
    ]
    return paired_difference(*of, list(of[0]))


def test_the_interval_is_that_of_agresti_and_min():
    """Of 100 photos, 12 only the first has right, and 4 only the second."""
    found = difference([1] * 12 + [0] * 4 + [1] * 84, [0] * 12 + [1] * 4 + [1] * 84)
    assert (found.n, found.n_first, found.n_second, found.lead) == (100, 96, 88, pytest.approx(0.08))
    centre, deviation = 8 / 102, np.sqrt(17 - 8**2 / 102) / 102
    assert (found.low, found.high) == pytest.approx((centre - 1.96 * deviation, centre + 1.96 * deviation), abs=1e-3)


def test_runs_that_agree_on_all_photos_may_still_differ_on_others():
    found = difference([1] * 30, [1] * 30)
    assert found.lead == 0
    assert -0.1 < found.low < 0 < found.high < 0.1


def test_photos_of_a_clip_count_together():
    alone = difference([1] * 12 + [0] * 60, [0] * 72)
    in_clips = difference([1] * 12 + [0] * 60, [0] * 72, {str(i): f"clip {i // 12}" for i in range(72)})
    assert alone.low > 0 > in_clips.low
    assert in_clips.lead == alone.lead


def test_where_nothing_is_in_common_there_is_no_difference():
    assert paired_difference({}, {}, []) is None


def test_ends_stay_within_what_is_possible():
    found = difference([1, 1], [0, 0])
    assert -1 <= found.low < found.high <= 1


@pytest.mark.parametrize("n_free", [3, 4, 9, 30, 1000])
def test_the_quantile_of_students_t_is_near(n_free):
    assert _t_95(n_free) == pytest.approx(stdtrit(n_free, 0.975), rel=0.01)


@pytest.mark.parametrize("n_in_clip", [1, 5])
def test_about_95_of_100_intervals_hold_the_truth(n_in_clip):
    random = np.random.default_rng(0)
    n_held = 0
    for _ in range(300):
        leads = random.choice([-1, 0, 1], p=[0.05, 0.8, 0.15], size=200 // n_in_clip).repeat(n_in_clip)
        clips = {str(i): f"clip {i // n_in_clip}" for i in range(200)} if n_in_clip > 1 else {}
        found = difference((leads > 0).tolist(), (leads < 0).tolist(), clips)
        n_held += found.low <= 0.1 <= found.high
    assert 0.92 <= n_held / 300 <= 0.98

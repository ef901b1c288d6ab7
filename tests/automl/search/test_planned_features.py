"""How large the pictures of a run are: the user's wish, else what photos, networks and time make worth it."""

import pytest

from automl.records import RunSettings
from automl.search.budget import Budget
from automl.search.search import planned_features
from tests.automl.search.fakes import LITE2, V1, V2, Clock, Features, context_of, costs_of


def main_px(
    *, wished_px: int | None = None, budget_s: float | None = 600.0, networks=(V2, LITE2), **photos: float
) -> int:
    """Of a plan for 40 photos, each of which takes `image_s`."""
    features = Features(Clock(), networks, **{"detail_px": 500, "image_s": 0.01, **photos})
    settings = RunSettings(budget_s=budget_s, max_trials=20, max_image_size_px=wished_px)
    context = context_of(settings, Budget(budget_s, clock=Clock()))
    return planned_features(context, features, costs_of(features)).main_px


def test_sharp_photos_are_looked_at_in_larger_squares_where_there_is_time():
    assert main_px() > 224


@pytest.mark.parametrize("less", [{"image_s": 3.5}, {"detail_px": 240}, {"networks": (V2, V1)}, {"budget_s": None}])
def test_slow_networks_small_photos_small_networks_or_no_clock_leave_it_at_the_usual_size(less):
    assert main_px(**less) == 224


@pytest.mark.parametrize("wished_px", [160, 224])
def test_a_wish_is_never_exceeded(wished_px):
    assert main_px(wished_px=wished_px) == wished_px

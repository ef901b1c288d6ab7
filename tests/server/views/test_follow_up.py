import re
from datetime import timedelta

import pytest

from automl.records import RunSettings, RunState
from automl.store.database import find_run
from automl.store.tables import now
from server.views.follow_up import longer_search, run_to_compare, smaller_alternative, smaller_model
from tests.reports import PARETO_ROW, made_report
from tests.server.answered import result_of
from tests.server.conftest import zip_of
from tests.server.finished import BASE

DAY_S = 86_400
SIZES = {
    "winner": {"n_bytes": 35_300_000},
    "pareto": [{**PARETO_ROW, "n_bytes": 8_912_022, "score": 0.9}, {**PARETO_ROW, "n_bytes": 35_300_000}],
}


@pytest.mark.parametrize(
    ("budget_s", "max_s", "longer"),
    [(90, DAY_S, 120), (120, DAY_S, 600), (600, DAY_S, 3600), (3600, 3600, None), (DAY_S, DAY_S, None)],
)
def test_a_longer_search_takes_the_next_larger_time_that_is_allowed(budget_s, max_s, longer):
    settings = longer_search(RunSettings(budget_s=budget_s, seed=7), max_s)
    assert settings == (None if longer is None else RunSettings(budget_s=longer, seed=7))


@pytest.mark.parametrize(
    ("sizes", "limit"),
    [
        ([8_912_022, 35_300_000], 17.7),
        ([20_000_000, 35_300_000], 20.0),  # nothing of half the size was found
        ([33_000_000, 35_300_000], None),  # hardly smaller
        ([], None),
    ],
)
def test_a_smaller_model_has_half_the_size_if_there_is_one(sizes, limit):
    pareto = [{**PARETO_ROW, "n_bytes": size} for size in sizes]
    found = smaller_model(RunSettings(epochs=3), made_report(winner={"n_bytes": 35_300_000}, pareto=pareto))
    assert found == (None if limit is None else RunSettings(epochs=3, max_model_mb=limit))


@pytest.mark.parametrize(
    ("row", "is_offered"),
    [
        ({"score": 0.942, "n_bytes": 8_912_022}, True),
        ({"score": 0.939, "n_bytes": 8_912_022}, False),  # more than a point less
        ({"score": 0.95, "n_bytes": 30_000_000}, False),  # hardly smaller
        ({"score": 0.95, "n_bytes": 8_912_022, "n_images": 30}, False),  # scored on other photos
        ({"score": None, "n_bytes": 8_912_022}, False),
    ],
)
def test_a_much_smaller_model_is_offered_where_it_costs_less_than_a_point(row, is_offered):
    report = made_report(winner={"n_bytes": 35_300_000}, pareto=[{**PARETO_ROW, **row}])
    assert (smaller_alternative(report) is not None) == is_offered


@pytest.mark.parametrize(
    ("score", "words"), [(0.942, "4 times smaller, 0.8 points less"), (0.95, "4 times smaller, and as good")]
)
def test_the_smaller_model_says_what_it_is_worth_and_one_button_makes_it(client, world, score, words):
    rows = [{**PARETO_ROW, "n_bytes": 8_912_022, "score": score}, {**PARETO_ROW, "n_bytes": 35_300_000}]
    values = {**result_of(("a", "b"), ()), "winner": {"n_bytes": 35_300_000}, "pareto": rows}
    run_id = world.add_run(RunState.DONE, result=values)
    world.add_artifact(run_id, "bundle", zip_of(**BASE), "model.zip", "application/zip")
    page = client.get(f"/runs/{run_id}").text
    assert f"<strong>{words}</strong>" in page and page.count('id="make-smaller"') == 1
    assert press(client, world, page, "make-smaller").settings.max_model_mb == 9.0


def test_an_older_result_proposes_no_size():
    assert smaller_model(RunSettings(), made_report(winner={"n_bytes": None}, pareto=[])) is None


def done(world, dataset_id, minutes_ago=0, **values):
    finished = now() - timedelta(minutes=minutes_ago)
    return world.add_run(RunState.DONE, dataset_id, finished_at=finished, result=result_of(("a", "b"), ()), **values)


def compared(world, run_id):
    with world.database.session() as session:
        found = run_to_compare(session, find_run(session, run_id))
        return found.id if found else None


def test_a_run_is_compared_with_the_one_that_it_follows_else_with_the_latest(world):
    dataset_id = world.add_dataset()
    first, second = done(world, dataset_id, 9), done(world, dataset_id, 5)
    assert compared(world, done(world, dataset_id, parent_id=first)) == first
    assert compared(world, first) != first
    other = world.add_run(RunState.FAILED, world.add_dataset())
    assert compared(world, other) is None
    assert compared(world, second) is not None


def test_a_parent_that_has_no_result_is_passed_over(world):
    dataset_id = world.add_dataset()
    failed, other = world.add_run(RunState.FAILED, dataset_id), done(world, dataset_id)
    assert compared(world, done(world, dataset_id, parent_id=failed)) == other


def press(client, world, page, button):
    """Sends the form of a button that starts a run, and returns the run."""
    form = next(part for part in page.split("<form") if f'id="{button}"' in part)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', form))
    assert client.post(re.search(r'action="(.*?)"', form)[1], data=fields).status_code == 303
    return world.run(world.queue.sent[-1][1])


@pytest.mark.parametrize(
    ("button", "changed"), [("search-longer", {"budget_s": 600.0}), ("make-smaller", {"max_model_mb": 17.7})]
)
def test_one_button_starts_the_run_that_follows(client, world, button, changed):
    settings = RunSettings(seed=3, epochs=9, head_layers=(64,), backbones=("mobilenet_v2",))
    values = {**result_of(("a", "b"), ()), **SIZES}
    run_id = world.add_run(RunState.DONE, result=values, settings=settings)
    started = press(client, world, client.get(f"/runs/{run_id}").text, button)
    assert started.parent_id == run_id
    assert started.settings == settings.model_copy(update=changed)


def test_a_follow_up_says_so_and_leads_to_the_comparison_when_both_are_done(client, world):
    dataset_id = world.add_dataset()
    parent = done(world, dataset_id)
    running = world.add_run(RunState.SEARCHING, dataset_id, parent_id=parent)
    page = client.get(f"/runs/{running}").text
    assert "A follow-up of the" in page and "compare the two" not in page
    page = client.get(f"/runs/{done(world, dataset_id, parent_id=parent)}").text
    assert f'/runs/{parent}"' in page and "compare the two" in page


def test_a_failed_run_keeps_run_it_again_and_can_be_changed_first(client, world):
    run_id = world.add_run(RunState.FAILED)
    page = client.get(f"/runs/{run_id}").text
    assert "Run it again, 2 minutes" in page
    assert f"?like={run_id}&amp;change=1#start-form" in page

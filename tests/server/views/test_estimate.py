"""What a data set's page promises: only what was measured on this machine."""

import pytest
from sqlalchemy import event

from automl.records import RunState
from automl.store.database import find_run
from automl.store.tables import Dataset, DatasetVersion, TrialSummary, now
from server.views.estimate import Estimate, estimate
from server.views.past_runs import MARKS_S, PastRun


def past(n_by_s, end_s=20.0, **values):
    """A run on 1,000 photos. `n_by_s`: tries that had ended by a second, the last of which ended its search."""
    (*_, searched_s), (*_, n_all) = n_by_s, n_by_s.values()
    n_tries = tuple(max((n for at_s, n in n_by_s.items() if at_s <= mark_s), default=0) for mark_s in MARKS_S)
    known = {"dataset_id": "other", "n_photos": 1000, "look_s": 0.005, "budget_s": 120.0, "first_model_s": 14.0}
    told = {"n_tries": n_tries, "n_all": n_all, "searched_s": searched_s, "end_s": end_s, "fine_tuned": False}
    return PastRun(**{**known, **told, **values})


PAST = past({20: 6, 30: 12, 60: 90, 90: 120})
"""Slow at first, while networks looked at the photos."""


def expected(searched=PAST, **values):
    known = {"n_photos": 1000, "read_s": 5.0, "past": PAST, "searched": searched, "fine_tuning_s": None}
    return Estimate(**{**known, **values})


@pytest.fixture
def add_done(world):
    """A finished run on so many photos, with heads and, if wanted, fine-tuning."""

    def add(n_images=1000, stages=("heads",), budget_s=120.0, settings=None, dataset_id=None, time=None, **values):
        dataset_id = dataset_id or world.add_dataset(summary={"n_images": n_images, "look_s": 0.005})
        result = {"time": time or {"first_model_s": 14.0, "used_s": 100.0}}
        run_id = world.add_run(
            RunState.DONE,
            dataset_id,
            budget_s=budget_s,
            settings=settings or {},
            finished_at=now(),
            result=result,
            **values,
        )
        with world.database.session() as session:
            version = DatasetVersion(
                dataset_id=dataset_id, number=1, fingerprint="", key="", n_images=n_images, n_classes=2
            )
            run = find_run(session, run_id)
            run.version = version
            for number in range(11):
                for place, stage in enumerate(stages):
                    trial = TrialSummary(run_id=run_id, number=len(stages) * number + place, stage=stage)
                    trial.state, trial.image_size_px = "complete", 160
                    trial.started_s, trial.duration_s = 10.0 + 5 * number, 5.0
                    session.add(trial)
        return dataset_id

    return add


@pytest.fixture
def estimated(world):
    def ask(dataset_id):
        with world.database.session() as session:
            return estimate(session, session.get_one(Dataset, dataset_id))

    return ask


def test_nothing_measured_is_nothing_said(world, estimated):
    found = estimated(world.add_dataset(summary={"n_images": 500}))
    assert (found.first_model_s, found.n_tries(120.0), found.words(120.0), found.in_short) == (None, None, "", "")


@pytest.mark.parametrize(
    ("n_images", "look_s", "reading", "within"),
    [
        (121, 0.015, "about 2 seconds", "half a minute"),
        (1000, 0.02, "about 20 seconds", "a minute"),
        (2000, 0.001, "about 2 seconds", "a minute"),
        (5000, 0.01, "about 50 seconds", "3 minutes, sooner where you allow less time"),
        (50_000, 0.005, "about 4 minutes", "15 minutes, sooner where you allow less time"),
    ],
)
def test_before_the_first_run_reading_and_the_usual_first_model_are_told(
    world, estimated, n_images, look_s, reading, within
):
    found = estimated(world.add_dataset(summary={"n_images": n_images, "look_s": look_s}))
    assert found.in_short == (
        f"Reading these {n_images:,} photos takes {reading} here. The first model usually comes within {within}."
    )
    assert found.words(120.0) == ""


def test_the_page_tells_it_before_the_first_run(client, world):
    page = client.get(f"/datasets/{world.add_dataset(summary={'n_images': 121, 'look_s': 0.015})}").text
    assert "The first model usually comes within half a minute." in page


def test_a_data_set_that_was_not_checked_has_no_estimate(world, estimated):
    assert estimated(world.add_dataset()) is None


def test_the_same_photos_take_as_long_as_they_took(add_done, estimated):
    found = estimated(add_done())
    assert found.first_model_s == pytest.approx(14.0)
    assert found.in_short == "About 15 seconds until the first model, going by an earlier run here."
    assert found.words(120.0) == "Room for some 10 tries."


def test_a_run_on_the_same_photos_counts_more_than_a_later_one(add_done, estimated):
    mine = add_done(n_images=1000)
    add_done(n_images=990)
    assert estimated(mine).past.dataset_id == mine


def test_twice_the_photos_take_longer_and_leave_fewer_tries():
    twice = expected(n_photos=2000, read_s=10.0)
    assert twice.first_model_s == pytest.approx(6.0 + 2 * 8.0)
    assert twice.n_tries(120.0) < expected().n_tries(120.0) / 1.9


def test_larger_pictures_take_longer_to_read():
    assert expected(read_s=25.0).first_model_s == pytest.approx(14.0 + 20.0)


def test_few_photos_promise_no_more_than_many_gave():
    assert expected(n_photos=10, read_s=0.05).n_tries(120.0) == expected().n_tries(120.0)


@pytest.mark.parametrize(
    ("budget_s", "words"), [(40.0, "a few tries"), (60.0, "some 10 tries"), (90.0, "some 90 tries")]
)
def test_as_many_tries_as_had_ended_by_then_are_promised_not_the_average(budget_s, words):
    """After 20 s of 40, 30 of 60 and 60 of 90: the rest is kept back for the end."""
    assert expected().words(budget_s) == f"Room for {words}."


def test_beyond_its_end_a_run_goes_on_as_on_average():
    assert expected().n_tries(30.0 + 180.0) == 200  # 240


def test_more_tries_than_a_search_needs_are_not_promised():
    assert expected().words(3600.0) == "Room for more than 300 tries, more than most searches need."


def test_a_run_on_fewer_networks_does_not_tell_how_many_tries_others_have_room_for(add_done, estimated):
    mine = add_done(settings={"backbones": ["mobilenet_v2"]})
    assert estimated(mine).in_short == "About 15 seconds until the first model, going by an earlier run here."
    assert estimated(mine).words(120.0) == ""
    add_done(n_images=900)
    assert estimated(mine).words(120.0) == "Room for some 10 tries."


def test_other_photos_go_by_a_run_that_saw_its_own_for_the_first_time(world, add_done, estimated):
    """The second has found what networks make of them."""
    first = add_done(budget_s=120.0)
    add_done(budget_s=600.0, dataset_id=first)
    assert estimated(world.add_dataset(summary={"n_images": 1000})).searched.budget_s == 120.0
    assert estimated(first).searched.budget_s == 600.0


LENGTHS = (120.0, 600.0, 3600.0)


def test_lengths_to_choose_from_do_not_all_say_the_same():
    quick, standard, thorough = expected(searched=past({10: 40, 30: 300})).words_of_each(LENGTHS).values()
    assert quick == "Room for more than 300 tries, more than most searches need."
    assert standard == thorough == "Room for that too, and for more."
    said = expected(fine_tuning_s=600.0).words_of_each(LENGTHS)
    assert list(said.values())[1:] == [
        "Long enough to train the inner layers too (fine-tuning).",
        "Room for that too, and for more.",
    ]


def test_a_length_that_searches_did_not_use_says_so(add_done, estimated):
    mine = add_done(budget_s=600.0, time={"first_model_s": 14.0, "used_s": 100.0})
    found = estimated(mine)
    assert found.enough_s == 100.0
    longest = dict(found.words_of_each((3600.0, 7200.0)))[7200.0]
    assert longest == "Room for that too; searches here mostly end by themselves before."
    add_done(budget_s=120.0)  # used its time, as far as it went
    assert estimated(mine).enough_s is None


@pytest.mark.parametrize("why", [{"stop_requested": True}, {"settings": {"max_trials": 11}}])
def test_a_search_that_was_ended_did_not_end_by_itself_and_tells_less_than_another(add_done, estimated, why):
    mine = add_done(budget_s=600.0, **why)
    assert estimated(mine).enough_s is None
    assert estimated(mine).searched.dataset_id == mine
    other = add_done(n_images=300)
    assert estimated(mine).searched.dataset_id == other
    assert estimated(mine).past.dataset_id == mine


def test_a_run_that_sought_a_small_model_counts_only_where_there_is_no_other(add_done, estimated):
    add_done(n_images=1000, settings={"max_model_mb": 12.0})
    mine = add_done(n_images=300)
    assert estimated(add_done(n_images=990, settings={"max_latency_ms": 20.0})).past.was_limited
    found = estimated(new := add_done(n_images=1000, stages=()))
    assert found.past.dataset_id == mine != new


def test_too_short_a_time_says_so_and_promises_nothing():
    assert expected(n_photos=50_000, read_s=250.0).words(120.0).startswith("Too short to look at all")


def test_fine_tuning_is_told_from_the_length_that_had_room_for_it(add_done, estimated):
    add_done(budget_s=600.0, stages=("heads", "fine-tuning"))
    found = estimated(add_done(n_images=2000))
    assert found.fine_tuning_s == 1200.0
    assert "fine-tuning" in found.words(3600.0)
    assert "fine-tuning" not in found.words(600.0)


def test_the_page_shows_it_beside_each_length(client, add_done):
    page = client.get(f"/datasets/{add_done()}").text
    assert "About 15 seconds until the first model" in page
    assert "Room for some 10 tries" in page


def test_a_time_of_the_users_own_has_the_words_of_a_preset(client, add_done):
    address = f"/datasets/{add_done()}/expected"
    assert client.get(f"{address}?minutes=2").text == "Room for some 10 tries."
    assert "more than 300 tries" in client.get(f"{address}?minutes=60").text


@pytest.mark.parametrize("minutes", ["", "soon", "0.1", "-3", "1e99", "9999999"])
def test_what_is_no_time_yet_is_answered_with_nothing(client, add_done, minutes):
    answer = client.get(f"/datasets/{add_done()}/expected?minutes={minutes}")
    assert (answer.status_code, answer.text) == (200, "")


def test_nothing_is_expected_of_photos_that_are_not_there(client):
    assert client.get("/datasets/nothing/expected?minutes=2").status_code == 404


def test_the_runs_of_many_data_sets_are_read_at_once(world, add_done):
    """Each view of a data set's page comes by here."""
    asked = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *_, **__: asked.append(1))

    def count(dataset_id):
        asked.clear()
        with world.database.session() as session:
            estimate(session, session.get_one(Dataset, dataset_id))
        return len(asked)

    few = count(add_done())
    for _ in range(5):
        add_done()
    assert count(add_done()) == few

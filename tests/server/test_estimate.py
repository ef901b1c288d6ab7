"""What a data set's page promises: only what was measured on this machine."""

import pytest

from automl.records import RunState
from automl.store.database import Dataset, DatasetVersion, TrialSummary, find_run
from server.estimate import Estimate, PastRun, estimate

PAST = PastRun("other", 1000, 0.005, 120.0, 14.0, 0.7, 30.0, False)


def expected(**values):
    return Estimate(**{"n_photos": 1000, "read_s": 5.0, "past": PAST, "fine_tuning_s": None, **values})


@pytest.fixture
def add_done(world):
    """A finished run on so many photos, with heads and, if wanted, fine-tuning."""

    def add(n_images=1000, stages=("heads",), budget_s=120.0, **result):
        dataset_id = world.add_dataset(summary={"n_images": n_images, "look_s": 0.005})
        time = {"first_model_s": 14.0, "used_s": 100.0}
        run_id = world.add_run(RunState.DONE, dataset_id, budget_s=budget_s, result={"time": time, **result})
        with world.database.session() as session:
            version = DatasetVersion(
                dataset_id=dataset_id, number=1, fingerprint="", key="", n_images=n_images, n_classes=2
            )
            run = find_run(session, run_id)
            run.version = version
            for number in range(11):
                for stage in stages:
                    trial = TrialSummary(run_id=run_id, number=number, state="complete", image_size_px=160, stage=stage)
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
    ("n_images", "look_s", "reading"),
    [(1000, 0.02, "1,000 photos takes about 20 seconds"), (2000, 0.001, "2,000 photos takes about 2 seconds")],
)
def test_the_check_alone_tells_how_long_reading_takes(world, estimated, n_images, look_s, reading):
    found = estimated(world.add_dataset(summary={"n_images": n_images, "look_s": look_s}))
    assert (found.in_short, found.words(120.0)) == (f"Reading these {reading} here.", "")


def test_before_the_first_run_few_photos_are_told_when_a_first_model_usually_comes(client, world):
    page = client.get(f"/datasets/{world.add_dataset(summary={'n_images': 121, 'look_s': 0.015})}").text
    assert (
        "Reading these 121 photos takes about 2 seconds here. The first model usually comes within half a min" in page
    )


def test_a_data_set_that_was_not_checked_has_no_estimate(world, estimated):
    assert estimated(world.add_dataset()) is None


def test_the_same_photos_take_as_long_as_they_took(add_done, estimated):
    found = estimated(add_done())
    assert found.first_model_s == pytest.approx(14.0)
    assert found.in_short == "About 15 seconds until the first model, going by an earlier run here."
    assert found.words(120.0) == "Room for some 14 tries."


def test_a_run_on_the_same_photos_counts_more_than_a_later_one(add_done, estimated):
    mine = add_done(n_images=1000)
    add_done(n_images=990)
    assert estimated(mine).past.dataset_id == mine


def test_twice_the_photos_take_longer_and_leave_fewer_tries():
    twice = expected(n_photos=2000, read_s=10.0)
    assert twice.first_model_s == pytest.approx(4.0 + 2 * 10.0)
    assert twice.n_tries(600.0) < expected().n_tries(600.0) / 1.9


def test_larger_pictures_take_longer_to_read():
    assert expected(read_s=25.0).first_model_s == pytest.approx(14.0 + 20.0)


def test_few_photos_promise_no_more_than_the_quickest_machine_gave():
    assert expected(n_photos=10, read_s=0.05).n_tries(120.0) <= 4 * 120


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
    assert "Room for some 14 tries" in page

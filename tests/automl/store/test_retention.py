"""Data sets that nobody uses: warned of first, then in the bin."""

from datetime import timedelta

import pytest

from automl.records import DatasetState, RunState
from automl.settings import Settings, load_settings
from automl.store.database import Database, known_dataset
from automl.store.retention import WARNING_DAYS, bin_unused, goes_into_bin_at, keep_dataset, warn_of_unused
from automl.store.tables import Dataset, DatasetEdit, Run, Sorting, now


@pytest.fixture
def settings() -> Settings:
    return load_settings({"DARKROOM_RETENTION_DAYS": "90", "DARKROOM_BIN_DAYS": "7"})


def days_ago(days: float):
    return now() - timedelta(days=days)


def add(database: Database, days: float, **values: object) -> str:
    """A data set that was made so many days ago."""
    with database.session() as session:
        dataset = Dataset(**{"name": "pets", "state": DatasetState.READY, "created_at": days_ago(days), **values})
        session.add(dataset)
        session.flush()
        return dataset.id


def warned(database: Database, settings: Settings) -> list[str]:
    with database.session() as session:
        return [dataset.id for dataset in warn_of_unused(session, settings)]


def binned(database: Database, settings: Settings) -> list[str]:
    with database.session() as session:
        return [dataset.id for dataset in bin_unused(session, settings)]


def is_marked(database: Database, dataset_id: str) -> bool:
    with database.session() as session:
        return known_dataset(session, dataset_id).warned_at is not None


def test_a_warning_comes_before_the_time_is_up_and_only_once(database: Database, settings: Settings):
    old = add(database, 90 - WARNING_DAYS + 1)
    add(database, 90 - WARNING_DAYS - 1)
    assert warned(database, settings) == [old]
    assert warned(database, settings) == []
    assert binned(database, settings) == []


def test_nothing_goes_into_the_bin_before_a_warning_has_stood(database: Database, settings: Settings):
    """As where the time is set for the first time."""
    very_old = add(database, 1_000)
    assert binned(database, settings) == []
    assert warned(database, settings) == [very_old]
    assert binned(database, settings) == []
    with database.session() as session:
        dataset = known_dataset(session, very_old)
        dataset.warned_at = days_ago(WARNING_DAYS + 0.1)
        assert goes_into_bin_at(dataset) <= now()
    assert binned(database, settings) == [very_old]
    with database.session() as session:
        dataset = known_dataset(session, very_old)
        assert dataset.deleted_at is not None
        assert dataset.removal_at > now() + timedelta(days=6)


def test_what_is_put_back_is_not_taken_again_at_once(database: Database, settings: Settings):
    dataset_id = add(database, 1_000, warned_at=days_ago(WARNING_DAYS + 1))
    assert binned(database, settings) == [dataset_id]
    with database.session() as session:
        dataset = known_dataset(session, dataset_id)
        dataset.deleted_at = dataset.removal_at = None
    assert binned(database, settings) == []


def run(dataset_id: str, **values: object) -> Run:
    return Run(dataset_id=dataset_id, budget_s=60.0, created_at=days_ago(900), **values)


def long_run_that_ended_now(dataset_id: str) -> Run:
    return run(dataset_id, state=RunState.DONE, finished_at=now())


def run_that_goes_on(dataset_id: str) -> Run:
    return run(dataset_id, state=RunState.SEARCHING)


def sorting(dataset_id: str) -> Sorting:
    return Sorting(name="new ones", run=run(dataset_id, state=RunState.DONE, finished_at=days_ago(800)))


def edit(dataset_id: str) -> DatasetEdit:
    return DatasetEdit(dataset_id=dataset_id, kind="rename", title="")


@pytest.mark.parametrize("use", [edit, long_run_that_ended_now, run_that_goes_on, sorting])
def test_whatever_is_done_with_it_counts_as_a_use(database: Database, settings: Settings, use):
    dataset_id = add(database, 1_000, warned_at=days_ago(WARNING_DAYS + 1))
    with database.session() as session:
        session.add(use(dataset_id))
    assert binned(database, settings) == []
    assert warned(database, settings) == []
    assert not is_marked(database, dataset_id)


@pytest.mark.parametrize("values", [{"kept_at": now()}, {"state": DatasetState.CHECKING}, {"deleted_at": now()}])
def test_neither_what_is_kept_nor_checked_nor_deleted(database: Database, settings: Settings, values):
    add(database, 1_000, **values)
    assert warned(database, settings) == []


def test_one_click_keeps_it(database: Database, settings: Settings):
    dataset_id = add(database, 1_000)
    assert warned(database, settings) == [dataset_id]
    with database.session() as session:
        keep_dataset(known_dataset(session, dataset_id))
    assert not is_marked(database, dataset_id)
    assert warned(database, settings) == []


def test_by_default_everything_stays(database: Database, settings: Settings):
    dataset_id = add(database, 10_000)
    forever = load_settings({})
    assert warned(database, forever) == binned(database, forever) == []
    assert warned(database, settings) == [dataset_id]
    warned(database, forever)
    assert not is_marked(database, dataset_id)  # a warning that is no longer true

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from automl.store.database import Database, find_dataset, find_run
from automl.store.tables import Dataset, DatasetFile, TrialSummary, new_id


def test_an_exception_rolls_everything_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.session() as session:
        session.add(Dataset(name="x"))
        session.flush()
        1 / 0  # noqa: B018
    with database.session() as session:
        assert session.scalars(select(Dataset)).all() == []


def test_times_come_back_in_utc_whatever_zone_they_had(database: Database) -> None:
    noon_in_tokyo = datetime(2030, 1, 1, 12, tzinfo=timezone(timedelta(hours=9)))
    with database.session() as session:
        session.add(Dataset(id="x", name="x", created_at=noon_in_tokyo))
    with database.session() as session:
        found = find_dataset(session, "x").created_at
    assert (found, found.tzinfo) == (datetime(2030, 1, 1, 3, tzinfo=UTC), UTC)


def test_any_text_comes_back_as_it_was(database: Database) -> None:
    name = "a b'\"; DROP TABLE runs; -- ü 🐕 \\ ../../x"
    with database.session() as session:
        session.add(Dataset(id="x", name=name))
    with database.session() as session:
        assert find_dataset(session, "x").name == name


def test_a_file_needs_its_data_set(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        session.add(DatasetFile(dataset_id="nobody", name="x"))


def test_deleting_a_data_set_deletes_its_files(database: Database) -> None:
    with database.session() as session:
        session.add(Dataset(id="x", name="x", files=[DatasetFile(name="1"), DatasetFile(name="2")]))
    with database.session() as session:
        session.delete(find_dataset(session, "x"))
    with database.session() as session:
        assert session.scalars(select(DatasetFile)).all() == []


def test_trials_come_in_their_order(database: Database, run_id: str) -> None:
    def trial(number: int) -> TrialSummary:
        return TrialSummary(number=number, state="complete", image_size_px=96, started_s=0.0, duration_s=1.0)

    with database.session() as session:
        find_run(session, run_id).trials = [trial(2), trial(0), trial(1)]
    with database.session() as session:
        assert [trial.number for trial in find_run(session, run_id).trials] == [0, 1, 2]


def test_pages_read_while_the_worker_writes(database: Database) -> None:
    with database.session() as writer:
        writer.add(Dataset(name="x"))
        writer.flush()
        with database.session() as reader:
            assert reader.scalars(select(Dataset)).all() == []


def test_making_a_database_opens_nothing(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path / 'folder' / 'x.sqlite3'}")
    assert list((tmp_path / "folder").iterdir()) == []


def test_ids_are_opaque_and_never_the_same() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(text) == 32 and set(text) <= set("0123456789abcdef") for text in ids)

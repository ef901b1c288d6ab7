"""What one account may have."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from automl.errors import NotAllowedNow, UploadTooLarge
from automl.records import RunState
from automl.settings import load_settings
from automl.store.database import Database
from automl.store.quotas import Usage, add_dataset, refuse_files, refuse_run, refuse_time, room_for_files, usage_of
from automl.store.tables import Account, Artifact, Dataset, DatasetFile, Export, Run, SortedPhoto, Sorting, now
from tests.automl.store.test_turns import WAIT_FOR_NOBODY


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Ann has two data sets, one of them in the bin, and two runs, one of which has ended; Bob has nothing."""
    with database.session() as session:
        ann, bob = Account(id="ann", email="ann@example.org"), Account(id="bob", email="bob@example.org")
        session.add_all([ann, bob])
        session.flush()
        files = [DatasetFile(name=f"{i}.jpg", n_bytes=100) for i in range(3)]
        kept = Dataset(id="kept", name="pets", owner_id="ann", files=files)
        gone = [DatasetFile(name="9.jpg", n_bytes=10)]
        deleted_at = datetime(2026, 1, 1, tzinfo=UTC)
        session.add_all([kept, Dataset(id="gone", name="old", owner_id="ann", files=gone, deleted_at=deleted_at)])
        done = Run(dataset=kept, started_by_id="ann", state=RunState.DONE, budget_s=60.0)
        model = Artifact(
            run=done, kind="bundle", name="model.zip", media_type="application/zip", key="k", n_bytes=1_000
        )
        waiting = Run(dataset=kept, started_by_id="ann", state=RunState.QUEUED, budget_s=60.0)
        session.add_all([done, waiting, model, Dataset(id="free", name="of nobody")])
        session.flush()
        yield session


def limits(**values: int):
    return load_settings({f"DARKROOM_{name.upper()}": str(value) for name, value in values.items()})


def test_what_is_in_the_bin_and_what_was_made_counts(session: Session):
    assert usage_of(session, "ann") == Usage(n_datasets=2, n_files=4, n_bytes=1_310, n_unfinished=1)
    assert usage_of(session, "bob") == Usage(n_datasets=0, n_files=0, n_bytes=0, n_unfinished=0)
    assert usage_of(session, None).n_datasets == 1


def test_data_sets_are_counted_for_each_account(session: Session):
    add_dataset(session, limits(account_datasets=2), "bob", name="more")
    add_dataset(session, limits(account_datasets=3), "ann", name="more")
    add_dataset(session, limits(account_datasets=0), "ann", name="more")
    with pytest.raises(NotAllowedNow, match=r"as many data sets as .* \(2\)"):
        add_dataset(session, limits(account_datasets=2), "ann", name="more")


def test_runs_that_have_ended_do_not_count(session: Session):
    refuse_run(session, limits(account_queue=2), "ann", 60.0)
    refuse_run(session, limits(account_queue=1), "bob", 60.0)
    with pytest.raises(NotAllowedNow, match=r"as many runs .* account .* \(1\)"):
        refuse_run(session, limits(account_queue=1), "ann", 60.0)


def test_all_together_may_not_ask_for_more_than_the_server_takes(session: Session):
    refuse_run(session, limits(max_queue=2), "bob", 60.0)
    with pytest.raises(NotAllowedNow, match="on this server"):
        refuse_run(session, limits(max_queue=1), "bob", 60.0)


def test_files_count_for_the_account_whose_data_set_it_is(session: Session):
    refuse_files(session, limits(account_photos=5), "kept", n_files=1, n_bytes=1)
    refuse_files(session, limits(account_bytes=1_311), "kept", n_files=1, n_bytes=1)
    refuse_files(session, limits(account_photos=5, account_bytes=5), "free", n_files=5, n_bytes=5)
    with pytest.raises(UploadTooLarge, match=r"more photos than .* \(5\)"):
        refuse_files(session, limits(account_photos=5), "kept", n_files=2, n_bytes=1)
    with pytest.raises(UploadTooLarge, match=r"more than .* \(1.3 kB\)"):
        refuse_files(session, limits(account_bytes=1_311), "kept", n_files=1, n_bytes=2)


def test_an_archive_does_not_count_beside_what_comes_out_of_it(session: Session):
    archive = session.query(DatasetFile).filter_by(dataset_id="kept", name="0.jpg").one()
    some = limits(account_photos=5, account_bytes=2_000)
    assert room_for_files(session, some, "kept") == (1, 690)
    assert room_for_files(session, some, "kept", without_id=archive.id) == (2, 790)


def test_an_account_that_has_more_than_it_may_has_no_room(session: Session):
    assert room_for_files(session, limits(account_photos=1, account_bytes=1), "kept") == (0, 0)


def test_time_is_limited_for_a_day_by_what_was_asked_for_and_then_by_what_was_taken(session: Session):
    of_ten = limits(account_minutes_a_day=10)
    refuse_run(session, of_ten, "bob", 600.0)
    refuse_run(session, of_ten, "ann", 540.0)  # the run that waits may take a minute
    with pytest.raises(
        NotAllowedNow, match=r"10 minutes of training a day here, and 9 minutes of yours are left"
    ) as error:
        refuse_run(session, of_ten, "ann", 541.0)
    assert "UTC" in error.value.message
    with pytest.raises(NotAllowedNow, match="needs a time"):
        refuse_run(session, of_ten, "ann", None)
    waiting = session.query(Run).filter_by(state=RunState.QUEUED).one()
    waiting.state, waiting.used_s = RunState.DONE, 30.0
    session.flush()
    refuse_time(session, of_ten, "ann", 570.0)
    waiting.created_at = now() - timedelta(hours=25)
    session.flush()
    refuse_time(session, of_ten, "ann", 600.0)


def test_what_is_kept_to_be_sorted_and_every_export_count_until_they_are_files_of_the_data_set(session: Session):
    before = usage_of(session, "ann")
    run = session.query(Run).filter_by(state=RunState.DONE).one()
    session.add(Export(run_id=run.id, format="onnx", n_bytes=50))
    sorting = Sorting(run_id=run.id, name="holiday")
    session.add(sorting)
    session.flush()
    kept = SortedPhoto(sorting_id=sorting.id, name="1.jpg", sha256="1", key="k", n_bytes=7)
    session.add_all([kept, SortedPhoto(sorting_id=sorting.id, name="2.jpg", sha256="2", key="", n_bytes=0)])
    session.flush()
    after = usage_of(session, "ann")
    assert (after.n_files - before.n_files, after.n_bytes - before.n_bytes) == (1, 57)
    kept.added_at = now()
    session.flush()
    assert usage_of(session, "ann").n_files == before.n_files


def test_whoever_asks_for_room_waits_for_the_one_who_has_asked_before(database: Database):
    with database.session() as first:
        first.add(Account(id="ann", email="ann@example.org"))
        first.flush()
        first.add(Dataset(id="pets", name="pets", owner_id="ann"))
    asks = {"n_files": 1, "n_bytes": 1}
    with database.session() as first:
        refuse_files(first, limits(account_photos=9), "pets", **asks)
        with pytest.raises(OperationalError, match="lock"), database.session() as second:
            second.execute(text(WAIT_FOR_NOBODY[database.engine.dialect.name]))
            refuse_files(second, limits(account_photos=9), "pets", **asks)

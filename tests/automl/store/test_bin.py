from datetime import timedelta

import pytest
from sqlalchemy import true

from automl.errors import InBin, NotAllowedNow, NotFound
from automl.records import FileState, RunState
from automl.store.bin import (
    BinKind,
    bin_entries,
    bin_entry,
    due_datasets,
    due_runs,
    empty_bin,
    put_back,
    put_into_bin,
)
from automl.store.database import Database, find_dataset, find_run
from automl.store.tables import Artifact, Dataset, DatasetFile, Export, Run, now


@pytest.fixture
def pets(database: Database) -> tuple[str, str]:
    """A data set of two photos and a file that is no photo, and its finished run."""
    with database.session() as session:
        states = (FileState.ACCEPTED, FileState.EXCLUDED, FileState.REFUSED)
        files = [DatasetFile(name=f"{state}.jpg", n_bytes=100, state=state) for state in states]
        run = Run(dataset=Dataset(name="pets", files=files), budget_s=60.0, state=RunState.DONE)
        session.add(run)
        for kind in ("bundle", "plot"):
            run.artifacts.append(Artifact(kind=kind, name="x", media_type="x/x", key=kind, n_bytes=20))
        run.exports.append(Export(format="onnx", key="onnx", n_bytes=3))
        session.flush()
        return run.dataset_id, run.id


def test_what_goes_with_a_data_set_is_counted(database: Database, pets: tuple[str, str]) -> None:
    with database.session() as session:
        found = bin_entry(session, BinKind.DATASET, pets[0]).contents
        assert (found.n_photos, found.n_runs, found.n_models, found.n_bytes) == (2, 1, 1, 343)
        found = bin_entry(session, BinKind.RUN, pets[1]).contents
        assert (found.n_photos, found.n_runs, found.n_models, found.n_bytes) == (0, 1, 1, 43)


def test_what_is_in_the_bin_is_not_found_and_says_how_to_get_it_back(database: Database, pets: tuple[str, str]) -> None:
    with database.session() as session:
        put_into_bin(session, BinKind.DATASET, pets[0], keep_s=3600)
        with pytest.raises(InBin, match=r"These photos were deleted\. They are in the bin until"):
            find_dataset(session, pets[0])
        with pytest.raises(InBin, match="These photos were deleted"):
            find_run(session, pets[1])
        put_back(session, BinKind.DATASET, pets[0])
        assert find_run(session, pets[1]).dataset is find_dataset(session, pets[0])


def test_a_run_is_deleted_without_its_photos(database: Database, pets: tuple[str, str]) -> None:
    with database.session() as session:
        put_into_bin(session, BinKind.RUN, pets[1], keep_s=3600)
        with pytest.raises(InBin, match=r"This run was deleted\. It is in the bin until"):
            find_run(session, pets[1])
        assert find_dataset(session, pets[0]).name == "pets"
        assert [entry.id for entry in bin_entries(session, true())] == [pets[1]]


def test_what_is_due_is_gone_for_everybody(database: Database, pets: tuple[str, str]) -> None:
    with database.session() as session:
        put_into_bin(session, BinKind.DATASET, pets[0], keep_s=0)
    with database.session() as session:
        assert due_datasets(session) == [pets[0]]
        assert bin_entries(session, true()) == []
        with pytest.raises(NotFound, match="There is no such data set"):
            find_dataset(session, pets[0])
        with pytest.raises(NotFound, match="not in the bin any more"):
            put_back(session, BinKind.DATASET, pets[0])


def test_a_run_that_its_worker_is_still_ending_is_not_due(database: Database, pets: tuple[str, str]) -> None:
    with database.session() as session:
        put_into_bin(session, BinKind.RUN, pets[1], keep_s=0)
        session.get_one(Run, pets[1]).state = RunState.SEARCHING
    with database.session() as session:
        assert due_runs(session) == []


def test_a_run_goes_back_after_its_photos(database: Database, pets: tuple[str, str]) -> None:
    with database.session() as session:
        put_into_bin(session, BinKind.RUN, pets[1], keep_s=3600)
        put_into_bin(session, BinKind.DATASET, pets[0], keep_s=3600)
    with database.session() as session, pytest.raises(NotAllowedNow, match="Put those back first"):
        put_back(session, BinKind.RUN, pets[1])
    with database.session() as session:
        assert session.get_one(Run, pets[1]).deleted_at is not None


def test_deleting_again_keeps_since_when_it_was_in_the_bin(database: Database, pets: tuple[str, str]) -> None:
    long_ago = now() - timedelta(days=3)
    with database.session() as session:
        session.get_one(Dataset, pets[0]).deleted_at = long_ago
        put_into_bin(session, BinKind.DATASET, pets[0], keep_s=0)
        assert session.get_one(Dataset, pets[0]).deleted_at == long_ago


def test_the_bin_is_emptied_at_once(database: Database, pets: tuple[str, str]) -> None:
    with database.session() as session:
        put_into_bin(session, BinKind.RUN, pets[1], keep_s=3600)
        empty_bin(session, true())
        assert due_runs(session) == [pets[1]]
        assert due_datasets(session) == []

"""Photos that a model has sorted, in the database and in the store."""

import io
from datetime import timedelta

import pytest

from automl.errors import NotFound
from automl.records import Decision
from automl.store.artifacts import ArtifactStore
from automl.store.bin import BinKind, bin_entry
from automl.store.database import Database
from automl.store.sortings import (
    Verdict,
    all_photos,
    decide,
    due_sortings,
    find_sorting,
    remove_sorting,
    size_of_sortings,
    to_be_added,
)
from automl.store.tables import Dataset, DatasetFile, Run, SortedPhoto, Sorting, now

THRESHOLD = 0.8


@pytest.fixture
def sorting(database: Database) -> Sorting:
    """A sure, a doubtful and an unreadable photo."""
    with database.session() as session:
        run = Run(dataset=Dataset(name="pets"), budget_s=60.0)
        sorting = Sorting(run=run, name="holiday", labels=["cat", "dog"])
        session.add(sorting)
        session.flush()
        for name, answer, confidence in (("a", "cat", 0.9), ("b", "dog", 0.5), ("c", "", 0.0)):
            photo = SortedPhoto(name=name, answer=answer, label=answer, confidence=confidence, n_bytes=10)
            photo.sorting_id = sorting.id
            session.add(photo)
            session.flush()
        return sorting


def photos(database: Database, sorting: Sorting) -> dict[str, SortedPhoto]:
    return {photo.name: photo for photo in all_photos(database, sorting.id)}


def added(database: Database, sorting: Sorting, threshold: float | None = THRESHOLD, **how: bool) -> list[str]:
    with database.session() as session:
        also = how.get("also_unseen", False)
        return [one.name for one in to_be_added(session, sorting.id, threshold=threshold, also_unseen=also)]


def test_a_model_alone_adds_nothing_unless_asked(database: Database, sorting: Sorting) -> None:
    assert added(database, sorting) == []
    assert added(database, sorting, also_unseen=True) == ["a"]
    assert added(database, sorting, None, also_unseen=True) == []  # without a threshold it is sure of none


def test_what_a_person_has_named_is_added_and_what_he_is_not_sure_of_never(
    database: Database, sorting: Sorting
) -> None:
    ids = {name: photo.id for name, photo in photos(database, sorting).items()}
    verdicts = {ids["a"]: Verdict(decision=Decision.NONE), ids["b"]: Verdict(decision=Decision.CLASS, label="cat")}
    with database.session() as session:
        decide(session, session.get_one(Sorting, sorting.id), verdicts)
    assert added(database, sorting, also_unseen=True) == ["b"]
    assert photos(database, sorting)["b"].is_corrected


def test_what_is_no_photo_cannot_be_decided_about(database: Database, sorting: Sorting) -> None:
    unread = photos(database, sorting)["c"]
    with database.session() as session:
        verdict = Verdict(decision=Decision.CLASS, label="cat")
        decide(session, session.get_one(Sorting, sorting.id), {unread.id: verdict})
    assert photos(database, sorting)["c"].decision is Decision.OPEN


def test_each_change_puts_off_the_end(database: Database, sorting: Sorting) -> None:
    with database.session() as session:
        session.get_one(Sorting, sorting.id).changed_at = now() - timedelta(days=2)
    with database.session() as session:
        assert due_sortings(session, 86_400.0) == [sorting.id]
        assert due_sortings(session, 3 * 86_400.0) == []
        decide(session, session.get_one(Sorting, sorting.id), {})
        session.flush()
        assert due_sortings(session, 86_400.0) == []


def test_a_sorting_of_another_run_is_not_found(database: Database, sorting: Sorting) -> None:
    with database.session() as session:
        other = Run(dataset=Dataset(name="x"), budget_s=60.0)
        session.add(other)
        session.flush()
        assert find_sorting(session, sorting.run_id, sorting.id).name == "holiday"
        with pytest.raises(NotFound):
            find_sorting(session, other.id, sorting.id)


def test_it_counts_once_in_the_limits_and_in_the_bin(database: Database, sorting: Sorting) -> None:
    with database.session() as session:
        run = session.get_one(Run, sorting.run_id)
        assert size_of_sortings(session, run.dataset_id) == (3, 30)
        contents = bin_entry(session, BinKind.RUN, run.id).contents
        assert (contents.n_sorted, contents.n_bytes) == (2, 30)
        session.query(SortedPhoto).filter_by(name="a").one().added_at = now()
        session.flush()
        assert size_of_sortings(session, run.dataset_id) == (2, 20)
        assert bin_entry(session, BinKind.RUN, run.id).contents.n_bytes == 20


def test_removing_it_leaves_the_bytes_that_the_data_set_has_taken(
    database: Database, store: ArtifactStore, sorting: Sorting
) -> None:
    with database.session() as session:
        dataset_id = session.get_one(Run, sorting.run_id).dataset_id
        keys = {}
        for photo in session.query(SortedPhoto).filter(SortedPhoto.answer != ""):
            stored = store.write(f"datasets/{dataset_id}/sortings", io.BytesIO(b"x"), max_bytes=1)
            photo.key = keys[photo.name] = stored.key
        session.add(DatasetFile(dataset_id=dataset_id, name="a", key=keys["a"]))
    remove_sorting(database, store, sorting.id)
    assert {name: store.exists(key) for name, key in keys.items()} == {"a": True, "b": False}
    with database.session() as session:
        assert (session.query(Sorting).count(), session.query(SortedPhoto).count()) == (0, 0)

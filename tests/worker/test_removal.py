from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from automl.records import LinkedPage, RememberedSides, RunState, Stage, TrialRecord, TrialState
from automl.search.space import SearchSpace
from automl.search.study import StudyLog
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.links import make_link
from automl.store.tables import (
    Account,
    Artifact,
    Base,
    Dataset,
    DatasetEdit,
    DatasetFile,
    DatasetShare,
    DatasetSides,
    DatasetVersion,
    Export,
    LogEntry,
    Run,
    SortedPhoto,
    Sorting,
    TrialSummary,
    new_id,
    now,
)
from worker import removal
from worker.removal import empty_bin, make_room, remove_dataset, remove_old_sortings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"DARKROOM_HOME": str(tmp_path)})


@pytest.fixture
def database(settings: Settings):
    database = Database(settings.database_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    return ArtifactStore(settings.files_dir)


def make_everything(database: Database, store: ArtifactStore, settings: Settings, deleted: bool) -> tuple[str, str]:
    """A data set with a row in every table that belongs to it."""
    photo = settings.home / "photo.jpg"
    photo.write_bytes(b"x")
    with database.session() as session:
        account = Account(email=f"{new_id()}@example.org")
        dataset = Dataset(name="pets", removal_at=now() if deleted else None)
        session.add_all([account, dataset])
        session.flush()
        dataset.owner_id = account.id
        session.add(DatasetShare(dataset_id=dataset.id, account_id=account.id))
        version = DatasetVersion(dataset_id=dataset.id, number=1, fingerprint="f", key="k", n_images=1, n_classes=1)
        run = Run(dataset=dataset, version=version, budget_s=60.0, state=RunState.DONE)
        session.add_all([run, DatasetEdit(dataset=dataset, kind="exclude", title="x")])
        session.flush()
        key = store.put(f"datasets/{dataset.id}", photo).key
        session.add(DatasetFile(dataset=dataset, name="a.jpg", key=key))
        plot = store.put(f"runs/{run.id}", photo)
        session.add(Artifact(run=run, kind="plot", name="p", media_type="image/png", key=plot.key, n_bytes=1))
        record = TrialRecord(
            number=0,
            state=TrialState.COMPLETE,
            backbones=("a",),
            image_size_px=96,
            params={},
            score=0.5,
            started_s=0.0,
            duration_s=1.0,
            stage=Stage.HEADS,
        )
        session.add(TrialSummary.of(run.id, record))
        make_link(session, run.id, LinkedPage.MODEL, keep_s=60.0, shows_photos=False)
        session.add_all([Sorting(run=run, name="x"), LogEntry(run_id=run.id, kind="note", text="x")])
        session.add(Export(run_id=run.id, format="onnx"))
        session.add(DatasetSides(dataset_id=dataset.id, version_id=version.id, seed=0, sides=RememberedSides()))
    for name in ("run", "export"):
        log = settings.home / "logs" / f"{name}-{run.id}.log"
        log.parent.mkdir(exist_ok=True)
        log.write_text("hello")
    study = StudyLog(database, f"run-{run.id}", now())
    study.add(record, SearchSpace(()))
    study.flush()
    return dataset.id, run.id


def n_rows(database: Database) -> dict[str, int]:
    tables = [table for table in Base.metadata.sorted_tables if table.name not in ("alembic_version", "accounts")]
    with database.session() as session:
        return {table.name: len(session.execute(table.select()).all()) for table in tables}


def test_nothing_of_a_deleted_data_set_is_left(database, store, settings) -> None:
    import optuna

    dataset_id, run_id = make_everything(database, store, settings, deleted=True)
    empty_bin(database, store, settings)
    assert set(n_rows(database).values()) == {0}
    assert [path for path in settings.files_dir.rglob("*") if path.is_file()] == []
    assert list((settings.home / "logs").glob(f"*{run_id}*")) == []
    assert optuna.get_all_study_names(database.url) == []
    remove_dataset(database, store, settings, dataset_id=dataset_id)


def test_a_row_in_every_table_that_names_a_data_set_or_a_run_is_made_here(database, store, settings) -> None:
    """Else a table that comes later would keep data sets from being removed, and nobody would notice."""
    make_everything(database, store, settings, deleted=True)
    of_it = [
        table
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name in ("datasets", "runs") for key in table.foreign_keys)
    ]
    with database.session() as session:
        empty = [table.name for table in of_it if not session.execute(select(table).limit(1)).all()]
    assert empty == []


def test_a_run_that_follows_another_one_goes_with_it(database, store, settings) -> None:
    dataset_id, run_id = make_everything(database, store, settings, deleted=True)
    with database.session() as session:
        follower = Run(dataset_id=dataset_id, budget_s=60.0, parent_id=run_id)
        session.add(follower)
        session.flush()
        session.add(Run(dataset_id=dataset_id, budget_s=60.0, parent_id=follower.id))
    remove_dataset(database, store, settings, dataset_id=dataset_id)
    assert set(n_rows(database).values()) == {0}


def test_a_download_that_was_still_put_together_goes_at_the_end(database, store, settings, monkeypatch) -> None:
    dataset_id, run_id = make_everything(database, store, settings, deleted=True)
    late = settings.composed_dir / run_id / "late.zip"

    def write_late(*_: object) -> None:
        late.parent.mkdir(parents=True)
        late.touch()

    monkeypatch.setattr(removal, "_remove_study", write_late)
    remove_dataset(database, store, settings, dataset_id=dataset_id)
    assert list(settings.composed_dir.glob("*")) == []


def test_others_are_left_alone(database, store, settings) -> None:
    kept, _ = make_everything(database, store, settings, deleted=False)
    gone, _ = make_everything(database, store, settings, deleted=True)
    before = n_rows(database)
    remove_dataset(database, store, settings, dataset_id=kept)
    assert n_rows(database) == before
    remove_dataset(database, store, settings, dataset_id=gone)
    assert {name: n // 2 for name, n in before.items()} == n_rows(database)
    assert len([path for path in settings.files_dir.rglob("*") if path.is_file()]) == 2


def test_a_run_without_a_study_is_no_obstacle(database, store, settings) -> None:
    with database.session() as session:
        run = Run(dataset=Dataset(name="x", removal_at=now()), budget_s=60.0)
        session.add(run)
    remove_dataset(database, store, settings, dataset_id=run.dataset_id)
    assert set(n_rows(database).values()) == {0}


def test_a_run_goes_alone_and_those_that_followed_it_stay(database, store, settings) -> None:
    dataset_id, run_id = make_everything(database, store, settings, deleted=False)
    with database.session() as session:
        follower = Run(dataset_id=dataset_id, budget_s=60.0, parent_id=run_id)
        session.add(follower)
        session.get_one(Run, run_id).removal_at = now()
    empty_bin(database, store, settings)
    with database.session() as session:
        (left,) = session.scalars(select(Run))
        assert (left.id, left.parent_id) == (follower.id, None)
    assert not (settings.files_dir / "runs" / run_id).exists()
    assert (settings.files_dir / "datasets" / dataset_id).exists()
    assert list((settings.home / "logs").glob(f"*{run_id}*")) == []


def test_what_can_still_be_put_back_or_is_in_use_stays(database, store, settings) -> None:
    with database.session() as session:
        waiting = Dataset(name="a", deleted_at=now(), removal_at=now() + timedelta(hours=1))
        in_use = Dataset(name="b", deleted_at=now(), removal_at=now())
        ending = Run(dataset=in_use, budget_s=60.0, state=RunState.SEARCHING, removal_at=now())
        session.add_all([waiting, in_use, ending])
    before = n_rows(database)
    empty_bin(database, store, settings)
    assert n_rows(database) == before


def test_a_short_disk_removes_what_was_deleted_first(database, store, settings) -> None:
    until = now() + timedelta(days=1)
    with database.session() as session:
        for days in (1, 3, 2):
            session.add(Dataset(name=str(days), deleted_at=now() - timedelta(days=days), removal_at=until))
    names = []
    for _ in range(2):
        make_room(database, settings, free_bytes=settings.bin_free_bytes - 1)
        empty_bin(database, store, settings)
        with database.session() as session:
            names.append({dataset.name for dataset in session.scalars(select(Dataset))})
    assert names == [{"1", "2"}, {"1"}]
    make_room(database, settings, free_bytes=settings.bin_free_bytes)
    empty_bin(database, store, settings)
    assert n_rows(database)["datasets"] == 1


def make_sorting(database: Database, store: ArtifactStore, settings: Settings, run_id: str, dataset_id: str) -> str:
    """With one photo in the store."""
    photo = settings.home / "sorted.jpg"
    photo.write_bytes(b"x")
    with database.session() as session:
        sorting = Sorting(run_id=run_id, name="holiday")
        session.add(sorting)
        session.flush()
        key = store.put(f"datasets/{dataset_id}/sortings", photo).key
        session.add(SortedPhoto(sorting_id=sorting.id, name="a.jpg", answer="cat", key=key))
        return sorting.id


def n_left(database: Database, store: ArtifactStore, dataset_id: str) -> tuple[int, int]:
    """Sorted photos, and files of them."""
    with database.session() as session:
        n_rows = session.query(SortedPhoto).count()
    return n_rows, len(list(store.list(f"datasets/{dataset_id}/sortings")))


def test_sorted_photos_are_removed_when_nobody_has_gone_on_for_long(database, store, settings):
    dataset_id, run_id = make_everything(database, store, settings, deleted=False)
    sorting_id = make_sorting(database, store, settings, run_id, dataset_id)
    remove_old_sortings(database, store, settings)
    assert n_left(database, store, dataset_id) == (1, 1)
    with database.session() as session:
        session.get_one(Sorting, sorting_id).changed_at = now() - timedelta(days=settings.sorting_days, minutes=1)
    remove_old_sortings(database, store, settings)
    assert n_left(database, store, dataset_id) == (0, 0)


def test_what_a_run_has_sorted_goes_with_it(database, store, settings):
    dataset_id, run_id = make_everything(database, store, settings, deleted=False)
    make_sorting(database, store, settings, run_id, dataset_id)
    with database.session() as session:
        session.get_one(Run, run_id).removal_at = now()
    empty_bin(database, store, settings)
    assert n_left(database, store, dataset_id) == (0, 0)


def test_what_was_sorted_goes_with_the_data_set(database, store, settings):
    dataset_id, run_id = make_everything(database, store, settings, deleted=True)
    make_sorting(database, store, settings, run_id, dataset_id)
    remove_dataset(database, store, settings, dataset_id=dataset_id)
    assert n_left(database, store, dataset_id) == (0, 0)

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.tables import Dataset, DatasetFile, DatasetVersion, Run, SortedPhoto, Sorting
from worker.sweeper import MIN_AGE_S, Swept, sweep_orphans

UPLOAD_THAT_DIES = """
import io, os, sys
from automl.settings import load_settings
from automl.store.artifacts import ArtifactStore

class Body(io.RawIOBase):
    n_pieces = 0
    def read(self, n_bytes=-1):
        self.n_pieces += 1
        if self.n_pieces == 4: os.kill(os.getpid(), 9)
        return b"x" * 1_000_000

store = ArtifactStore(load_settings().files_dir)
store.write("datasets/" + sys.argv[1], io.BytesIO(b"whole, but not in the database yet"), max_bytes=100)
store.write("datasets/" + sys.argv[1], Body(), max_bytes=1 << 40)
"""


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    return ArtifactStore(settings.files_dir)


def keys(store: ArtifactStore) -> set[str]:
    return {file.key for file in store.list("datasets")}


def write(store: ArtifactStore, prefix: str, content: bytes = b"abc") -> str:
    return store.write(prefix, io.BytesIO(content), max_bytes=1000).key


def made_old(settings: Settings, key: str) -> str:
    path = settings.files_dir / key
    old_s = time.time() - MIN_AGE_S - 60
    os.utime(path, (old_s, old_s))
    return key


def dataset_with_files(database: Database, store: ArtifactStore) -> tuple[str, set[str]]:
    """A data set, and the keys of its photo, its thumbnail and its manifest."""
    with database.session() as session:
        dataset = Dataset(name="pets")
        session.add(dataset)
        session.flush()
        photo, thumbnail, manifest = (write(store, f"datasets/{dataset.id}{at}") for at in ("/archive-1", "/small", ""))
        dataset.files = [DatasetFile(name="cat/1.jpg", key=photo, thumbnail=thumbnail)]
        dataset.versions = [DatasetVersion(number=1, fingerprint="f", key=manifest, n_images=1, n_classes=1)]
        return dataset.id, {photo, thumbnail, manifest}


def test_what_a_row_refers_to_stays(database: Database, store: ArtifactStore) -> None:
    _, known = dataset_with_files(database, store)
    assert sweep_orphans(database, store, older_than_s=-60) == Swept(0, 0)
    assert keys(store) == known


def test_what_a_sorted_photo_refers_to_stays(database: Database, store: ArtifactStore) -> None:
    dataset_id, known = dataset_with_files(database, store)
    sorted_keys = {write(store, f"datasets/{dataset_id}/sortings") for _ in range(2)}
    left_over = write(store, f"datasets/{dataset_id}/sortings")
    with database.session() as session:
        run = Run(dataset_id=dataset_id, budget_s=60.0)
        session.add(run)
        session.flush()
        sorting = Sorting(run_id=run.id, name="holiday")
        session.add(sorting)
        session.flush()
        key, thumbnail = sorted_keys
        session.add(SortedPhoto(sorting_id=sorting.id, name="a.jpg", key=key, thumbnail=thumbnail))
    assert sweep_orphans(database, store, older_than_s=-60) == Swept(1, 3)
    assert keys(store) == known | sorted_keys
    assert left_over not in keys(store)


def test_what_no_row_refers_to_goes(database: Database, store: ArtifactStore) -> None:
    dataset_id, known = dataset_with_files(database, store)
    for at in ("", "/archive-1", "/archive-2"):
        write(store, f"datasets/{dataset_id}{at}")
    assert sweep_orphans(database, store, older_than_s=-60) == Swept(3, 9)
    assert keys(store) == known


def test_what_is_younger_than_a_day_may_belong_to_an_upload(
    database: Database, store: ArtifactStore, settings: Settings
) -> None:
    dataset_id, known = dataset_with_files(database, store)
    young = write(store, f"datasets/{dataset_id}")
    made_old(settings, write(store, f"datasets/{dataset_id}"))
    assert sweep_orphans(database, store).n_files == 1
    assert keys(store) == known | {young}


def test_the_folder_of_a_data_set_that_is_gone_goes_too(
    database: Database, store: ArtifactStore, settings: Settings
) -> None:
    made_old(settings, write(store, "datasets/gone/archive-7"))
    young = write(store, "datasets/going")
    made_old(settings, write(store, "datasets/going"))
    sweep_orphans(database, store)
    assert {path.name for path in (settings.files_dir / "datasets").iterdir()} == {"going"}
    assert keys(store) == {young}


def test_a_file_of_another_data_set_stays_where_it_is_used(database: Database, store: ArtifactStore) -> None:
    key = write(store, "datasets/gone")
    with database.session() as session:
        session.add(Dataset(name="pets", files=[DatasetFile(name="cat/1.jpg", key=key)]))
    sweep_orphans(database, store, older_than_s=-60)
    assert keys(store) == {key}


def test_files_of_runs_and_files_beside_the_data_sets_are_not_looked_at(
    database: Database, store: ArtifactStore
) -> None:
    run = write(store, "runs/x")
    loose = write(store, "datasets")
    assert sweep_orphans(database, store, older_than_s=-60).n_files == 1
    assert [file.key for file in store.list("runs")] == [run] and loose not in keys(store)


def test_it_works_on_a_store_without_a_disk(database: Database) -> None:
    store = ArtifactStore("memory://darkroom-sweep")
    _, known = dataset_with_files(database, store)
    write(store, "datasets/gone")
    assert sweep_orphans(database, store, older_than_s=-60).n_files == 1
    assert keys(store) == known
    store.delete_prefix("datasets")


def test_an_empty_store_needs_no_sweeping(database: Database, store: ArtifactStore) -> None:
    assert sweep_orphans(database, store) == Swept()


def test_an_upload_that_was_killed_leaves_nothing_after_the_sweeper(
    database: Database, store: ArtifactStore, settings: Settings
) -> None:
    dataset_id, known = dataset_with_files(database, store)
    command = [sys.executable, "-c", UPLOAD_THAT_DIES, dataset_id]
    environ = {**os.environ, "DARKROOM_HOME": str(settings.home)}
    killed = subprocess.run(command, env=environ, cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(keys(store)) == len(known) + 2
    sweep_orphans(database, store)
    assert len(keys(store)) == len(known) + 2, "they are young"
    for key in keys(store) - known:
        made_old(settings, key)
    assert sweep_orphans(database, store).n_files == 2
    assert keys(store) == known

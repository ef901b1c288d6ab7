"""`automl verify` reads everything, mends what can be mended, and says what is lost."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from sqlalchemy import select

from automl.checked_files import add_checksum
from automl.cli import verify
from automl.records import DatasetState, ExportState, RunState
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.checks import check_dataset
from automl.store.database import Database
from automl.store.tables import Artifact, DatasetVersion, Export
from tests.automl.conftest import UploadedDataset
from tests.automl.images.pictures import two_classes, zipped


@pytest.fixture
def dataset(uploaded: Callable[[dict[str, bytes]], UploadedDataset], settings: Settings) -> UploadedDataset:
    dataset = uploaded(two_classes(5))
    check_dataset(dataset.database, dataset.store, dataset.id, settings=settings)
    assert dataset.row.state is DatasetState.READY
    return dataset


@pytest.fixture
def verified(settings: Settings, tmp_path: Path) -> Callable[[], tuple[int, str]]:
    """The exit code, and what is said."""

    def run() -> tuple[int, str]:
        said = io.StringIO()
        code = verify.run(
            verify.argparse.Namespace(),
            settings.model_copy(update={"cache_dir": tmp_path / "weights-cache"}),
            Console(file=said, width=1000),
        )
        return code, said.getvalue()

    return run


def path_of(settings: Settings, key: str) -> Path:
    return settings.files_dir / key


def test_where_all_is_whole_nothing_is_said_but_how_much_was_read(
    dataset: UploadedDataset, verified: Callable[[], tuple[int, str]]
) -> None:
    assert verified() == (0, "11 files read: 0 repaired, 0 lost.\n")


def test_a_photo_that_has_changed_is_lost_until_it_is_sent_again(
    dataset: UploadedDataset, verified: Callable[[], tuple[int, str]], settings: Settings
) -> None:
    files = dataset.files()
    path_of(settings, files["cat/1.png"].key).write_bytes(b"x")
    path_of(settings, files["dog/2.png"].key).unlink()
    code, said = verified()
    assert code == 1
    assert "cat/1.png in pets: lost; send this photo again" in said
    assert "dog/2.png in pets: lost; send this photo again" in said
    faults = {name: file.fault for name, file in dataset.files().items() if file.fault}
    assert "not what was sent" in faults["cat/1.png"] and "not here any more" in faults["dog/2.png"]


def test_a_photo_is_repaired_from_another_copy_of_it(
    dataset: UploadedDataset, verified: Callable[[], tuple[int, str]], settings: Settings, database: Database,
    store: ArtifactStore,
) -> None:  # fmt: skip
    twin = UploadedDataset(database, store)
    twin.add({"elsewhere.png": two_classes(5)["cat/1.png"]})
    path = path_of(settings, dataset.files()["cat/1.png"].key)
    path.unlink()
    assert "cat/1.png in pets: repaired, from another copy" in verified()[1]
    assert path.read_bytes() == two_classes(5)["cat/1.png"]
    assert verified()[0] == 0


def test_a_small_copy_is_drawn_again(
    dataset: UploadedDataset, verified: Callable[[], tuple[int, str]], settings: Settings
) -> None:
    path = path_of(settings, dataset.files()["cat/1.png"].thumbnail)
    before = path.read_bytes()
    path.unlink()
    assert "its small copy is drawn again" in verified()[1]
    assert path.read_bytes() == before


def test_files_of_runs_are_read_whole_and_a_format_is_made_again(
    dataset: UploadedDataset, verified: Callable[[], tuple[int, str]], settings: Settings, database: Database,
    store: ArtifactStore,
) -> None:  # fmt: skip
    run_id = dataset.start_run(state=RunState.DONE)
    content = zipped({"model.onnx": bytes(range(256)) * 10}, method=0)
    keys = [store.write("runs", io.BytesIO(content), max_bytes=1 << 20, suffix=".zip").key for _ in range(2)]
    with database.session() as session:
        values = {"run_id": run_id, "n_bytes": len(content)}
        session.add(Artifact(kind="bundle", name="model.zip", media_type="application/zip", key=keys[0], **values))
        session.add(Export(format="saved_model", state=ExportState.READY, key=keys[1], **values))
    assert verified()[0] == 0
    for key in keys:
        damaged = bytearray(content)
        damaged[len(content) // 2] ^= 255
        path_of(settings, key).write_bytes(damaged)
    code, said = verified()
    assert code == 1
    assert "model.zip of pets: lost; restore a backup" in said
    assert "saved_model of pets: repaired: the worker makes it again" in said
    with database.session() as session:
        export = session.scalars(select(Export)).one()
        assert (export.state, export.key) == (ExportState.PREPARING, "")


def test_a_version_that_no_run_has_used_is_made_again_by_the_next_check(
    dataset: UploadedDataset, verified: Callable[[], tuple[int, str]], settings: Settings, database: Database
) -> None:
    with database.session() as session:
        key = session.scalars(select(DatasetVersion)).one().key
    path_of(settings, key).unlink()
    assert "version 1 of pets: the list of its photos is lost; it is made again" in verified()[1]
    check_dataset(database, dataset.store, dataset.id, settings=settings)
    assert verified() == (0, "11 files read: 0 repaired, 0 lost.\n")


def test_damaged_files_of_caches_are_removed(
    verified: Callable[[], tuple[int, str]], settings: Settings, database: Database
) -> None:
    settings.features_dir.mkdir(parents=True)
    for name in ("features-a.npy", "features-b.npy"):
        np.save(settings.features_dir / name, np.zeros(5))
        add_checksum(settings.features_dir / name)
    (settings.features_dir / "features-b.npy").write_bytes(b"")
    code, said = verified()
    assert code == 0
    assert "features-b.npy: removed; it is made again when it is needed" in said
    assert sorted(path.name for path in settings.features_dir.glob("*.npy*")) == [
        "features-a.npy",
        "features-a.npy.sha256",
    ]

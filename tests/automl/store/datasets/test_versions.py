import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from automl.datasets.clips import ClipPlace
from automl.datasets.data_file import DataFile
from automl.datasets.manifest import image_records
from automl.records import FileState, GrayRange, GrayRules, RefusedFile, ServingContract, Split
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.tables import Dataset, DatasetVersion, Run
from automl.store.versions import load_version, record_version

USUAL = ServingContract()


def accepted(number: int, label: str, **values: object) -> DataFile:
    known = {"state": FileState.ACCEPTED, "label": label, "width": 4, "height": 3, "near": number, **values}
    name, key = f"{label}/{number}.jpg", f"files/{number}"
    return DataFile(id=number, name=name, key=key, sha256=f"sha{number}", **known)  # type: ignore[arg-type]


def record(
    session: Session,
    store: ArtifactStore,
    dataset_id: str,
    files: Sequence[DataFile],
    *,
    contract: ServingContract = USUAL,
) -> DatasetVersion:
    keys = {(file.name, file.sha256): file.key for file in files}
    refused = [RefusedFile("x.txt", "No picture.")]
    return record_version(
        session, store, dataset_id, images=image_records(files), keys=keys, refused=refused, contract=contract
    )


FILES = [accepted(1, "cat"), accepted(2, "cat", near=1), accepted(3, "dog", split=Split.TEST)]


@pytest.fixture
def dataset_id(database: Database) -> str:
    with database.session() as session:
        dataset = Dataset(name="pets")
        session.add(dataset)
        session.flush()
        return dataset.id


def test_a_version_is_read_as_it_was_written(
    database: Database, store: ArtifactStore, dataset_id: str, tmp_path: Path
) -> None:
    with database.session() as session:
        version = record(session, store, dataset_id, FILES)
        manifest = load_version(session, store, version, scratch=tmp_path)
    assert (manifest.name, manifest.classes) == ("pets", ("cat", "dog"))
    assert [(image.name, image.group, image.split) for image in manifest.images] == [
        ("cat/1.jpg", "sha1", None),
        ("cat/2.jpg", "sha1", None),
        ("dog/3.jpg", "", Split.TEST),
    ]
    assert manifest.refused == (RefusedFile("x.txt", "No picture."),)
    assert store.exists(version.key)


def test_nothing_new_makes_no_new_version(database: Database, store: ArtifactStore, dataset_id: str) -> None:
    with database.session() as session:
        first = record(session, store, dataset_id, FILES)
        assert record(session, store, dataset_id, FILES[::-1]) is first


def test_a_version_that_no_run_has_used_is_replaced(
    database: Database, store: ArtifactStore, dataset_id: str, settings
) -> None:  # type: ignore[no-untyped-def]
    with database.session() as session:
        record(session, store, dataset_id, FILES)
        second = record(session, store, dataset_id, FILES[:2])
        assert (second.number, session.query(DatasetVersion).count()) == (1, 1)
    # The sweeper takes the file of the first: a transaction that fails must not have deleted it.
    assert len(list(settings.files_dir.rglob("versions/*"))) == 2


def test_a_manifest_that_the_store_has_lost_is_written_again(
    database: Database, store: ArtifactStore, dataset_id: str, tmp_path: Path
) -> None:
    with database.session() as session:
        store.delete(record(session, store, dataset_id, FILES).key)
    with database.session() as session:
        version = record(session, store, dataset_id, FILES)
        assert len(load_version(session, store, version, scratch=tmp_path).images) == 3


def test_other_near_copies_make_another_version(database: Database, store: ArtifactStore, dataset_id: str) -> None:
    with database.session() as session:
        first = record(session, store, dataset_id, FILES)
        session.add(Run(dataset_id=dataset_id, version_id=first.id, budget_s=60.0))
        session.flush()
        apart = [FILES[0], accepted(2, "cat"), FILES[2]]
        assert record(session, store, dataset_id, apart).number == 2


def test_clips_are_kept_and_other_clips_make_another_version(
    database: Database, store: ArtifactStore, dataset_id: str, tmp_path: Path
) -> None:
    clips = {2: ClipPlace(clip="sha", frame=4, is_found=True)}
    keys = {(file.name, file.sha256): file.key for file in FILES}
    with database.session() as session:
        plain = record(session, store, dataset_id, FILES).fingerprint
        images = image_records(FILES, clips=clips)
        version = record_version(
            session, store, dataset_id, images=images, keys=keys, refused=[], contract=ServingContract()
        )
        assert version.fingerprint != plain
        loaded = load_version(session, store, version, scratch=tmp_path).images
        assert [(image.clip, image.frame) for image in loaded] == [(image.clip, image.frame) for image in images]
        assert ("sha", 4) in {(image.clip, image.frame) for image in loaded}


def test_a_version_that_a_run_has_used_stays(
    database: Database, store: ArtifactStore, dataset_id: str, tmp_path: Path
) -> None:
    with database.session() as session:
        first = record(session, store, dataset_id, FILES)
        session.add(Run(dataset_id=dataset_id, version_id=first.id, budget_s=60.0))
        session.flush()
        second = record(session, store, dataset_id, FILES[:2])
        assert (first.number, second.number, first.n_images, second.n_images) == (1, 2, 3, 2)
        assert len(load_version(session, store, first, scratch=tmp_path).images) == 3


def test_a_version_has_the_contract_of_its_photos(
    database: Database, store: ArtifactStore, dataset_id: str, tmp_path: Path
) -> None:
    chosen = ServingContract(background="black", gray=GrayRules(integers=GrayRange(black=0, white=4095)))
    with database.session() as session:
        version = record(session, store, dataset_id, FILES, contract=chosen)
        assert load_version(session, store, version, scratch=tmp_path).contract == chosen


def test_another_contract_makes_another_version(database: Database, store: ArtifactStore, dataset_id: str) -> None:
    with database.session() as session:
        first = record(session, store, dataset_id, FILES)
        session.add(Run(dataset_id=dataset_id, version_id=first.id, budget_s=60.0))
        session.flush()
        assert record(session, store, dataset_id, FILES, contract=ServingContract(background="black")).number == 2


def test_a_version_from_before_there_were_contracts_has_none(
    database: Database, store: ArtifactStore, dataset_id: str, tmp_path: Path
) -> None:
    with database.session() as session:
        version = record(session, store, dataset_id, FILES)
        with store.open(version.key) as source:
            content = json.load(source)
        del content["contract"]
        version.key = store.write("datasets/x", io.BytesIO(json.dumps(content).encode()), max_bytes=1 << 20).key
        assert load_version(session, store, version, scratch=tmp_path).contract is None

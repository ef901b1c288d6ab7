from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import update

from automl.errors import DiskFull
from automl.records import FileState
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.tables import DatasetFile
from automl.store.unpacking import unpack_archives
from bench.folder_cases import archives
from bench.folder_cases.case import FolderCase
from bench.folder_cases.raw_zip import RawFile, zipped_raw
from tests.automl.archives.made_archives import entry, gzipped, tarred
from tests.automl.conftest import UploadedDataset
from tests.automl.images.pictures import zipped

Upload = Callable[[Mapping[str, bytes]], UploadedDataset]
Unpack = Callable[[UploadedDataset], UploadedDataset]

FILES = {"cat/1.jpg": b"1", "dog/2.jpg": b"2"}


@pytest.fixture
def unpack(settings: Settings) -> Unpack:
    def run(dataset: UploadedDataset) -> UploadedDataset:
        unpack_archives(dataset.database, dataset.store, dataset.id, settings=settings, say=lambda _: None)
        return dataset

    return run


def contents(dataset: UploadedDataset) -> dict[str, bytes]:
    found = {}
    for name, file in dataset.files().items():
        if file.key:
            with dataset.store.open(file.key) as source:
                found[name] = source.read()
    return found


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.zip", zipped(FILES)), ("A.TAR", tarred(FILES)), ("a.tgz", gzipped(tarred(FILES))), ("a.zip", tarred(FILES))],
)
def test_an_archive_becomes_its_files_and_its_bytes_go(
    uploaded: Upload, unpack: Unpack, name: str, content: bytes
) -> None:
    dataset = unpack(uploaded({name: content, "bird/3.jpg": b"3"}))
    assert contents(dataset) == {**FILES, "bird/3.jpg": b"3"}
    assert len(list(dataset.store.list("datasets"))) == 3


def test_the_class_that_an_archive_was_sent_to_is_that_of_its_files(uploaded: Upload, unpack: Unpack) -> None:
    dataset = uploaded({"a.tar": tarred(FILES), "b.zip": zipped({"x/3.jpg": b"3"})})
    with dataset.database.session() as session:
        session.execute(update(DatasetFile).where(DatasetFile.name == "a.tar").values(given_label="rose"))
    given = {name: file.given_label for name, file in unpack(dataset).files().items()}
    assert given == {"cat/1.jpg": "rose", "dog/2.jpg": "rose", "x/3.jpg": None}


def test_what_is_refused_has_a_reason_and_no_bytes(uploaded: Upload, unpack: Unpack) -> None:
    links = entry("cat/link.jpg", type=b"2", linkname="1.jpg") + entry("cat/x.zip", b"PK")
    dataset = unpack(uploaded({"a.tar": links + tarred(FILES)}))
    assert set(dataset.reasons()) == {"cat/link.jpg", "cat/x.zip"}
    assert all(dataset.files()[name].key == "" for name in dataset.reasons())
    assert contents(dataset) == FILES


def test_unpacking_again_changes_nothing(uploaded: Upload, unpack: Unpack) -> None:
    content = entry("cat/link.jpg", type=b"2") + tarred(FILES)
    dataset = unpack(uploaded({"a.tar": content}))
    dataset.add({"a.tar": content, "b.tgz": gzipped(content)})
    n_rows = len(unpack(dataset).files())
    with dataset.database.session() as session:
        assert session.query(DatasetFile).count() == n_rows == 3
    assert len(list(dataset.store.list("datasets"))) == 2


def test_a_whole_refusal_is_forgotten_when_a_good_archive_of_that_name_comes(uploaded: Upload, unpack: Unpack) -> None:
    dataset = unpack(uploaded({"a.zip": b"no archive"}))
    assert "damaged or incomplete" in dataset.reasons()["a.zip"]
    dataset.add({"a.zip": zipped(FILES)})
    assert unpack(dataset).reasons() == {} and contents(dataset) == FILES


def test_the_limits_are_those_of_the_whole_data_set(uploaded: Upload, settings: Settings) -> None:
    dataset = uploaded({"bird/3.jpg": b"3" * 500, "a.tar": tarred(FILES), "b.tar": tarred({"x/1.jpg": b"x" * 1000})})
    few = settings.model_copy(update={"max_files": 4, "max_upload_bytes": 5000})
    unpack_archives(dataset.database, dataset.store, dataset.id, settings=few, say=lambda _: None)
    assert contents(dataset).keys() == {"bird/3.jpg", *FILES, "x/1.jpg"}
    dataset.add({"c.tar": tarred({"x/2.jpg": b"x"})})
    unpack_archives(dataset.database, dataset.store, dataset.id, settings=few, say=lambda _: None)
    assert "limit of 0 files" in dataset.reasons()["c.tar"]


def test_a_full_disk_leaves_the_archive_as_it_was(
    uploaded: Upload, unpack: Unpack, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = uploaded({"a.tar": tarred(FILES)})
    write = ArtifactStore.write

    def full(*arguments: object, **values: object) -> object:
        write(*arguments, **values)  # type: ignore[arg-type]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ArtifactStore, "write", full)
    with pytest.raises(DiskFull):
        unpack(dataset)
    monkeypatch.undo()
    (file,) = dataset.files().values()
    assert (file.name, file.state) == ("a.tar", FileState.RECEIVED)
    assert [stored.key for stored in dataset.store.list("datasets")] == [file.key]
    assert contents(unpack(dataset)) == FILES


def test_the_page_hears_how_far_it_has_got(uploaded: Upload, settings: Settings) -> None:
    dataset = uploaded({"pets.tar": tarred(FILES)})
    said: list[str] = []
    unpack_archives(dataset.database, dataset.store, dataset.id, settings=settings, say=said.append)
    assert said[-1] == "Unpacking pets.tar: 2 files so far"


@pytest.mark.parametrize("case", archives.CASES, ids=lambda case: case.name)
def test_an_uploaded_archive_of_other_systems_has_the_names_that_it_was_given_or_says_what_to_do(
    uploaded: Upload, unpack: Unpack, tmp_path: Path, case: FolderCase
) -> None:
    case.make(tmp_path / "case")
    (archive,) = (tmp_path / "case").iterdir()
    dataset = unpack(uploaded({archive.name: archive.read_bytes()}))
    if case.refused:
        assert all(words in dataset.reasons()[archive.name].lower() for words in case.refused)
    folders = Counter(name.replace("\\", "/").split("/")[0] for name in contents(dataset))
    assert folders == case.classes


def test_an_uploaded_archive_whose_code_page_cannot_be_told_says_so(uploaded: Upload, unpack: Unpack) -> None:
    names = ("犬/1.jpg", "cat/2.jpg")
    dataset = unpack(uploaded({"a.zip": zipped_raw([RawFile(name=name.encode("cp932")) for name in names])}))
    assert len(contents(dataset)) == 2
    assert "'犬/1.jpg'" in dataset.reasons()["a.zip"]

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event

from automl.errors import BadDataset, DiskFull, LeaseLost, NotAllowedNow, NotFound
from automl.images.decoding import pool as pool_module
from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.orders import Answer, Order
from automl.images.decoding.pool import Decoders
from automl.images.decoding.process import DecoderProcess
from automl.ingest import inspection
from automl.records import DatasetState, GrayRange, GrayRules, RunState, ServingContract, Split
from automl.settings import Settings
from automl.store import checks as check_module
from automl.store.artifacts import ArtifactStore
from automl.store.check_lease import end_check
from automl.store.checks import check_dataset, load_manifest, reassess
from automl.store.database import Database
from automl.store.dataset_files import load_files
from automl.store.tables import Dataset, DatasetEdit, now
from automl.store.versions import latest_version, load_version
from bench.folder_cases.odd_photos import deep, patches
from bench.folder_cases.odd_photos import encoded as odd_encoded
from tests.automl.conftest import UploadedDataset
from tests.automl.images.pictures import encoded, picture, two_classes, zipped
from tests.reports import made_report

Upload = Callable[[Mapping[str, bytes]], UploadedDataset]


@pytest.fixture
def check(settings: Settings) -> Callable[[UploadedDataset], UploadedDataset]:
    def run(dataset: UploadedDataset) -> UploadedDataset:
        check_dataset(dataset.database, dataset.store, dataset.id, settings=settings)
        return dataset

    return run


Check = Callable[[UploadedDataset], UploadedDataset]


def files_of(settings: Settings) -> list[Path]:
    """What is stored of uploads, beside what the check itself has drawn and written."""
    found = [path for path in settings.files_dir.rglob("*") if path.is_file()]
    return [path for path in found if path.parent.name not in ("thumbnails", "versions")]


def test_good_files_are_accepted_with_label_split_and_size(uploaded: Upload, check: Check) -> None:
    dataset = check(uploaded({**two_classes(prefix="x/train/"), "x/test/cat/9.png": encoded(9)}))
    file = dataset.files()["x/test/cat/9.png"]
    assert (file.label, file.split, file.width, file.height) == ("cat", "test", 24, 16)
    assert len(dataset.accepted()) == 9


def test_a_good_data_set_is_ready_with_a_verdict(uploaded: Upload, check: Check) -> None:
    row = check(uploaded(two_classes(5))).row
    assert (row.state, row.message.split(", ")[:3]) == (DatasetState.READY, ["10 photos", "2 classes", "ready"])
    assert row.summary.verdict == row.message
    assert [(c.label, c.unassigned) for c in row.summary.classes] == [("cat", 5), ("dog", 5)]


def test_what_is_bad_is_refused_with_a_reason_and_the_rest_goes_on(uploaded: Upload, check: Check) -> None:
    bad = {
        "cat/text.jpg": b"I am a text",
        "cat/cut.jpg": encoded(picture(size=(90, 90)), "JPEG")[:2000],
        "cat/huge.png": encoded(picture(size=(1100, 1000))),
        "stray.png": encoded(77),
        "cat/same.png": encoded(88),
        "dog/same.png": encoded(88),
    }
    dataset = check(uploaded(two_classes() | bad))
    assert set(dataset.reasons()) == set(bad)
    assert "at most 3.0 MB are allowed here" in dataset.reasons()["cat/huge.png"]
    assert "also in 'dog'" in dataset.reasons()["cat/same.png"]
    assert dataset.row.state is DatasetState.READY
    assert dataset.row.summary.n_refused == 6


def test_junk_is_counted_but_not_listed(uploaded: Upload, check: Check) -> None:
    summary = check(uploaded(two_classes() | {"cat/.DS_Store": b"x", "__MACOSX/cat/._1.png": b"x"})).row.summary
    assert (summary.n_refused, summary.refused) == (0, ())
    assert "2 leftovers of other programs (such as .DS_Store) were skipped." in summary.notes


def test_a_class_that_is_lost_is_pointed_out(uploaded: Upload, check: Check) -> None:
    notes = check(uploaded(two_classes() | {"bird/1.heic": b"\0\0\0\x18ftypheic"})).row.summary.notes
    assert "No photo in 'bird' could be used, so it is not among the classes." in notes


@pytest.mark.parametrize("files", [{}, {"cat/1.png": encoded(1)}, {"readme.txt": b"hello"}])
def test_what_cannot_be_trained_is_invalid_and_says_why(
    files: dict[str, bytes], uploaded: Upload, check: Check
) -> None:
    row = check(uploaded(files)).row
    assert row.state is DatasetState.INVALID
    assert row.message and row.summary.verdict == row.message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"I am a text", "This .zip is damaged or incomplete."),
        (b"", "This .zip is damaged or incomplete."),
        (zipped({}), "There is no file in this .zip."),
        (zipped({"cat/1.bmp": bytes(70_000_000)}), "unpacks to more than 200 times its size"),
    ],
    ids=["text", "nothing", "no files", "bomb"],
)
def test_a_bad_zip_alone_is_invalid_and_the_message_says_what_is_wrong_with_it(
    content: bytes, reason: str, uploaded: Upload, settings: Settings
) -> None:
    dataset = uploaded({"pets.zip": content})
    check_dataset(
        dataset.database, dataset.store, dataset.id, settings=settings.model_copy(update={"max_upload_bytes": 1 << 30})
    )
    row = dataset.row
    assert row.state is DatasetState.INVALID
    assert "There is no photo here" in row.message
    assert "Not used: pets.zip: " in row.message and reason in row.message
    assert row.summary.n_refused == 1


def test_a_zip_that_was_cut_off_keeps_its_good_photos_and_says_what_was_lost(uploaded: Upload, check: Check) -> None:
    files = two_classes()
    content = zipped(files)
    dataset = check(uploaded({"pets.zip": content[: len(content) * 2 // 3]}))
    assert 0 < len(dataset.accepted()) < len(files)
    assert "damaged or incomplete" in dataset.reasons()["pets.zip"]


def test_two_photos_of_each_class_are_ready_with_a_warning(uploaded: Upload, check: Check) -> None:
    row = check(uploaded(two_classes(2))).row
    assert row.state is DatasetState.READY
    assert any("the score is a rough guess" in note for note in row.summary.split.notes)


def test_files_that_come_later_can_mend_an_invalid_data_set(uploaded: Upload, check: Check) -> None:
    files = two_classes()
    dataset = check(uploaded({name: files[name] for name in files if name.startswith("cat")}))
    assert dataset.row.state is DatasetState.INVALID
    dataset.add({name: files[name] for name in files if name.startswith("dog")})
    assert check(dataset).row.state is DatasetState.READY
    assert dataset.accepted() == set(files)


def test_a_repeated_check_changes_nothing_and_decodes_nothing(
    uploaded: Upload, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = check(uploaded(two_classes() | {"stray.png": encoded(5)}))
    before = (dataset.row.summary, dataset.accepted(), dataset.reasons())
    monkeypatch.setattr(inspection, "Decoders", None)
    assert (check(dataset).row.summary, dataset.accepted(), dataset.reasons()) == before


def test_the_place_of_all_files_is_guessed_anew_when_more_come(uploaded: Upload, check: Check) -> None:
    dataset = check(uploaded({"pets/cat/1.png": encoded(1), "pets/cat/2.png": encoded(2)}))
    assert "one class, 'cat'" in dataset.row.message
    dataset.add({"bird/1.png": encoded(3), "bird/2.png": encoded(4), "bird/3.png": encoded(5)})
    assert [c.label for c in check(dataset).row.summary.classes] == ["bird", "cat"]


def test_an_uploaded_zip_becomes_its_files(uploaded: Upload, check: Check, settings: Settings) -> None:
    dataset = check(uploaded({"pets.zip": zipped(two_classes(prefix="wrapper/"))}))
    assert dataset.accepted() == set(two_classes(prefix="wrapper/"))
    assert len(files_of(settings)) == 8


def test_one_zip_for_each_class_works(uploaded: Upload, check: Check) -> None:
    zips = {
        f"{label}.zip": zipped({f"{i}.png": encoded(100 * n + i) for i in range(4)})
        for n, label in enumerate(("cat", "dog"))
    }
    assert [c.label for c in check(uploaded(zips)).row.summary.classes] == ["cat", "dog"]


def test_a_bad_zip_is_refused_and_the_rest_goes_on(uploaded: Upload, check: Check) -> None:
    dataset = check(uploaded(two_classes() | {"more.zip": b"PK\x03\x04 not really"}))
    assert "damaged or incomplete" in dataset.reasons()["more.zip"]
    assert "damaged or incomplete" in check(dataset).reasons()["more.zip"]
    assert dataset.row.state is DatasetState.READY


def test_a_zip_inside_a_zip_is_not_opened(uploaded: Upload, check: Check) -> None:
    dataset = check(uploaded({"a.zip": zipped(two_classes() | {"cat/b.zip": zipped({"x.png": encoded(7)})})}))
    assert dataset.reasons() == {"cat/b.zip": "It is a .zip inside a .zip, which is not opened. Unpack it first."}


def test_a_damaged_file_in_a_zip_is_refused_alone_and_stays_so(uploaded: Upload, check: Check) -> None:
    content = zipped(two_classes() | {"cat/bad.bin": b"A" * 50}, method=0).replace(b"A" * 50, b"B" * 50)
    dataset = check(check(uploaded({"a.zip": content})))
    assert dataset.reasons() == {"cat/bad.bin": "It is damaged inside the .zip."}


@pytest.mark.parametrize("limit", [{"max_files": 5}, {"max_upload_bytes": 8000}])
def test_a_zip_beyond_the_limits_leaves_nothing_behind(
    limit: dict[str, int], uploaded: Upload, settings: Settings, database: Database, store: ArtifactStore
) -> None:
    dataset = uploaded({"a.zip": zipped(two_classes(20))})
    check_dataset(database, store, dataset.id, settings=settings.model_copy(update=limit))
    assert "limit" in dataset.reasons()["a.zip"]
    assert set(dataset.files()) == {"a.zip"}
    assert not [path for path in settings.files_dir.rglob("*") if path.is_file()]


def test_a_zip_that_is_sent_twice_counts_once(uploaded: Upload, check: Check) -> None:
    content = zipped(two_classes())
    dataset = check(uploaded({"a.zip": content}))
    dataset.add({"a.zip": content})
    assert check(dataset).row.summary.n_images == 8


def test_what_the_store_has_changed_is_no_verdict_on_the_photo(
    uploaded: Upload, check: Check, settings: Settings
) -> None:
    dataset = uploaded(two_classes())
    changed, gone = dataset.files()["cat/0.png"], dataset.files()["dog/1.png"]
    (settings.files_dir / changed.key).write_bytes(encoded(99))  # a photo all the same, but not this one
    (settings.files_dir / gone.key).unlink()
    reasons = check(dataset).reasons()
    assert reasons["cat/0.png"].startswith("What is stored of it is not what was sent")
    assert reasons["dog/1.png"] == "Its contents are not here any more. Send it again."


def test_a_check_that_breaks_off_goes_on_where_it_was(
    uploaded: Upload, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = uploaded({"a.zip": zipped(two_classes(20))})
    n_decoded = 0

    class Counted(Decoders):
        def answers(self, orders: Sequence[Order]) -> list[Answer]:
            nonlocal n_decoded
            n_decoded += len(orders)
            if 25 <= n_decoded <= 40:
                raise OSError(5, "the disk broke")
            return super().answers(orders)

    monkeypatch.setattr(inspection, "Decoders", Counted)
    monkeypatch.setattr(check_module, "_SAY_EVERY_S", 0.0)
    with pytest.raises(OSError, match="the disk broke"):
        check(dataset)
    assert dataset.row.state is DatasetState.CHECKING
    n_before = sum(file.width is not None for file in dataset.files().values())
    n_decoded = 1000
    check(dataset)
    assert n_decoded - 1000 == 40 - n_before < 40
    assert dataset.row.summary.n_images == 40


def test_a_check_that_is_cancelled_in_the_middle_of_a_photo_ends_and_can_be_asked_for_again(
    uploaded: Upload, check: Check, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its decoders are stopped, so without the cancelling it would wait for an hour."""
    is_frozen = threading.Event()

    class Frozen(DecoderProcess):
        def send(self, order: Order) -> None:
            os.kill(self.pid, signal.SIGSTOP)
            super().send(order)
            is_frozen.set()

    dataset = uploaded(two_classes(5))
    with dataset.database.session() as session:
        session.get_one(Dataset, dataset.id).state = DatasetState.CHECKING

    def asked_for() -> None:
        check_dataset(dataset.database, dataset.store, dataset.id, settings=settings, is_for_asked=True)

    with monkeypatch.context() as context, ThreadPoolExecutor(1) as pool:
        context.setattr(inspection, "DecodingLimits", partial(DecodingLimits, seconds=3600.0))
        context.setattr(pool_module, "DecoderProcess", Frozen)
        checking = pool.submit(asked_for)
        assert is_frozen.wait(120.0)
        with dataset.database.session() as session:
            end_check(session, dataset.id)
            session.get_one(Dataset, dataset.id).state = DatasetState.UPLOADING
        with pytest.raises(LeaseLost):
            checking.result(120.0)
    with pytest.raises(LeaseLost):  # a second copy of its message
        asked_for()
    assert dataset.row.state is DatasetState.UPLOADING
    assert check(dataset).row.summary.n_images == 10


def test_an_unpacking_that_was_killed_leaves_no_doubles(
    uploaded: Upload, check: Check, settings: Settings, tmp_path: Path
) -> None:
    dataset = uploaded({"a.zip": zipped(two_classes(30))})
    code = (
        "import os, sys\n"
        "from automl.store import unpacking\n"
        "from automl.store.checks import check_dataset\n"
        "from automl.settings import load_settings\n"
        "from automl.store.artifacts import ArtifactStore\n"
        "from automl.store.database import Database\n"
        "unpacking._ROWS_PER_COMMIT = 7\n"
        "settings = load_settings()\n"
        "say = unpacking._Unpacking._store_member\n"
        "n = 0\n"
        "def store_member(self, member):\n"
        "    global n\n"
        "    n += 1\n"
        "    if n == 40: os.kill(os.getpid(), 9)\n"
        "    return say(self, member)\n"
        "unpacking._Unpacking._store_member = store_member\n"
        "store = ArtifactStore(settings.files_dir)\n"
        "check_dataset(Database(settings.database_url), store, sys.argv[1], settings=settings)\n"
    )
    environ = {**os.environ, "DARKROOM_HOME": str(settings.home)}
    killed = subprocess.run([sys.executable, "-c", code, dataset.id], env=environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(dataset.files()) > 20
    assert check(dataset).row.summary.n_images == 60
    assert len(files_of(settings)) == 60


def test_progress_is_told_to_the_caller_and_at_most_once_a_second_to_the_page(
    uploaded: Upload, settings: Settings
) -> None:
    dataset = uploaded(two_classes(40))
    seen: list[tuple[int, int]] = []
    statements: list[str] = []
    event.listen(dataset.database.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    started = time.monotonic()
    check_dataset(
        dataset.database,
        dataset.store,
        dataset.id,
        settings=settings,
        on_progress=lambda *done: seen.append(done),
    )
    seconds = time.monotonic() - started
    assert seen == [(n, 80) for n in range(1, 81)]
    n_writes = sum(statement.startswith("UPDATE datasets") and "message" in statement for statement in statements)
    assert n_writes <= 8 + seconds  # of two stages and the verdict, and one each second; not one for each photo


def test_the_check_of_an_unknown_data_set_is_refused(
    database: Database, store: ArtifactStore, settings: Settings
) -> None:
    with pytest.raises(NotFound):
        check_dataset(database, store, "0" * 32, settings=settings)


def test_the_manifest_has_the_accepted_files_where_they_are(uploaded: Upload, check: Check, tmp_path: Path) -> None:
    dataset = check(uploaded({**two_classes(prefix="train/"), "test/cat/9.png": encoded(9), "test/x.png": encoded(1)}))
    manifest = load_manifest(dataset.database, dataset.store, dataset.start_run(), scratch=tmp_path)
    assert (manifest.name, manifest.classes, len(manifest.images)) == ("pets", ("cat", "dog"), 9)
    first = manifest.images[0]
    assert (first.name, first.split, first.path.read_bytes()) == ("test/cat/9.png", Split.TEST, encoded(9))
    assert manifest.fingerprint == dataset.row.summary.fingerprint
    assert [file.name for file in manifest.refused] == ["test/x.png"]


def test_a_manifest_of_an_invalid_data_set_says_why(uploaded: Upload, check: Check, tmp_path: Path) -> None:
    dataset = check(uploaded({"cat/1.png": encoded(1)}))
    with pytest.raises(BadDataset, match="one class, 'cat'"):
        load_manifest(dataset.database, dataset.store, dataset.start_run(), scratch=tmp_path)


def test_a_manifest_needs_a_check_first(uploaded: Upload, tmp_path: Path) -> None:
    dataset = uploaded(two_classes())
    with pytest.raises(NotAllowedNow, match="not been checked"):
        load_manifest(dataset.database, dataset.store, dataset.start_run(), scratch=tmp_path)


def test_a_file_whose_bytes_are_gone_is_refused(uploaded: Upload, check: Check) -> None:
    dataset = uploaded(two_classes())
    dataset.store.delete(dataset.files()["cat/0.png"].key)
    assert "not here any more" in check(dataset).reasons()["cat/0.png"]


def test_a_full_disk_is_explained_and_the_zip_is_kept(
    uploaded: Upload, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = uploaded({"a.zip": zipped(two_classes())})

    def write(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full, pytest.raises(DiskFull, match="is full"):
        full.setattr(dataset.store, "write", write)
        check(dataset)
    assert check(dataset).row.state is DatasetState.READY


def test_each_photo_gets_traits_and_a_thumbnail(uploaded: Upload, check: Check) -> None:
    dataset = check(uploaded(two_classes()))
    file = dataset.files()["cat/0.png"]
    assert (file.format, file.is_gray, file.fault) == ("PNG", False, "")
    with dataset.store.open(file.thumbnail) as source:
        assert source.read(3) == b"\xff\xd8\xff"


def test_near_copies_are_found_when_files_come_later(uploaded: Upload, check: Check) -> None:
    photo = picture(size=(300, 200))
    dataset = check(uploaded(two_classes() | {"cat/a.png": encoded(photo)}))
    dataset.add({"cat/b.jpg": encoded(photo.resize((150, 100)), "JPEG")})
    files = check(dataset).files()
    assert files["cat/a.png"].near == files["cat/b.jpg"].near == files["cat/a.png"].id
    assert files["cat/0.png"].near == files["cat/0.png"].id


def test_edits_count_in_every_later_check(uploaded: Upload, check: Check) -> None:
    dataset = check(uploaded(two_classes()))
    with dataset.database.session() as session:
        session.add(
            DatasetEdit(dataset_id=dataset.id, kind="rename", values={"from": "dog", "to": "wolf"}, title="Renamed")
        )
    assert [c.label for c in check(dataset).row.summary.classes] == ["cat", "wolf"]


def test_a_run_keeps_the_version_that_it_was_started_with(uploaded: Upload, check: Check, tmp_path: Path) -> None:
    dataset = check(uploaded(two_classes()))
    run_id = dataset.start_run()
    assert len(load_manifest(dataset.database, dataset.store, run_id, scratch=tmp_path).images) == 8
    dataset.add({"cat/new.png": encoded(321)})
    assert check(dataset).row.summary.version == 2
    assert len(load_manifest(dataset.database, dataset.store, run_id, scratch=tmp_path).images) == 8
    assert len(load_manifest(dataset.database, dataset.store, dataset.start_run(), scratch=tmp_path).images) == 9


def test_labels_that_a_run_doubts_become_a_finding(uploaded: Upload, check: Check) -> None:
    dataset = check(uploaded(two_classes()))
    file = dataset.files()["cat/0.png"]
    doubt = {"name": file.name, "sha256": file.sha256, "label": "cat", "suggested": "dog", "confidence": 0.9}
    dataset.start_run(state=RunState.DONE, finished_at=now(), result=made_report(suspects=[doubt]))
    findings = check(dataset).row.summary.findings
    assert [finding.groups for finding in findings if finding.kind == "doubted-labels"] == [((file.id,),)]


def test_the_speed_of_this_machine_is_kept_through_every_edit(uploaded: Upload, check: Check) -> None:
    dataset = check(uploaded(two_classes(10)))
    read_photo_s = dataset.row.summary.read_photo_s
    assert read_photo_s is not None and 0 < read_photo_s < 10
    with dataset.database.session() as session:
        reassess(session, dataset.store, dataset.id)
    assert dataset.row.summary.read_photo_s == read_photo_s


def test_a_handful_of_photos_tells_no_speed(uploaded: Upload, check: Check) -> None:
    assert check(uploaded(two_classes(4))).row.summary.read_photo_s is None


def test_what_is_known_of_odd_pixels_is_kept_and_decides_how_all_runs_decode(
    uploaded: Upload, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = {
        f"{'cat' if seed % 2 else 'dog'}/{seed}.tif": odd_encoded(deep(patches(seed), 12), "TIFF") for seed in range(8)
    }
    dataset = check(uploaded(photos))
    with dataset.database.session() as session:
        files = load_files(session, dataset.id)
        version = latest_version(session, dataset.id)
        assert version is not None
        manifest = load_version(session, dataset.store, version, scratch=Path())
    assert all(file.pixels and file.pixels.gray and file.pixels.gray.highest <= 4095 for file in files)
    assert manifest.contract == ServingContract(gray=GrayRules(integers=GrayRange(black=0, white=4095)))
    assert any("4095 as white" in note for note in dataset.row.summary.notes)
    assert [finding.kind for finding in dataset.row.summary.findings] == ["tiny-class"], "none is blank"
    monkeypatch.setattr(inspection, "Decoders", None)  # a repeated check decodes nothing, and knows all the same
    assert any("4095 as white" in note for note in check(dataset).row.summary.notes)

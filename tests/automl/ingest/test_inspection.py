import hashlib
import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from automl.datasets.data_file import DataFile
from automl.errors import StoreDamaged
from automl.images.fingerprint import FINGERPRINT_PX
from automl.ingest.inspection import InspectedFile, inspect_files, judge_files
from automl.records import FileState
from tests.automl.images.pictures import encoded, two_classes


class Memory:
    """A source whose files are in memory. What is missing is the file's fault, a full disk is not."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents

    def open(self, file: DataFile) -> io.BytesIO:
        if file.name == "disk.png":
            raise OSError(5, "the disk broke")
        return io.BytesIO(self.contents[file.key])

    @contextmanager
    def path(self, file: DataFile) -> Iterator[Path]:
        with self.open(file) as stream, tempfile.NamedTemporaryFile() as copy:
            copy.write(stream.read())
            copy.flush()
            yield Path(copy.name)

    def fault_of(self, error: Exception) -> str | None:
        return "It is gone." if isinstance(error, KeyError) else None


class Recorder:
    def __init__(self) -> None:
        self.inspected: dict[str, InspectedFile] = {}
        self.progress: list[tuple[int, int]] = []

    def keep_thumbnail(self, thumbnail: bytes, /) -> str:
        return f"thumbnail of {len(thumbnail) > 0}"

    def record(self, inspected: InspectedFile, *, n_done: int, n_total: int) -> None:
        self.inspected[inspected.file.name] = inspected
        self.progress.append((n_done, n_total))

    def wait(self) -> None:
        pass


def files_of(contents: Mapping[str, bytes]) -> list[DataFile]:
    return [DataFile(id=n, name=name, key=name, sha256="") for n, name in enumerate(contents, start=1)]


def inspect(contents: Mapping[str, bytes], files: list[DataFile] | None = None) -> tuple[Recorder, float | None]:
    recorder = Recorder()
    seconds = inspect_files(
        files_of(contents) if files is None else files,
        source=Memory(contents),
        recorder=recorder,
        max_image_bytes=3_000_000,
    )
    return recorder, seconds


def test_a_photo_has_its_traits_its_digest_a_thumbnail_and_a_fingerprint() -> None:
    found = inspect({"cat/1.png": encoded(1)})[0].inspected["cat/1.png"]
    assert (found.file.width, found.file.height, found.file.format) == (24, 16, "PNG")
    assert found.file.sha256 == hashlib.sha256(encoded(1)).hexdigest()
    assert found.file.thumbnail == "thumbnail of True"
    assert len(found.fingerprint) == FINGERPRINT_PX**2


def test_bytes_that_are_not_those_that_came_are_no_verdict_on_the_photo() -> None:
    contents = {"1.png": encoded(1)}
    file = replace(files_of(contents)[0], sha256=hashlib.sha256(encoded(2)).hexdigest())
    with pytest.raises(StoreDamaged):
        inspect(contents, [file])


def test_what_is_no_photo_or_is_gone_has_a_reason_and_the_rest_goes_on() -> None:
    contents = {"text.jpg": b"I am a text", "gone.png": b"", "1.png": encoded(1)}
    recorder, _ = inspect({"text.jpg": b"I am a text", "1.png": encoded(1)}, files_of(contents))
    faults = {name: found.file.fault for name, found in recorder.inspected.items()}
    assert "not a picture" in faults["text.jpg"]
    assert (faults["gone.png"], faults["1.png"]) == ("It is gone.", "")


def test_an_error_that_is_not_the_files_fault_ends_the_inspection() -> None:
    with pytest.raises(OSError, match="the disk broke"):
        inspect({"disk.png": b""})


def test_leftovers_tables_and_files_that_were_inspected_before_are_passed_over() -> None:
    contents = {"cat/.DS_Store": b"x", "labels.csv": b"a,b", "seen.png": encoded(1), "new.png": encoded(2)}
    files = [replace(file, fault="Known." if file.name == "seen.png" else "") for file in files_of(contents)]
    recorder, _ = inspect(contents, files)
    assert set(recorder.inspected) == {"new.png"}
    assert recorder.progress == [(1, 1)]


def test_results_come_in_order_and_the_speed_only_of_many() -> None:
    recorder, seconds = inspect(two_classes(10))
    assert recorder.progress == [(n, 20) for n in range(1, 21)]
    assert list(recorder.inspected) == list(two_classes(10))
    assert seconds is not None and seconds > 0
    assert inspect(two_classes(9))[1] is None


def test_of_tables_with_one_name_the_one_that_came_last_counts() -> None:
    photos = {f"{n}.png": encoded(n) for n in range(4)}
    recorder, _ = inspect(photos)
    contents = {"old": b"file,label\n0,a\n1,a\n2,b\n3,b\n", "new": b"file,label\n0,x\n1,x\n2,y\n3,y\n"}
    tables = [DataFile(id=100 + n, name="labels.csv", key=key, sha256="") for n, key in enumerate(contents)]
    files = [*(found.file for found in recorder.inspected.values()), *tables]
    judged = judge_files(files, source=Memory(contents)).files
    assert [file.label for file in judged if file.state is FileState.ACCEPTED] == ["x", "x", "y", "y"]


def test_a_table_that_cannot_be_opened_does_not_end_the_check() -> None:
    recorder, _ = inspect(two_classes(3))
    table = DataFile(id=100, name="labels.csv", key="gone.csv", sha256="")
    files = [*(found.file for found in recorder.inspected.values()), table]
    assessment = judge_files(files, source=Memory({}))
    assert not assessment.problem
    assert any(
        note.startswith("labels.csv could not be opened, so it was not used: ") for note in assessment.summary.notes
    )

"""Formats of a finished run, one after the other: what is kept, what is told, and what becomes of the download."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.delivery.proof import Proof
from automl.errors import BadBundle, DiskFull, LeaseLost
from automl.formats import FORMATS, Format
from automl.pipeline.exporting import Exporting, zipped
from automl.records import DatasetManifest, DatasetState, ExportState, RunState
from automl.records.report import FormatReport, read_run_report
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.checks import check_dataset
from automl.store.database import Database, find_run
from automl.store.exports import add_exports, claim_export
from automl.store.results import report_of
from automl.store.tables import Artifact, Base, Dataset, DatasetFile, Export, Run, now
from automl.text.messages import store as store_messages
from tests.automl.delivery.report.built_reports import finished


class FakeModel:
    """Writes a line for each format, and proves what it is told to. `broken`: what `write` raises, by format."""

    n_tested = 3
    broken: dict[str, Exception] = {}
    untrue: set[str] = set()
    meanwhile: Callable[[], None] | None = None

    def __init__(self, bundle: Path, manifest: DatasetManifest, target: Path) -> None:
        assert zipfile.is_zipfile(bundle)
        assert [image.path.exists() for image in manifest.images] == [True] * 4
        target.mkdir(parents=True, exist_ok=True)
        self._target = target

    def write(self, one: Format) -> Path:
        if self.broken.get(one.name):
            raise self.broken[one.name]
        path = self._target / one.file_name
        if one.name == "saved_model":
            (path / "variables").mkdir(parents=True)
            path /= "saved_model.pb"
        path.write_text(f"the model as {one.name}")
        return self._target / one.file_name

    def prove(self, one: Format, path: Path) -> Proof:
        if self.meanwhile:
            self.meanwhile()
        return Proof(
            format=one.name,
            n_bytes=20,
            is_true=one.name not in self.untrue,
            words=f"Proven as {one.name}.",
            accuracy=0.9,
            largest_difference=0.01,
            latency_s=0.002,
            load_s=1.0,
        )


@dataclass
class World:
    """One finished run on four photos."""

    settings: Settings
    database: Database
    store: ArtifactStore
    run_id: str = ""
    model: type[FakeModel] = field(default=FakeModel)

    def make_next(self, lease_s: float = 60) -> bool:
        with self.database.session() as session:
            claim = claim_export(session, self.run_id, lease_s)
        if claim is not None:
            workspace = self.settings.export_workspace(self.run_id, claim.format, claim.number)
            fenced = self.database.fenced(claim.hold)
            Exporting(fenced, self.store, workspace, open_model=self.model).make(claim)  # type: ignore[arg-type]
        return claim is not None

    def make_all(self) -> None:
        while self.make_next():
            pass

    def exports(self) -> dict[str, Export]:
        with self.database.session() as session:
            return {row.format: row for row in find_run(session, self.run_id).exports}

    def told(self) -> tuple[FormatReport, ...]:
        """What the report of the run says of its formats."""
        with self.database.session() as session:
            return report_of(find_run(session, self.run_id)).exports

    def members(self) -> dict[str, bytes]:
        """Of the one bundle."""
        with self.database.session() as session:
            (bundle,) = [one for one in find_run(session, self.run_id).artifacts if one.kind == "bundle"]
        with self.store.open(bundle.key) as source, zipfile.ZipFile(io.BytesIO(source.read())) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def n_files(self) -> int:
        return len(list(self.store.list(f"runs/{self.run_id}")))


def png(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(buffer, "PNG")
    return buffer.getvalue()


def add_dataset(world: World) -> str:
    with world.database.session() as session:
        dataset = Dataset(name="pets", state=DatasetState.CHECKING)
        session.add(dataset)
        session.flush()
        for label, colours in {"ant": ("red", "orange"), "bee": ("blue", "green")}.items():
            for colour in colours:
                stored = world.store.write(f"datasets/{dataset.id}", io.BytesIO(png(colour)), max_bytes=1 << 20)
                found = {"key": stored.key, "sha256": stored.sha256, "n_bytes": stored.n_bytes}
                session.add(DatasetFile(dataset_id=dataset.id, name=f"{label}/{colour}.png", **found))
    check_dataset(world.database, world.store, dataset.id, settings=world.settings)
    return dataset.id


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    settings = load_settings({"DARKROOM_HOME": str(tmp_path)})
    database = Database(settings.database_url)
    Base.metadata.create_all(database.engine)
    world = World(settings, database, ArtifactStore(settings.files_dir), model=type("Model", (FakeModel,), {}))
    report = finished(("ant", "bee"), np.full((2, 2), 9))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {"model.onnx": b"onnx", "model.keras": b"keras", "plots/loss.png": png("red")}.items():
            archive.writestr(name, content)
        archive.writestr("metrics.json", report.json_text())
        archive.writestr("report.html", "old")
    dataset_id = add_dataset(world)
    with database.session() as session:
        run = Run(dataset_id=dataset_id, state=RunState.DONE, budget_s=60.0, result=report, finished_at=now())
        session.add(run)
        session.flush()
        world.run_id = run.id
        for kind, name, title, content in (
            ("plot", "loss.png", "How the loss fell", png("red")),
            ("bundle", "model.zip", "The trained model", buffer.getvalue()),
        ):
            stored = world.store.write(f"runs/{run.id}", io.BytesIO(content), max_bytes=1 << 20)
            row = Artifact(kind=kind, name=name, title=title, media_type="x/y", key=stored.key, n_bytes=stored.n_bytes)
            run.artifacts.append(row)
        add_exports(session, run.id)
    yield world
    database.close()


def test_every_format_becomes_ready_with_its_proof_and_its_file(world: World) -> None:
    world.make_all()
    found = world.exports()
    assert {row.state for row in found.values()} == {ExportState.READY}
    assert {row.proof.words for row in found.values()} == {f"Proven as {one.name}." for one in FORMATS}
    assert [name for name, row in found.items() if not row.key] == ["onnx", "keras"]  # the bundle has them
    with world.store.open(found["litert_int8"].key) as file:
        assert file.read() == b"the model as litert_int8"
    with world.store.open(found["saved_model"].key) as file, zipfile.ZipFile(file) as archive:
        assert archive.read("saved_model.pb") == b"the model as saved_model"
    assert all(row.lease_until is None and row.attempts == 1 for row in found.values())


def test_the_result_tells_of_each_format_as_soon_as_it_is_proven(world: World) -> None:
    assert world.make_next()
    assert [row.format for row in world.told()] == ["onnx"]
    assert world.members()["report.html"] == b"old"
    assert world.make_next()
    assert [row.words for row in world.told()] == ["Proven as onnx.", "Proven as keras."]


def test_the_last_one_renews_the_documents_and_nothing_else_of_the_download(world: World) -> None:
    before, n_before = world.members(), world.n_files()
    world.make_all()
    after = world.members()
    assert read_run_report(json.loads(after["metrics.json"])).exports == world.told()
    assert len(world.told()) == len(FORMATS)
    assert "Proven as litert_float16." in after["report.html"].decode()
    assert "How the loss fell" in after["report.html"].decode()
    assert {name: after[name] for name in before if name not in ("metrics.json", "report.html")} == {
        name: before[name] for name in before if name not in ("metrics.json", "report.html")
    }
    assert world.n_files() == n_before + 4  # the old bundle is gone, four formats came


def test_one_that_is_not_the_same_model_is_kept_and_marked(world: World) -> None:
    world.model.untrue = {"litert_int8"}
    world.make_all()
    row = world.exports()["litert_int8"]
    assert (row.state, row.proof.is_true) == (ExportState.READY, False)
    assert row.key
    assert world.told()[-1].is_true is False


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("secret /path"), "TensorFlow SavedModel could not be made"),
        (DiskFull("The disk is full."), "The disk is full."),
        (BadBundle("/a/path is not a finished model"), "older Darkroom"),
    ],
)
def test_one_that_cannot_be_written_keeps_no_other_from_being_made(world: World, error: Exception, words: str) -> None:
    world.model.broken = {"saved_model": error}
    world.make_all()
    found = world.exports()
    assert [name for name, row in found.items() if row.state is ExportState.FAILED] == ["saved_model"]
    assert words in found["saved_model"].message
    assert "path" not in found["saved_model"].message
    assert words in world.members()["report.html"].decode()


def test_the_last_one_may_fail_too(world: World) -> None:
    world.model.broken = {"litert_int8": MemoryError()}
    world.make_all()
    assert world.exports()["litert_int8"].state is ExportState.FAILED
    assert len(json.loads(world.members()["metrics.json"])["exports"]) == len(FORMATS)


def test_documents_that_cannot_be_written_fail_the_last_format_and_keep_the_old_download(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **_keywords: object) -> None:
        raise DiskFull("The disk is full.")

    before, n_before = world.members(), world.n_files()
    monkeypatch.setattr("automl.pipeline.exporting.redocument", full)
    world.make_all()
    row = world.exports()["litert_int8"]
    assert (row.state, row.message, row.key) == (ExportState.FAILED, "The disk is full.", "")
    assert world.members() == before
    assert world.n_files() == n_before + 3  # its file went too


def test_after_three_deaths_a_format_is_given_up_and_the_others_are_made(world: World) -> None:
    with world.database.session() as session:
        for _ in range(3):
            assert claim_export(session, world.run_id, lease_s=-1) is not None  # its process died
    world.make_all()
    found = world.exports()
    assert (found["onnx"].state, found["onnx"].message) == (ExportState.FAILED, store_messages.EXPORT_GIVEN_UP)
    assert {row.state for name, row in found.items() if name != "onnx"} == {ExportState.READY}


def test_a_data_set_that_is_deleted_meanwhile_ends_it_quietly(world: World) -> None:
    def delete() -> None:
        with world.database.session() as session:
            run = session.get(Run, world.run_id)
            assert run is not None
            run.dataset.deleted_at = now()
            for file in run.dataset.files:
                world.store.delete(file.key)

    n_before = world.n_files()
    for _ in range(2):
        world.make_next()
    world.model.meanwhile = staticmethod(delete)
    assert world.make_next()
    with world.database.session() as session:
        row = session.query(Export).filter_by(run_id=world.run_id, format="saved_model").one()
    assert (row.state, row.message) == (ExportState.PREPARING, "")
    assert world.n_files() == n_before


def test_one_who_lost_the_format_leaves_no_file(world: World) -> None:
    for _ in range(2):
        world.make_next()

    def lose() -> None:
        with world.database.session() as session:
            row = session.query(Export).filter_by(run_id=world.run_id, format="saved_model").one()
            row.lease_number += 1

    n_before = world.n_files()
    world.model.meanwhile = staticmethod(lose)
    with pytest.raises(LeaseLost):
        world.make_next()
    assert world.exports()["saved_model"].state is ExportState.PREPARING
    assert world.n_files() == n_before


def test_a_folder_is_zipped_to_the_same_bytes_whenever_that_is_done(tmp_path: Path) -> None:
    contents = []
    for name, order in (("one", ("b", "a")), ("two", ("a", "b"))):
        folder = tmp_path / name / "saved_model"
        (folder / "variables").mkdir(parents=True)
        for part in order:
            (folder / "variables" / part).write_text(part)
            os.utime(folder / "variables" / part, (len(contents) * 1000, 0))
        contents.append(zipped(folder).read_bytes())
    assert contents[0] == contents[1]
    assert zipfile.ZipFile(io.BytesIO(contents[0])).namelist() == ["variables/a", "variables/b"]


def start(world: World, number: int = 1, *, name: str = "onnx") -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "DARKROOM_HOME": str(world.settings.home)}
    command = [sys.executable, "-m", "automl.pipeline.exporting", world.run_id, name, str(number)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)


def test_the_process_does_nothing_without_a_claim(world: World) -> None:
    with start(world) as process:
        assert process.wait(60) == 0
    assert world.exports()["onnx"].attempts == 0


def test_the_process_tells_what_it_could_not_make(world: World) -> None:
    with world.database.session() as session:
        claim_export(session, world.run_id, lease_s=60)
    with start(world) as process:  # this bundle's model is no model, and nothing says which photos were its test
        assert process.wait(60) == 0
    assert world.exports()["onnx"].state is ExportState.FAILED


def test_the_process_dies_with_its_parent(world: World) -> None:
    with world.database.session() as session:
        claim_export(session, world.run_id, lease_s=60)
    process = start(world)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 3

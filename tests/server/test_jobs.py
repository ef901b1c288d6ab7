"""What starts a check or a run, and what starts or starts again by itself: the formats of a finished model."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import g
from sqlalchemy import event, select

from automl.errors import BadDataset, NotAllowedNow, NotFound
from automl.formats import FORMATS
from automl.records import DatasetState, ExportState, ImageRecord, Proof, RunSettings, RunState, ServingContract
from automl.store.bin import BinKind
from automl.store.database import find_run
from automl.store.tables import Run
from automl.store.versions import record_version
from automl.task_names import EXPORT
from server.deleting import delete
from server.jobs import start_check, start_exports, start_run
from server.task_queue import QueueUnavailable
from server.visitor import Visitor

NAMES = [one.name for one in FORMATS]
PHOTO = ImageRecord(path=Path("x"), name="x", label="a", sha256="x", width=9, height=9)


@pytest.fixture
def run_id(world) -> str:
    return world.add_run(RunState.DONE)


def states(world, run_id) -> dict[str, ExportState]:
    with world.database.session() as session:
        return {row.format: row.state for row in find_run(session, run_id).exports}


def set_row(world, run_id, name, **values) -> None:
    with world.database.session() as session:
        (row,) = [row for row in find_run(session, run_id).exports if row.format == name]
        for key, value in values.items():
            setattr(row, key, value)


def services(world):
    return world.app.extensions["darkroom"]


def test_a_check_that_cannot_start_leaves_the_data_set_as_it_was(world):
    dataset_id = world.add_dataset(DatasetState.INVALID, name="pets", message="Only one kind.")
    world.queue.away = True
    with pytest.raises(QueueUnavailable):
        start_check(services(world), dataset_id, "dogs")
    left = world.dataset(dataset_id)
    assert (left.state, left.name, left.message) == (DatasetState.INVALID, "pets", "Only one kind.")


def test_no_run_starts_on_photos_that_are_deleted_in_that_moment(world):
    dataset_id = world.add_dataset()
    written: list[str] = []

    def delete_first(_connection, _cursor, statement, *_):
        if not statement.startswith("SELECT"):
            written.append(statement)
            if len(written) == 1:
                with world.app.test_request_context():
                    g.visitor = Visitor()
                    delete(services(world), BinKind.DATASET, dataset_id, for_good=True)

    event.listen(world.database.engine, "before_cursor_execute", delete_first)
    with pytest.raises(NotFound):
        start_run(services(world), dataset_id, RunSettings())
    with world.database.session() as session:
        assert session.scalars(select(Run)).all() == []
    assert world.queue.sent == []


def test_a_run_of_an_older_version_gets_all_formats(world, run_id):
    start_exports(services(world), run_id)
    assert states(world, run_id) == dict.fromkeys(NAMES, ExportState.PREPARING)
    assert world.queue.sent == [(EXPORT, run_id)]


def test_failed_formats_are_tried_again_and_ready_ones_are_kept(world, run_id):
    start_exports(services(world), run_id)
    for name in NAMES:
        set_row(world, run_id, name, state=ExportState.READY, key="k")
    set_row(world, run_id, "litert_int8", state=ExportState.FAILED, message="No room.", attempts=3)
    start_exports(services(world), run_id)
    assert [name for name, state in states(world, run_id).items() if state is ExportState.PREPARING] == ["litert_int8"]
    assert world.queue.sent == [(EXPORT, run_id)] * 2


def test_nothing_is_sent_where_every_format_is_there(world, run_id):
    start_exports(services(world), run_id)
    for name in NAMES:
        set_row(world, run_id, name, state=ExportState.READY)
    start_exports(services(world), run_id)
    assert world.queue.sent == [(EXPORT, run_id)]


@pytest.mark.parametrize("state", [RunState.SEARCHING, RunState.FAILED])
def test_without_a_finished_model_there_is_nothing_to_write(world, state):
    with pytest.raises(NotAllowedNow):
        start_exports(services(world), world.add_run(state))


def test_all_is_as_before_where_the_queue_is_away(world, run_id):
    world.queue.away = True
    with pytest.raises(QueueUnavailable):
        start_exports(services(world), run_id)
    assert states(world, run_id) == {}
    world.queue.away = False
    start_exports(services(world), run_id)
    set_row(world, run_id, "keras", state=ExportState.FAILED, message="No room.")
    world.queue.away = True
    with pytest.raises(QueueUnavailable):
        start_exports(services(world), run_id)
    assert states(world, run_id)["keras"] is ExportState.FAILED
    with world.database.session() as session:
        assert find_run(session, run_id).exports[1].message == "No room."


def test_the_api_lists_the_formats_and_starts_them(world, client, run_id):
    assert client.get(f"/api/v1/runs/{run_id}/exports").json == {"exports": []}
    started = client.post(f"/api/v1/runs/{run_id}/exports")
    assert started.status_code == 202
    assert [row["format"] for row in started.json["exports"]] == NAMES
    set_row(
        world,
        run_id,
        "keras",
        state=ExportState.READY,
        n_bytes=9,
        proof=Proof(format="keras", n_bytes=9, is_true=True, words="The same.", accuracy=0.9),
    )
    onnx, keras, *_ = client.get(f"/api/v1/runs/{run_id}/exports").json["exports"]
    assert (onnx["state"], onnx["proof"], onnx["n_bytes"]) == ("preparing", None, None)
    assert (keras["state"], keras["title"], keras["n_bytes"]) == ("ready", "Keras", 9)
    assert keras["proof"]["words"] == "The same."


@pytest.mark.parametrize(("run", "status"), [("unknown", 404), ("unfinished", 409)])
def test_the_api_says_why_there_are_no_formats(world, client, run, status):
    run_id = world.add_run(RunState.SEARCHING) if run == "unfinished" else run
    answer = client.post(f"/api/v1/runs/{run_id}/exports")
    assert answer.status_code == status
    assert answer.json["error"]["message"]


def test_the_api_says_that_the_queue_is_away(world, client, run_id):
    world.queue.away = True
    assert client.post(f"/api/v1/runs/{run_id}/exports").status_code == 503


def test_no_run_starts_where_nothing_could_be_tested(world):
    """The version may be from an older Darkroom, which asked for less."""
    dataset_id = world.add_dataset()
    images = [
        replace(PHOTO, label=label, group=label, name=f"{label}{number}", sha256=f"{label}{number}")
        for label in "ab"
        for number in range(2)
    ]
    with world.database.session() as session:
        keys = {(one.name, one.sha256): "k" for one in images}
        record_version(
            session,
            services(world).store,
            dataset_id,
            images=images,
            keys=keys,
            refused=(),
            contract=ServingContract(),
        )
    with pytest.raises(BadDataset, match="copies count as one photo"):
        start_run(services(world), dataset_id, RunSettings())
    with world.database.session() as session:
        assert session.scalars(select(Run)).all() == []
    assert world.queue.sent == []

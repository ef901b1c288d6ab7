"""Who makes which format: one at a time, under a lease, and what becomes of it where its maker dies."""

from datetime import timedelta
from typing import Any

import pytest

from automl.formats import FORMATS
from automl.records import ExportState, Proof, RunState
from automl.records.report import FormatReport
from automl.store.database import Database, find_run
from automl.store.exports import (
    MAX_ATTEMPTS,
    ExportClaim,
    ExportOutcome,
    add_exports,
    claim_export,
    export_rows,
    fail_exports_again,
    find_claim,
    hand_back_export,
    has_exports_to_make,
    is_settled,
    remove_exports,
    renew_export,
    retry_exports,
    runs_with_idle_exports,
    settle_export,
)
from automl.store.tables import Dataset, Export, Run, now
from automl.text.messages import store as store_messages

NAMES = [one.name for one in FORMATS]
PROOF = Proof(format="onnx", n_bytes=5, is_true=True, words="The same.", load_s=1.0)
READY = ExportOutcome(state=ExportState.READY, key="runs/x/y", n_bytes=7, proof=PROOF)


@pytest.fixture
def run_id(database: Database) -> str:
    with database.session() as session:
        run = Run(dataset=Dataset(name="pets"), state=RunState.DONE, budget_s=60.0, finished_at=now())
        session.add(run)
        session.flush()
        assert add_exports(session, run.id) == NAMES
        return run.id


def claim(database: Database, run_id: str, lease_s: float = 30) -> ExportClaim | None:
    with database.session() as session:
        return claim_export(session, run_id, lease_s)


def settle(database: Database, claimed: ExportClaim, outcome: ExportOutcome = READY) -> bool:
    with database.session() as session:
        return settle_export(session, claimed, outcome)


def rows(database: Database, run_id: str) -> list[Export]:
    with database.session() as session:
        return list(find_run(session, run_id).exports)


def test_rows_that_are_there_are_not_added_again(database: Database, run_id: str) -> None:
    with database.session() as session:
        assert add_exports(session, run_id) == []
        assert [row.format for row in find_run(session, run_id).exports] == NAMES


def test_formats_are_made_one_at_a_time_in_their_order(database: Database, run_id: str) -> None:
    made = []
    while claimed := claim(database, run_id):
        assert claim(database, run_id) is None
        made.append(claimed.format)
        assert settle(database, claimed)
    assert made == NAMES
    with database.session() as session:
        assert not has_exports_to_make(session, run_id)


def test_a_lost_format_is_claimed_anew_and_its_first_maker_cannot_write_any_more(
    database: Database, run_id: str
) -> None:
    lost = claim(database, run_id, lease_s=-1)
    again = claim(database, run_id)
    assert (lost, again) == (ExportClaim(run_id, "onnx", 1, 1), ExportClaim(run_id, "onnx", 2, 2))
    assert not settle(database, lost)
    with database.session() as session:
        assert not renew_export(session, lost, 30)
        assert renew_export(session, again, 30)
        assert find_claim(session, run_id, "onnx", again.number) == again
        assert find_claim(session, run_id, "onnx", lost.number) is None
        assert find_claim(session, run_id, "keras", 0) is None
        assert not is_settled(session, again)
    assert settle(database, again)
    with database.session() as session:
        assert is_settled(session, again)


@pytest.mark.parametrize(("counts", "attempt"), [(True, 2), (False, 1)])
def test_only_a_death_counts_as_an_attempt(database: Database, run_id: str, counts: bool, attempt: int) -> None:
    first = claim(database, run_id)
    with database.session() as session:
        assert hand_back_export(session, first, counts)
    assert claim(database, run_id) == ExportClaim(run_id, "onnx", attempt, 2)


def test_a_format_that_also_dies_while_it_is_given_up_is_left(database: Database, run_id: str) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 2):
        assert claim(database, run_id, lease_s=-1) == ExportClaim(run_id, "onnx", attempt, attempt)
    assert claim(database, run_id) == ExportClaim(run_id, "keras", 1, 1)
    first = rows(database, run_id)[0]
    assert (first.state, first.message) == (ExportState.FAILED, store_messages.EXPORT_GIVEN_UP)


@pytest.mark.parametrize("change", [{"state": RunState.FAILED}, {"deleted_at": now()}])
def test_nothing_is_made_of_a_run_without_a_model_or_without_photos(
    database: Database, run_id: str, change: dict[str, Any]
) -> None:
    claimed = claim(database, run_id)
    with database.session() as session:
        run = find_run(session, run_id)
        run.state = change.get("state", run.state)
        run.dataset.deleted_at = change.get("deleted_at")
    assert not settle(database, claimed)
    with database.session() as session:
        assert not renew_export(session, claimed, 30)
        assert not has_exports_to_make(session, run_id)
        assert not is_settled(session, claimed)
    assert claim(database, run_id, lease_s=-1) is None


def test_what_nobody_makes_is_found_again_once_the_run_has_settled(database: Database, run_id: str) -> None:
    def idle(settle_s: float) -> list[str]:
        with database.session() as session:
            return runs_with_idle_exports(session, settle_s)

    assert idle(settle_s=60) == []
    assert idle(settle_s=0) == [run_id]
    claimed = claim(database, run_id)
    assert idle(settle_s=0) == []
    with database.session() as session:
        session.get_one(Export, rows(database, run_id)[0].id).lease_until = now() - timedelta(seconds=1)
    assert idle(settle_s=0) == [run_id]
    assert settle(database, claimed)


def test_failed_formats_are_tried_again_from_the_first_attempt_and_that_can_be_taken_back(
    database: Database, run_id: str
) -> None:
    settle(database, claim(database, run_id))
    settle(database, claim(database, run_id), ExportOutcome.failed("No room."))
    with database.session() as session:
        messages = retry_exports(session, run_id)
    assert messages == {"keras": "No room."}
    assert [row.state for row in rows(database, run_id)][:2] == [ExportState.READY, ExportState.PREPARING]
    with database.session() as session:
        fail_exports_again(session, run_id, messages)
    assert (rows(database, run_id)[1].state, rows(database, run_id)[1].message) == (ExportState.FAILED, "No room.")


def test_only_rows_that_nobody_has_begun_are_taken_back(database: Database, run_id: str) -> None:
    claim(database, run_id)
    with database.session() as session:
        remove_exports(session, run_id, NAMES[:3])
    assert [row.format for row in rows(database, run_id)] == [NAMES[0], *NAMES[3:]]


def test_the_rows_of_a_report_tell_what_is_done(database: Database, run_id: str) -> None:
    settle(database, claim(database, run_id))
    settle(database, claim(database, run_id), ExportOutcome.failed("No room."))
    onnx, keras = export_rows(rows(database, run_id))
    assert onnx == FormatReport(
        format="onnx",
        title="ONNX",
        n_bytes=5,
        accuracy=None,
        agreement=None,
        largest_difference=None,
        latency_s=None,
        is_true=True,
        words="The same.",
    )
    assert (keras.format, keras.is_true, keras.words, keras.n_bytes) == ("keras", False, "No room.", None)

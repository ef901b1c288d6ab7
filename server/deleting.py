"""Deleting data sets and runs: into the bin, back from it, or for good."""

from automl.errors import NotAllowedNow
from automl.records import AuditAction
from automl.store.bin import BinKind, empty_bin, put_back, put_into_bin
from automl.store.database import find_dataset, find_run, known_dataset, known_run
from automl.store.runs import request_cancel
from automl.store.turns import lock_dataset
from automl.text.messages import server as server_messages
from server.access import is_own
from server.audit import record
from server.services import Services
from server.uploads.receive import has_unfinished_run


def delete(services: Services, kind: BinKind, thing_id: str, *, for_good: bool = False) -> None:
    """Puts a data set with its runs, or one run, into the bin, where they are hidden at once.

    A run that is under way is cancelled first.

    Args:
        services: Those of the application.
        kind: What is deleted.
        thing_id: Its id. What is in the bin already can only be deleted for good.
        for_good: Whether the worker removes every file and row now, instead of when the time in the bin is up.

    Raises:
        NotFound: There is none.
        InBin: It is in the bin already.
        NotAllowedNow: It is a data set that a run is using.
    """
    keep_s = 0.0 if for_good else services.settings.bin_s
    if kind is BinKind.DATASET:
        _delete_dataset(services, thing_id, keep_s)
    else:
        _delete_run(services, thing_id, keep_s)


def restore(services: Services, kind: BinKind, thing_id: str) -> None:
    """Puts a data set or a run back to where it was.

    Raises:
        NotFound: It is not in the bin.
        NotAllowedNow: It is a run whose data set is in the bin, too.
    """
    with services.database.session() as session:
        put_back(session, kind, thing_id)
        record(session, AuditAction.RESTORED, object_kind=kind, object_id=thing_id)


def empty(services: Services) -> None:
    """Removes all for good that is in the bin of whoever asks."""
    with services.database.session() as session:
        empty_bin(session, is_own())
        record(session, AuditAction.BIN_EMPTIED)


def _delete_dataset(services: Services, dataset_id: str, keep_s: float) -> None:
    with services.database.session() as session:
        lock_dataset(session, dataset_id)  # no run can be started from here on
        known_dataset(session, dataset_id) if keep_s == 0.0 else find_dataset(session, dataset_id)
        if has_unfinished_run(session, dataset_id):
            raise NotAllowedNow(server_messages.IN_USE)
        put_into_bin(session, BinKind.DATASET, dataset_id, keep_s=keep_s)
        record(session, AuditAction.DELETED, object_kind=BinKind.DATASET, object_id=dataset_id)


def _delete_run(services: Services, run_id: str, keep_s: float) -> None:
    with services.database.session() as session:
        run = known_run(session, run_id) if keep_s == 0.0 else find_run(session, run_id)
        is_under_way = not run.state.is_finished()
        if is_under_way:
            request_cancel(run)
        put_into_bin(session, BinKind.RUN, run_id, keep_s=keep_s)
        record(session, AuditAction.DELETED, object_kind=BinKind.RUN, object_id=run_id)
    if is_under_way:
        services.events.publish(run_id, "end" if run.state.is_finished() else "asked", state=run.state)

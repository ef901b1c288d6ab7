"""Changes to a data set that take effect at once: edits, fixes of findings, undoing either, and names, also of runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.datasets.edits import Edit, EditKind, edit_values, read_edit
from automl.datasets.findings.copies import CONFLICTS
from automl.datasets.findings.harmless import FIX_HARMLESS, edit_of_harmless
from automl.errors import NotAllowedNow, NotFound
from automl.records import DatasetState
from automl.records.dataset_summary import keep_key
from automl.store.checks import judge, reassess
from automl.store.database import find_dataset, find_run
from automl.store.tables import DatasetEdit, now
from automl.store.turns import take_turn
from automl.text.messages import server as server_messages
from server.forms import row_id
from server.services import Services


def add_edit(services: Services, dataset_id: str, edit: Edit) -> None:
    """Applies an edit and judges the data set anew.

    Raises:
        NotFound: There is no such data set.
        NotAllowedNow: It has not been checked, or is being checked.
    """
    with _editable(services, dataset_id) as session:
        session.add(_row(dataset_id, edit))
        session.flush()
        reassess(session, services.store, dataset_id)


def fix_finding(services: Services, dataset_id: str, key: str) -> None:
    """Does what a finding proposes.

    Args:
        services: Those of the application.
        dataset_id: The data set.
        key: The finding's key, or its kind where there is one of that kind only; `harmless` for all that is harmless.

    Raises:
        NotFound: There is no such data set, or it has no such finding any more.
        NotAllowedNow: It has not been checked, or is being checked.
    """
    with _editable(services, dataset_id) as session:
        findings = judge(session, services.store, dataset_id).findings
        meant = [finding for finding in findings if keep_key(finding.key) == key or finding.key == key]
        meant = meant or [finding for finding in findings if finding.kind == key]
        fix = meant[0].chosen(key) if len(meant) == 1 else None
        wanted = edit_of_harmless(findings) if key == FIX_HARMLESS else fix.edit if fix else None
        if wanted is None:
            raise NotFound(server_messages.FIXED_ALREADY)
        # Checked as if the user had sent it: what is stored must be readable later.
        edit = read_edit(wanted.kind, edit_values(wanted), wanted.title)
        session.add(_row(dataset_id, edit))
        session.flush()
        reassess(session, services.store, dataset_id)


def settle_conflict(services: Services, dataset_id: str, file_id: int, label: str) -> None:
    """Puts all photos that look the same as this one into one class.

    Args:
        services: Those of the application.
        dataset_id: The data set.
        file_id: One of the photos.
        label: The class that is right.

    Raises:
        NotFound: There is no such data set, or nothing contradicts this photo any more.
        BadSetting: No class can be called so.
        NotAllowedNow: It has not been checked, or is being checked.
    """
    with _editable(services, dataset_id) as session:
        assessment = judge(session, services.store, dataset_id)
        conflicts = (finding for finding in assessment.findings if finding.kind in CONFLICTS)
        groups = (group for finding in conflicts for group in finding.groups if file_id in group)
        group = set(next(groups, ()))
        wrong: list[JsonValue] = [file.id for file in assessment.files if file.id in group and file.label != label]
        if not wrong:
            raise NotFound(server_messages.FIXED_ALREADY)
        session.add(_row(dataset_id, read_edit(EditKind.MOVE, {"files": wrong, "to": label})))
        session.flush()
        reassess(session, services.store, dataset_id)


def undo_edit(services: Services, dataset_id: str, edit_id: int) -> None:
    """Takes one edit back; the later ones stay.

    Raises:
        NotFound: There is no such data set, or it has no such edit.
        NotAllowedNow: It has not been checked, or is being checked.
    """
    with _editable(services, dataset_id) as session:
        query = select(DatasetEdit).where(
            DatasetEdit.id == row_id(edit_id),
            DatasetEdit.dataset_id == dataset_id,
            DatasetEdit.undone_at.is_(None),
        )
        edit = session.scalars(query).first()
        if edit is None:
            raise NotFound(server_messages.UNDONE_ALREADY)
        edit.undone_at = now()
        session.flush()
        reassess(session, services.store, dataset_id)


def rename_dataset(services: Services, dataset_id: str, name: str) -> None:
    """Gives a data set another name.

    Raises:
        NotFound: There is no such data set.
    """
    with services.database.session() as session:
        find_dataset(session, dataset_id).name = name


def rename_run(services: Services, run_id: str, name: str) -> None:
    """Gives a run another name; with an empty one it is called after its time.

    Raises:
        NotFound: There is no such run.
    """
    with services.database.session() as session:
        find_run(session, run_id).name = name


@contextmanager
def _editable(services: Services, dataset_id: str) -> Iterator[Session]:
    """A transaction in which no other request changes the data set.

    Raises:
        NotFound: There is no such data set.
        NotAllowedNow: Its photos are not checked.
    """
    with services.database.session() as session:
        if take_turn(session, dataset_id).state not in (DatasetState.READY, DatasetState.INVALID):
            raise NotAllowedNow(server_messages.NOT_CHECKED_YET)
        yield session


def _row(dataset_id: str, edit: Edit) -> DatasetEdit:
    return DatasetEdit(dataset_id=dataset_id, kind=edit.kind.value, values=edit_values(edit), title=edit.title)

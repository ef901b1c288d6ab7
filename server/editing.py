"""Changes to a data set that take effect at once: edits, fixes of findings, undoing either, and names, also of runs.

They are for requests: what the sender has seen of the data set, and who he is, is the request's, see `edit_conflicts`.
"""

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
from automl.store.database import find_run
from automl.store.tables import Dataset, DatasetEdit, now
from automl.store.turns import take_turn
from automl.text.messages import server as server_messages
from server.edit_conflicts import refuse_conflict, refuse_other_name, refuse_outdated
from server.forms import row_id
from server.services import Services
from server.visitor import visitor


def add_edit(services: Services, dataset_id: str, edit: Edit) -> None:
    """Applies an edit and judges the data set anew.

    Raises:
        NotFound: There is no such data set.
        NotAllowedNow: It has not been checked, or is being checked.
        EditConflict: This contradicts what was changed since the sender's page was shown.
        Outdated: The sender wants to change another revision.
    """
    with _editable(services, dataset_id) as (session, dataset):
        _make(services, session, dataset, edit)


def fix_finding(services: Services, dataset_id: str, key: str) -> None:
    """Does what a finding proposes.

    Args:
        services: Those of the application.
        dataset_id: The data set.
        key: The finding's key, or its kind where there is one of that kind only; `harmless` for all that is harmless.

    Raises:
        NotFound: There is no such data set, or it has no such finding any more.
        NotAllowedNow: It has not been checked, or is being checked.
        EditConflict: This contradicts what was changed since the sender's page was shown.
        Outdated: The sender wants to change another revision.
    """
    with _editable(services, dataset_id) as (session, dataset):
        findings = judge(session, services.store, dataset_id).findings
        meant = [finding for finding in findings if keep_key(finding.key) == key or finding.key == key]
        meant = meant or [finding for finding in findings if finding.kind == key]
        fix = meant[0].chosen(key) if len(meant) == 1 else None
        wanted = edit_of_harmless(findings) if key == FIX_HARMLESS else fix.edit if fix else None
        if wanted is None:
            raise NotFound(server_messages.FIXED_ALREADY)
        # Checked as if the user had sent it: what is stored must be readable later.
        _make(services, session, dataset, read_edit(wanted.kind, edit_values(wanted), wanted.title))


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
        EditConflict: This contradicts what was changed since the sender's page was shown.
        Outdated: The sender wants to change another revision.
    """
    with _editable(services, dataset_id) as (session, dataset):
        assessment = judge(session, services.store, dataset_id)
        conflicts = (finding for finding in assessment.findings if finding.kind in CONFLICTS)
        groups = (group for finding in conflicts for group in finding.groups if file_id in group)
        group = set(next(groups, ()))
        wrong: list[JsonValue] = [file.id for file in assessment.files if file.id in group and file.label != label]
        if not wrong:
            raise NotFound(server_messages.FIXED_ALREADY)
        _make(services, session, dataset, read_edit(EditKind.MOVE, {"files": wrong, "to": label}))


def undo_edit(services: Services, dataset_id: str, edit_id: int) -> None:
    """Takes one edit back; the later ones stay.

    Raises:
        NotFound: There is no such data set, or it has no such edit.
        NotAllowedNow: It has not been checked, or is being checked.
        EditConflict: This contradicts what was changed since the sender's page was shown.
        Outdated: The sender wants to change another revision.
    """
    with _editable(services, dataset_id) as (session, dataset):
        query = select(DatasetEdit).where(
            DatasetEdit.id == row_id(edit_id),
            DatasetEdit.dataset_id == dataset_id,
            DatasetEdit.undone_at.is_(None),
        )
        row = session.scalars(query).first()
        if row is None:
            raise NotFound(server_messages.UNDONE_ALREADY)
        refuse_conflict(session, dataset, read_edit(row.kind, row.values, row.title), undoes=True)
        dataset.revision += 1
        row.undone_at, row.undone_by, row.undone_revision = now(), visitor().account_id, dataset.revision
        session.flush()
        reassess(session, services.store, dataset_id)


def rename_dataset(services: Services, dataset_id: str, name: str) -> None:
    """Gives a data set another name.

    Raises:
        NotFound: There is no such data set.
        NotAllowedNow: Somebody has renamed it since the sender's page was shown.
        Outdated: The sender wants to change another revision.
    """
    with services.database.session() as session:
        dataset = take_turn(session, dataset_id)
        refuse_outdated(dataset)
        refuse_other_name(name, dataset.name)
        dataset.name = name
        dataset.revision += 1


def rename_run(services: Services, run_id: str, name: str) -> None:
    """Gives a run another name; with an empty one it is called after its time.

    Raises:
        NotFound: There is no such run.
        NotAllowedNow: Somebody has renamed it since the sender's page was shown.
    """
    with services.database.session() as session:
        run = find_run(session, run_id)
        refuse_other_name(name, run.name)
        run.name = name


@contextmanager
def _editable(services: Services, dataset_id: str) -> Iterator[tuple[Session, Dataset]]:
    """A transaction in which no other request changes the data set.

    Raises:
        NotFound: There is no such data set.
        NotAllowedNow: Its photos are not checked.
        Outdated: The sender wants to change another revision.
    """
    with services.database.session() as session:
        dataset = take_turn(session, dataset_id)
        if dataset.state not in (DatasetState.READY, DatasetState.INVALID):
            raise NotAllowedNow(server_messages.NOT_CHECKED_YET)
        refuse_outdated(dataset)
        yield session, dataset


def _make(services: Services, session: Session, dataset: Dataset, edit: Edit) -> None:
    refuse_conflict(session, dataset, edit)
    dataset.revision += 1
    session.add(
        DatasetEdit(
            dataset_id=dataset.id,
            kind=edit.kind.value,
            values=edit_values(edit),
            title=edit.title,
            account_id=visitor().account_id,
            revision=dataset.revision,
        )
    )
    session.flush()
    reassess(session, services.store, dataset.id)

"""What one account may have: data sets, files, bytes and unfinished runs. What is in the bin counts.

A limit of 0 allows any number. Where nobody needs an account, everything counts for the one that all share.
"""

import sys
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import BigInteger, cast, func, select, update
from sqlalchemy.orm import Session

from automl.errors import NotAllowedNow, UploadTooLarge
from automl.records import DatasetState, RunState
from automl.settings import Settings
from automl.store.tables import (
    N_FILES_AND_BYTES,
    Account,
    Artifact,
    Dataset,
    DatasetFile,
    Export,
    Run,
    SortedPhoto,
    Sorting,
    now,
)
from automl.text.durations import duration_in_words
from automl.text.messages import quotas as quota_messages
from automl.text.moments import moment_in_words
from automl.text.numbers import size_in_words

_UNFINISHED = [state for state in RunState if not state.is_finished()]
_ANY_NUMBER = sys.maxsize
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an account has.

    Attributes:
        n_datasets: Data sets.
        n_files: Files that were uploaded into them, or are kept since a model of theirs has sorted them.
        n_bytes: Of these files, and of the models and plots that were made from them.
        n_unfinished: Runs that it has asked for and that have not ended.
    """

    n_datasets: int
    n_files: int
    n_bytes: int
    n_unfinished: int


def usage_of(session: Session, account_id: str | None) -> Usage:
    """`account_id`: None for what was made while nobody needed an account."""
    n_files, n_bytes = _files_of(session, account_id)
    return Usage(
        n_datasets=_count_datasets(session, account_id),
        n_files=n_files,
        n_bytes=n_bytes,
        n_unfinished=_count_unfinished(session, account_id),
    )


def add_dataset(
    session: Session,
    settings: Settings,
    account_id: str | None,
    *,
    name: str,
    state: DatasetState = DatasetState.UPLOADING,
) -> Dataset:
    """Makes a data set of an account, without files.

    Raises:
        NotAllowedNow: The account has as many as it may have.
    """
    if settings.account_datasets:
        _take_turn(session, account_id)
        if _count_datasets(session, account_id) >= settings.account_datasets:
            raise NotAllowedNow(quota_messages.TOO_MANY_DATA_SETS.format(most=settings.account_datasets))
    dataset = Dataset(name=name, state=state, owner_id=account_id)
    session.add(dataset)
    session.flush()
    return dataset


def refuse_run(session: Session, settings: Settings, account_id: str | None, budget_s: float | None) -> None:
    """To be asked before a run is queued, in the same transaction.

    Args:
        session: The transaction.
        settings: With the limits.
        account_id: Whose run it is.
        budget_s: How long it may take; None for any time.

    Raises:
        NotAllowedNow: The account, or all together, have as many unfinished runs as they may have, or the account has
            asked for as much time as it may within a day.
    """
    _take_turn(session, account_id)
    if settings.account_queue and _count_unfinished(session, account_id) >= settings.account_queue:
        raise NotAllowedNow(quota_messages.TOO_MANY_RUNS.format(most=settings.account_queue))
    if settings.max_queue:
        n_all = session.scalar(select(func.count()).where(Run.state.in_(_UNFINISHED))) or 0
        if n_all >= settings.max_queue:
            raise NotAllowedNow(quota_messages.QUEUE_FULL.format(most=settings.max_queue))
    refuse_time(session, settings, account_id, budget_s)


def refuse_time(session: Session, settings: Settings, account_id: str | None, more_s: float | None) -> None:
    """To be asked before a run gets its time, or more of it, in the same transaction.

    A run counts with what it may take until it has ended, then with what it has taken.

    Raises:
        NotAllowedNow: With this, the account would have asked for more than it may within 24 hours.
    """
    most = settings.account_minutes_a_day
    if not most:
        return
    _take_turn(session, account_id)
    if more_s is None:
        raise NotAllowedNow(quota_messages.NO_END.format(most=most))
    query = select(Run).where(Run.started_by_id == account_id, Run.created_at > now() - _DAY).order_by(Run.created_at)
    asked = [(run.created_at, _time_of(run)) for run in session.scalars(query)]
    left_s = 60 * most - sum(seconds for _, seconds in asked)
    if more_s > left_s:
        left = duration_in_words(max(0.0, left_s))
        when = moment_in_words(next((began for began, seconds in asked if seconds), now()) + _DAY)
        raise NotAllowedNow(quota_messages.TOO_MANY_MINUTES.format(most=most, left=left, when=when))


def _time_of(run: Run) -> float:
    return run.used_s if run.state.is_finished() else run.budget_s or run.used_s


def room_for_files(
    session: Session, settings: Settings, dataset_id: str, *, without_id: int | None = None
) -> tuple[int, int]:
    """How many more files, and bytes, the account whose data set it is may have; very many where any number.

    Args:
        session: The transaction.
        settings: With the limits.
        dataset_id: The data set.
        without_id: A file of it that does not count, such as an archive that will be gone once it is unpacked.
    """
    if not settings.account_photos and not settings.account_bytes:
        return _ANY_NUMBER, _ANY_NUMBER
    owner_id = session.scalar(select(Dataset.owner_id).where(Dataset.id == dataset_id))
    n_files, n_bytes = _files_of(session, owner_id)
    if without_id is not None:
        n_files -= 1
        n_bytes -= session.scalar(select(DatasetFile.n_bytes).where(DatasetFile.id == without_id)) or 0
    return (
        max(0, settings.account_photos - n_files) if settings.account_photos else _ANY_NUMBER,
        max(0, settings.account_bytes - n_bytes) if settings.account_bytes else _ANY_NUMBER,
    )


def refuse_files(
    session: Session,
    settings: Settings,
    dataset_id: str,
    *,
    n_files: int,
    n_bytes: int,
    without_id: int | None = None,
) -> None:
    """To be asked before so many files of so many bytes are added to a data set, in the same transaction.

    `without_id`: see `room_for_files`.

    Raises:
        UploadTooLarge: The account whose data set it is would have more than it may have.
    """
    if settings.account_photos or settings.account_bytes:
        _take_turn(session, session.scalar(select(Dataset.owner_id).where(Dataset.id == dataset_id)))
    files_left, bytes_left = room_for_files(session, settings, dataset_id, without_id=without_id)
    if n_files > files_left:
        raise UploadTooLarge(quota_messages.TOO_MANY_FILES.format(most=settings.account_photos))
    if n_bytes > bytes_left:
        raise UploadTooLarge(quota_messages.TOO_MANY_BYTES.format(size=size_in_words(settings.account_bytes)))


def _take_turn(session: Session, account_id: str | None) -> None:
    """From here on no other transaction that asks counts for this account, until this one ends."""
    if account_id is not None:
        session.execute(update(Account).where(Account.id == account_id).values(name=Account.name))


def _count_datasets(session: Session, account_id: str | None) -> int:
    return session.scalar(select(func.count()).where(Dataset.owner_id == account_id)) or 0


def _count_unfinished(session: Session, account_id: str | None) -> int:
    unfinished = select(func.count()).where(Run.started_by_id == account_id, Run.state.in_(_UNFINISHED))
    return session.scalar(unfinished) or 0


def _files_of(session: Session, account_id: str | None) -> tuple[int, int]:
    """Number of the files that were uploaded, also to be sorted; bytes of these and of what was made from them."""
    is_own = Dataset.owner_id == account_id
    uploaded = select(*N_FILES_AND_BYTES).select_from(DatasetFile).join(Dataset)
    n_files, n_bytes = session.execute(uploaded.where(is_own)).one()
    run_ids = select(Run.id).join(Run.dataset).where(is_own)
    made: tuple[type[Artifact | Export], ...] = (Artifact, Export)
    for table in made:
        made_bytes = cast(func.coalesce(func.sum(table.n_bytes), 0), BigInteger)
        n_bytes += session.scalar(select(made_bytes).where(table.run_id.in_(run_ids))) or 0
    sorted_bytes = cast(func.coalesce(func.sum(SortedPhoto.n_bytes), 0), BigInteger)
    # What was added to the data set is a file of it by now.
    is_there = (Sorting.run_id.in_(run_ids), SortedPhoto.added_at.is_(None), SortedPhoto.key != "")
    sorted_photos = select(func.count(SortedPhoto.id), sorted_bytes).join(Sorting, SortedPhoto.sorting_id == Sorting.id)
    n_sorted, n_sorted_bytes = session.execute(sorted_photos.where(*is_there)).one()
    return n_files + n_sorted, n_bytes + n_sorted_bytes

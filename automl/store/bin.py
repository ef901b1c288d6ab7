"""The bin: data sets and single runs that were deleted, and can be put back until their time is up.

What is in the bin keeps its rows and files, so it counts wherever space is counted; the pages, the API and the worker
pass over it, since `database.find_run` and `database.find_dataset` do. `worker.removal` removes what is due.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, cast, exists, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from automl.errors import NotAllowedNow, NotFound
from automl.records import FileState, RunState
from automl.store.check_lease import is_being_checked
from automl.store.database import known_dataset, known_run
from automl.store.exports import is_being_made
from automl.store.tables import Artifact, Dataset, DatasetFile, Export, Run, SortedPhoto, Sorting, now
from automl.text.messages import store as store_messages

_UNFINISHED = [state for state in RunState if not state.is_finished()]
_MODELS = ("bundle", "best_so_far")


class BinKind(enum.StrEnum):
    """What can be deleted."""

    DATASET = "datasets"
    RUN = "runs"


_TABLES: dict[BinKind, type[Dataset] | type[Run]] = {BinKind.DATASET: Dataset, BinKind.RUN: Run}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What goes with a data set or a run.

    Attributes:
        n_photos: Photos that its check took, or files that have arrived where there was no check; 0 of a run.
        n_runs: Runs, those that are in the bin by themselves included; 1 for a run.
        n_models: Runs among them that have a model to download.
        n_sorted: Photos that their models have sorted, without those that are in the data set.
        n_bytes: Size of its files: uploads, models, plots, photos that were sorted.
    """

    n_photos: int
    n_runs: int
    n_models: int
    n_sorted: int
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BinEntry:
    """Something that is in the bin, or may go there.

    Attributes:
        kind: What it is.
        id: Its id.
        dataset: The data set, or that of the run.
        run: The run; None for a data set.
        contents: What goes with it.
    """

    kind: BinKind
    id: str
    dataset: Dataset
    run: Run | None
    contents: Contents

    @property
    def deleted_at(self) -> datetime | None:
        """Since when it is in the bin."""
        return (self.run or self.dataset).deleted_at

    @property
    def removal_at(self) -> datetime | None:
        """When it is removed for good."""
        return (self.run or self.dataset).removal_at

    @property
    def is_with_photos(self) -> bool:
        """Whether this is a run whose data set is in the bin, too, and has to be put back first."""
        return self.run is not None and self.dataset.deleted_at is not None


def put_into_bin(session: Session, kind: BinKind, thing_id: str, *, keep_s: float) -> None:
    """Hides a data set or a run; it is removed after `keep_s` seconds, at once where that is 0.

    For what is in the bin already, this sets when it is removed. A run must have ended or have been asked to.

    Raises:
        NotFound: There is none.
    """
    thing = _known(session, kind, thing_id)
    thing.deleted_at = thing.deleted_at or now()
    thing.removal_at = now() + timedelta(seconds=keep_s)


def put_back(session: Session, kind: BinKind, thing_id: str) -> None:
    """Puts a data set or a run back to where it was.

    Raises:
        NotFound: It is not in the bin, or its time is up.
        NotAllowedNow: It is a run whose data set is in the bin, too.
    """
    run = session.get(Run, thing_id) if kind is BinKind.RUN else None
    if run is not None and run.dataset.deleted_at is not None:
        raise NotAllowedNow(store_messages.PHOTOS_OF_RUN_IN_BIN)
    table = _TABLES[kind]
    back = update(table).where(table.id == thing_id, table.removal_at > now())
    if not session.execute(back.values(deleted_at=None, removal_at=None).returning(table.id)).all():
        raise NotFound(store_messages.GONE_FROM_BIN)


def bin_entry(session: Session, kind: BinKind, thing_id: str) -> BinEntry:
    """A data set or a run with what goes with it, whether it is in the bin or not.

    Raises:
        NotFound: There is none, or it is just being removed.
    """
    thing = _known(session, kind, thing_id)
    if thing.removal_at is not None and thing.removal_at <= now():
        raise NotFound(store_messages.GONE_FROM_BIN)
    return _entry(session, thing)


def bin_entries(session: Session, whose: ColumnElement[bool]) -> list[BinEntry]:
    """All that can be put back of the data sets for which `whose` holds, what was deleted last first."""
    datasets = session.scalars(select(Dataset).where(Dataset.removal_at > now(), whose)).all()
    runs = select(Run).where(Run.removal_at > now(), Run.dataset.has(whose)).options(joinedload(Run.dataset))
    things: list[Dataset | Run] = [*datasets, *session.scalars(runs)]
    return sorted(
        (_entry(session, thing) for thing in things),
        key=lambda entry: entry.deleted_at or now(),
        reverse=True,
    )


def due_datasets(session: Session) -> Sequence[str]:
    """Ids of the data sets whose time is up and that no run, check or export uses any more.

    A check and an export notice within seconds that a data set is deleted, and end.
    """
    of_it = Run.dataset_id == Dataset.id
    in_use = exists().where(of_it, or_(Run.state.in_(_UNFINISHED), is_being_made(Run.id)))
    due = select(Dataset.id).where(Dataset.removal_at <= now(), ~in_use, ~is_being_checked())
    return session.scalars(due).all()


def due_runs(session: Session) -> Sequence[str]:
    """Ids of the runs whose time is up and that no worker has any more."""
    is_due = (Run.removal_at <= now(), Run.state.not_in(_UNFINISHED), ~is_being_made(Run.id))
    return session.scalars(select(Run.id).where(*is_due)).all()


def hasten_oldest(session: Session) -> bool:
    """Makes what has been in the bin for longest due now; False where the bin is empty.

    What is due already, but not removed yet, counts: nothing else is made due before that is gone.
    """
    oldest: list[tuple[datetime, BinKind, str]] = []
    for kind, table in _TABLES.items():
        query = select(table.deleted_at, table.id).where(table.deleted_at.is_not(None))
        rows = session.execute(query.order_by(table.deleted_at).limit(1)).all()
        oldest += [(deleted_at, kind, thing_id) for deleted_at, thing_id in rows if deleted_at is not None]
    if not oldest:
        return False
    _, kind, thing_id = min(oldest)
    put_into_bin(session, kind, thing_id, keep_s=0.0)
    return True


def empty_bin(session: Session, whose: ColumnElement[bool]) -> None:
    """Makes all due now that is in the bin of the data sets for which `whose` holds."""
    dataset_ids = select(Dataset.id).where(whose)
    for table, dataset_id in ((Dataset, Dataset.id), (Run, Run.dataset_id)):
        due = update(table).where(table.removal_at > now(), dataset_id.in_(dataset_ids)).values(removal_at=now())
        session.execute(due, execution_options={"synchronize_session": False})


def _known(session: Session, kind: BinKind, thing_id: str) -> Dataset | Run:
    return known_run(session, thing_id) if kind is BinKind.RUN else known_dataset(session, thing_id)


def _entry(session: Session, thing: Dataset | Run) -> BinEntry:
    if isinstance(thing, Run):
        contents = _contents(session, [thing.id])
        return BinEntry(kind=BinKind.RUN, id=thing.id, dataset=thing.dataset, run=thing, contents=contents)
    run_ids = session.scalars(select(Run.id).where(Run.dataset_id == thing.id)).all()
    contents = _contents(session, run_ids, thing)
    return BinEntry(kind=BinKind.DATASET, id=thing.id, dataset=thing, run=None, contents=contents)


def _contents(session: Session, run_ids: Sequence[str], dataset: Dataset | None = None) -> Contents:
    made = [_bytes(session, table, table.run_id.in_(run_ids)) for table in (Artifact, Export)]
    models = select(func.count(Artifact.run_id.distinct()))
    models = models.where(Artifact.run_id.in_(run_ids), Artifact.kind.in_(_MODELS))
    sortings = select(Sorting.id).where(Sorting.run_id.in_(run_ids))
    sorted_by_them = SortedPhoto.sorting_id.in_(sortings) & SortedPhoto.added_at.is_(None)
    uploaded = _bytes(session, DatasetFile, DatasetFile.dataset_id == dataset.id) if dataset else 0
    n_sorted = select(func.count()).select_from(SortedPhoto).where(sorted_by_them, SortedPhoto.answer != "")
    return Contents(
        n_photos=_n_photos(session, dataset) if dataset else 0,
        n_runs=len(run_ids),
        n_models=session.scalar(models) or 0,
        n_sorted=session.scalar(n_sorted) or 0,
        n_bytes=uploaded + sum(made) + _bytes(session, SortedPhoto, sorted_by_them),
    )


def _n_photos(session: Session, dataset: Dataset) -> int:
    kept = (FileState.ACCEPTED, FileState.RECEIVED, FileState.EXCLUDED)
    query = select(func.count()).where(DatasetFile.dataset_id == dataset.id, DatasetFile.state.in_(kept))
    return session.scalar(query) or 0


def _bytes(
    session: Session, table: type[Artifact | Export | DatasetFile | SortedPhoto], condition: ColumnElement[bool]
) -> int:
    """Size of the files of these rows, added up."""
    return session.scalar(select(cast(func.coalesce(func.sum(table.n_bytes), 0), BigInteger)).where(condition)) or 0

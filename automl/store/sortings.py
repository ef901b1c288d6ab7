"""Photos that a model has sorted: looked at, decided about, and kept for a while after the last change.

Their bytes lie below those of the run's data set and share its fate. A photo that is added to the data set keeps its
bytes where they are: then two rows name one file, which stays until neither does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import BigInteger, ColumnElement, and_, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from automl.errors import NotFound
from automl.records import Decision, Origin
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database, find_run
from automl.store.tables import DatasetFile, Run, SortedPhoto, Sorting, now
from automl.text.messages import store as store_messages

_A_QUERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a person says of one photo.

    Attributes:
        decision: Never `Decision.OPEN`.
        label: The class; empty where he names none.
    """

    decision: Decision
    label: str = ""


def find_sorting(session: Session, run_id: str, sorting_id: str) -> Sorting:
    """A sorting of a run.

    Raises:
        NotFound: There is no such run, or no such sorting of it.
        InBin: The run is in the bin, or its data set is.
    """
    run = find_run(session, run_id)
    sorting = session.get(Sorting, sorting_id)
    if sorting is None or sorting.run_id != run.id:
        raise NotFound(store_messages.NO_SORTING)
    return sorting


def sortings_of(session: Session, run_id: str) -> Sequence[tuple[Sorting, int, int]]:
    """The sortings of a run, what was changed last first: each with its photos, and how many were looked at."""
    n_looked = func.count().filter(SortedPhoto.decision != Decision.OPEN)
    query = select(Sorting, func.count(SortedPhoto.id), n_looked).outerjoin(SortedPhoto, is_readable(SortedPhoto))
    rows = session.execute(
        query.where(Sorting.run_id == run_id).group_by(Sorting.id).order_by(Sorting.changed_at.desc())
    )
    return [(sorting, n, n_looked) for sorting, n, n_looked in rows]


def is_readable(photo: type[SortedPhoto]) -> ColumnElement[bool]:
    """The condition that a row is of a sorting, and a photo that the model has answered."""
    return and_(photo.sorting_id == Sorting.id, photo.answer != "")


def is_unsure(threshold: float | None) -> ColumnElement[bool]:
    """The condition that an answer does not count as sure: the model doubts, or has learned nothing like the photo."""
    is_foreign = func.coalesce(SortedPhoto.is_foreign, False)
    return or_(is_foreign, SortedPhoto.confidence < (0.0 if threshold is None else threshold))


def is_doubted(photo: SortedPhoto, threshold: float | None) -> bool:
    """Whether that condition holds for a photo."""
    return bool(photo.is_foreign) or (threshold is not None and photo.confidence < threshold)


def photos_in_turn(session: Session, sorting_id: str, after: int) -> Sequence[SortedPhoto]:
    """The next photos behind the one of number `after`, in the order in which they came, with their probabilities."""
    query = select(SortedPhoto).where(SortedPhoto.sorting_id == sorting_id, SortedPhoto.id > after)
    return session.scalars(
        query.order_by(SortedPhoto.id).limit(_A_QUERY).options(undefer(SortedPhoto.probabilities))
    ).all()


def all_photos(database: Database, sorting_id: str) -> Iterator[SortedPhoto]:
    """All photos of a sorting, a few hundred in memory at a time."""
    last = 0
    while True:
        with database.session() as session:
            photos = photos_in_turn(session, sorting_id, last)
        if not photos:
            return
        yield from photos
        last = photos[-1].id


def decide(session: Session, sorting: Sorting, verdicts: Mapping[int, Verdict]) -> None:
    """Writes what was said of photos of a sorting, by their numbers; numbers of others are ignored."""
    own = select(SortedPhoto.id).where(
        SortedPhoto.sorting_id == sorting.id, SortedPhoto.id.in_(verdicts), SortedPhoto.answer != ""
    )
    rows = [
        {"id": number, "decision": verdicts[number].decision, "label": verdicts[number].label}
        for number in session.scalars(own)
    ]
    if rows:
        session.execute(update(SortedPhoto), rows)
    sorting.changed_at = now()


def to_be_added(session: Session, sorting_id: str, *, threshold: float | None, also_unseen: bool) -> list[SortedPhoto]:
    """The photos that a person has named a class of, and, if asked for, those that the model alone is sure of.

    Without a threshold the model is sure of none. What was added before is left out.
    """
    named = SortedPhoto.decision == Decision.CLASS
    if also_unseen and threshold is not None:
        named = or_(named, and_(SortedPhoto.decision == Decision.OPEN, ~is_unsure(threshold)))
    query = select(SortedPhoto).where(SortedPhoto.sorting_id == sorting_id, SortedPhoto.answer != "", named)
    return list(session.scalars(query.where(SortedPhoto.added_at.is_(None)).order_by(SortedPhoto.id)))


def origin_of(photo: SortedPhoto) -> Origin:
    """How a photo comes into the data set when it is added now."""
    return Origin.UNSEEN if photo.decision is Decision.OPEN else Origin.CONFIRMED


def size_of_sortings(session: Session, dataset_id: str) -> tuple[int, int]:
    """How many files of how many bytes all sortings of a data set hold, without those that were added to it."""
    n_bytes = cast(func.coalesce(func.sum(SortedPhoto.n_bytes), 0), BigInteger)
    query = select(func.count(SortedPhoto.id), n_bytes).join(Sorting).join(Run, Sorting.run_id == Run.id)
    query = query.where(Run.dataset_id == dataset_id, SortedPhoto.added_at.is_(None))
    n_files, n_all = session.execute(query).one()
    return n_files, n_all


def due_sortings(session: Session, keep_s: float) -> Sequence[str]:
    """Ids of the sortings that nobody has changed for so long."""
    return session.scalars(select(Sorting.id).where(Sorting.changed_at < now() - timedelta(seconds=keep_s))).all()


def remove_sorting(database: Database, store: ArtifactStore, sorting_id: str) -> None:
    """Removes a sorting with its files, except those that were added to the data set.

    Rows go first: files that are left by an interruption belong to nothing then, and the sweeper finds them.
    """
    with database.session() as session:
        columns = select(SortedPhoto.key, SortedPhoto.thumbnail).where(SortedPhoto.sorting_id == sorting_id)
        keys = sorted({key for row in session.execute(columns) for key in row if key})
        session.execute(delete(SortedPhoto).where(SortedPhoto.sorting_id == sorting_id))
        session.execute(delete(Sorting).where(Sorting.id == sorting_id))
    for start in range(0, len(keys), _A_QUERY):
        some = keys[start : start + _A_QUERY]
        with database.session() as session:
            kept = set(session.scalars(select(DatasetFile.key).where(DatasetFile.key.in_(some))))
        for key in some:
            if key not in kept:
                store.delete(key)

"""What the page of sorted photos shows: the doubtful first, by what was said of them, a page at a time."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from automl.errors import NotAllowedNow
from automl.records import Decision
from automl.store.sortings import Verdict, is_doubted, is_unsure
from automl.store.tables import SortedPhoto, Sorting
from automl.text.messages import pages as page_messages
from automl.text.messages import server as server_messages

N_ON_A_PAGE = 48
MOST_BUTTONS = 6
"""Up to so many classes are beside each photo; more are in a list that opens."""

_DOUBTFUL_FIRST = (func.coalesce(SortedPhoto.is_foreign, False).desc(), SortedPhoto.confidence, SortedPhoto.id)

UNSURE, NONE = "unsure", "none"
"""What a form sends for the two answers that are no class; a class is sent as its number."""


class Filter(enum.StrEnum):
    """Which photos of a sorting are shown."""

    ALL = "all"
    DOUBTFUL = "doubtful"
    OPEN = "open"
    CORRECTED = "corrected"
    UNSURE = "unsure"
    NONE = "none"
    UNREAD = "unread"


TITLES: Mapping[Filter, str] = {
    Filter.ALL: page_messages.SORTED_ALL,
    Filter.DOUBTFUL: page_messages.SORTED_DOUBTFUL,
    Filter.OPEN: page_messages.SORTED_OPEN,
    Filter.CORRECTED: page_messages.SORTED_CORRECTED,
    Filter.UNSURE: page_messages.SORTED_UNSURE,
    Filter.NONE: page_messages.SORTED_NONE,
    Filter.UNREAD: page_messages.SORTED_UNREAD,
}
"""The links of the page, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRow:
    """A link that shows some of the photos.

    Attributes:
        filter: Which ones.
        title: What it says.
        n: Their number, among all photos.
    """

    filter: Filter
    title: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedClass:
    """A row of the table of classes.

    Attributes:
        label: Its name.
        n: Photos that are in it by now.
        n_unsure: Those among them that nobody has looked at and the model is not sure of.
        n_looked: Those among them that a person has looked at.
    """

    label: str
    n: int
    n_unsure: int
    n_looked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SortingView:
    """A page of sorted photos.

    Attributes:
        sorting: Its row.
        threshold: The confidence from which on the model's answers count as sure; None where there is none.
        kept_until: When it is removed, if nobody changes it before.
        filters: The links to some of the photos.
        classes: The table of classes; those with most photos first.
        shown: Which photos are shown.
        label: Of which class by now; None for any.
        photos: Those of this page.
        n_found: Those of all pages.
        page: Number of this page, from 1.
        pages: How many there are.
        n_photos: All photos that the model has answered.
        n_looked: Those that a person has looked at.
        n_named: Those that can be added to the data set because a person has named their class.
        n_unseen: Those that can be added because the model is sure, though nobody has looked at them.
        n_added: Those that were added before.
        just_added: How many the request before has added, and how many of its photos were there already; None where it
            was for something else.
    """

    sorting: Sorting
    threshold: float | None
    kept_until: datetime
    filters: tuple[FilterRow, ...]
    classes: tuple[SortedClass, ...]
    shown: Filter
    label: str | None
    photos: tuple[SortedPhoto, ...]
    n_found: int
    page: int
    pages: int
    n_photos: int
    n_looked: int
    n_named: int
    n_unseen: int
    n_added: int
    just_added: tuple[int, int] | None

    @property
    def has_buttons(self) -> bool:
        """Whether each photo has a button for each class."""
        return len(self.sorting.labels) <= MOST_BUTTONS

    def chosen(self, photo: SortedPhoto) -> str:
        """What is marked beside a photo, as a form sends it: the model's answer until somebody has looked at it."""
        named = {Decision.UNSURE: UNSURE, Decision.NONE: NONE}
        return named.get(photo.decision) or str(self.sorting.labels.index(photo.label))

    def is_doubted(self, photo: SortedPhoto) -> bool:
        """Whether the model's answer does not count as sure."""
        return is_doubted(photo, self.threshold)


def view_sorting(
    session: Session,
    sorting: Sorting,
    threshold: float | None,
    *,
    keep_s: float,
    shown: Filter,
    label: str | None,
    page: int,
    just_added: tuple[int, int] | None,
) -> SortingView:
    """The photos that were asked for; `keep_s`: how long a sorting is kept after its last change."""
    conditions = _conditions(threshold)
    counts = session.execute(_counts(sorting, conditions)).one()
    wanted = _wanted(sorting, threshold, shown=shown, label=label)
    n_found = session.scalar(select(func.count()).select_from(SortedPhoto).where(*wanted)) or 0
    pages = max(1, -(-n_found // N_ON_A_PAGE))
    page = min(page, pages)
    query = select(SortedPhoto).where(*wanted).order_by(*_DOUBTFUL_FIRST)
    photos = session.scalars(query.offset((page - 1) * N_ON_A_PAGE).limit(N_ON_A_PAGE)).all()
    numbers = dict(zip(conditions, counts, strict=False))
    n_looked, n_named, n_unseen, n_added = counts[len(conditions) :]
    return SortingView(
        sorting=sorting,
        threshold=threshold,
        kept_until=sorting.changed_at + timedelta(seconds=keep_s),
        filters=tuple(_rows(numbers, threshold)),
        classes=tuple(_classes(session, sorting, threshold)),
        shown=shown,
        label=label,
        photos=tuple(photos),
        n_found=n_found,
        page=page,
        pages=pages,
        n_photos=numbers[Filter.ALL],
        n_looked=n_looked,
        n_named=n_named,
        n_unseen=0 if threshold is None else n_unseen,
        n_added=n_added,
        just_added=just_added,
    )


def are_shown(
    session: Session,
    sorting: Sorting,
    threshold: float | None,
    *,
    shown: Filter,
    label: str | None,
    numbers: Sequence[int],
) -> bool:
    """Whether all photos of these numbers are among those that were asked for."""
    wanted = _wanted(sorting, threshold, shown=shown, label=label)
    query = select(func.count()).select_from(SortedPhoto).where(*wanted, SortedPhoto.id.in_(numbers))
    return session.scalar(query) == len(numbers)


def verdict_of(sorting: Sorting, text: str) -> Verdict:
    """What a form says of a photo: the number of a class, `UNSURE` or `NONE`.

    Raises:
        NotAllowedNow: The model knows no such class.
    """
    if text == UNSURE:
        return Verdict(decision=Decision.UNSURE)
    if text == NONE:
        return Verdict(decision=Decision.NONE)
    number = int(text) if text.isdecimal() and len(text) < 6 else len(sorting.labels)
    if number >= len(sorting.labels):
        raise NotAllowedNow(server_messages.NO_SUCH_VERDICT)
    return Verdict(decision=Decision.CLASS, label=sorting.labels[number])


def _wanted(
    sorting: Sorting, threshold: float | None, *, shown: Filter, label: str | None
) -> list[ColumnElement[bool]]:
    of_class = [] if label is None else [SortedPhoto.label == label]
    return [SortedPhoto.sorting_id == sorting.id, _conditions(threshold)[shown], *of_class]


def _conditions(threshold: float | None) -> dict[Filter, ColumnElement[bool]]:
    """Which photos each filter has, in the order of `Filter`."""
    is_photo, is_open = SortedPhoto.answer != "", SortedPhoto.decision == Decision.OPEN
    return {
        Filter.ALL: is_photo,
        Filter.DOUBTFUL: and_(is_photo, is_unsure(threshold)),
        Filter.OPEN: and_(is_photo, is_open),
        Filter.CORRECTED: and_(is_photo, ~is_open, SortedPhoto.label != SortedPhoto.answer),
        Filter.UNSURE: SortedPhoto.decision == Decision.UNSURE,
        Filter.NONE: SortedPhoto.decision == Decision.NONE,
        Filter.UNREAD: SortedPhoto.answer == "",
    }


def _counts(sorting: Sorting, conditions: Mapping[Filter, ColumnElement[bool]]) -> Select[*tuple[int, ...]]:
    """Of each filter; then looked at, named, sure but unseen, and added."""
    is_new, is_named = SortedPhoto.added_at.is_(None), SortedPhoto.decision == Decision.CLASS
    is_sure = and_(conditions[Filter.OPEN], ~conditions[Filter.DOUBTFUL])
    is_looked = and_(conditions[Filter.ALL], ~conditions[Filter.OPEN])
    more = (is_looked, and_(is_named, is_new), and_(is_sure, is_new), ~is_new)
    counts = [func.count().filter(condition) for condition in (*conditions.values(), *more)]
    return select(*counts).select_from(SortedPhoto).where(SortedPhoto.sorting_id == sorting.id)


def _rows(numbers: Mapping[Filter, int], threshold: float | None) -> Sequence[FilterRow]:
    """A filter that has no photo is left out, except those that a person starts from."""
    always = {Filter.ALL, Filter.OPEN} | ({Filter.DOUBTFUL} if threshold is not None else set())
    return [
        FilterRow(filter=one, title=title, n=numbers[one])
        for one, title in TITLES.items()
        if one in always or numbers[one]
    ]


def _classes(session: Session, sorting: Sorting, threshold: float | None) -> list[SortedClass]:
    is_open = SortedPhoto.decision == Decision.OPEN
    n_unsure = func.count().filter(and_(is_open, is_unsure(threshold)))
    n_looked = func.count().filter(~is_open)
    query = select(SortedPhoto.label, func.count(), n_unsure, n_looked).where(
        SortedPhoto.sorting_id == sorting.id, SortedPhoto.answer != "", SortedPhoto.label != ""
    )
    rows = session.execute(query.group_by(SortedPhoto.label).order_by(func.count().desc(), SortedPhoto.label))
    return [SortedClass(label=label, n=n, n_unsure=unsure, n_looked=looked) for label, n, unsure, looked in rows]


def asked_filter(text: str | None) -> Filter:
    """The filter that an address names; all photos where it names none that there is."""
    return Filter(text) if text in set(Filter) else Filter.ALL

"""What a run has gained by photos that a model had sorted and that were added since the run before."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.records import RunState
from automl.store.artifacts import ArtifactStore
from automl.store.tables import DatasetVersion, Run
from automl.text.messages import pages as page_messages
from automl.text.numbers import percent
from server.views.comparison import RARE_BY_LUCK, RunPair, compare_pairs
from server.views.rescored import rescored
from server.views.test_photos import answers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What came of sorted photos.

    Attributes:
        former: The run before they were added.
        words: How many there are, and what both runs were right on.
    """

    former: Run
    words: str


def gain_of(session: Session, store: ArtifactStore, run: Run) -> Gain | None:
    """None where no sorted photos have come since an earlier run, or there is none to compare with."""
    former = _former(session, run)
    if former is None or run.version is None or former.version is None:
        return None
    n_new = _n_sorted(run.version) - _n_sorted(former.version)
    if n_new <= 0:
        return None
    answers = [answers_of(session, store, one) for one in (run, former)]
    today = [None if of is None else rescored(session, run.dataset_id, of).answers for of in answers]
    pairs = compare_pairs(("", ""), today)
    compared = _compared(pairs[0]) if pairs else page_messages.GAIN_UNKNOWN
    return Gain(former=former, words=f"{page_messages.SORTED_CAME.format(n=n_new)} {compared}")


def _former(session: Session, run: Run) -> Run | None:
    """The latest run before this one that has a result and learned from an earlier version."""
    if run.version is None:
        return None
    query = select(Run).join(DatasetVersion, Run.version_id == DatasetVersion.id)
    query = query.where(Run.dataset_id == run.dataset_id, Run.state == RunState.DONE, Run.deleted_at.is_(None))
    query = query.where(Run.created_at < run.created_at, DatasetVersion.number < run.version.number)
    return session.scalars(query.order_by(Run.created_at.desc()).limit(1)).first()


def _n_sorted(version: DatasetVersion) -> int:
    return version.n_confirmed + version.n_unseen


def _compared(pair: RunPair) -> str:
    found = pair.difference
    if found is None:
        return page_messages.GAIN_UNKNOWN
    after, before = percent(found.n_first / found.n), percent(found.n_second / found.n)
    if found.lead == 0:
        return page_messages.GAIN_NONE.format(n=found.n, share=after)
    is_more = found.lead > 0
    message = page_messages.GAIN_MORE if is_more else page_messages.GAIN_LESS
    low, high = (found.low, found.high) if is_more else (-found.high, -found.low)
    figures = page_messages.GAIN_ON_COMMON.format(n=found.n, after=after, before=before)
    words = f"{figures} {message.format(points=100 * abs(found.lead), low=100 * low, high=100 * high)}"
    return words if pair.p_value < RARE_BY_LUCK else f"{words} {page_messages.GAIN_MAY_BE_LUCK}"

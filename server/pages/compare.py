"""Two to four runs of one data set side by side."""

from collections.abc import Sequence
from string import ascii_uppercase

from flask import Blueprint, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from automl.errors import NotAllowedNow, NotFound
from automl.records import RunState
from automl.store.database import find_dataset, find_run
from automl.store.results import report_of
from automl.store.tables import Dataset, Run
from automl.text.messages import server as server_messages
from server.services import services
from server.views.comparison import common_row, compare_pairs, compare_tests, figure_rows, made_rows
from server.views.rescored import RescoredAnswers, rescored
from server.views.test_photos import answers_of, photos_of_test

blueprint = Blueprint("compare", __name__, url_prefix="/datasets")

FEWEST, MOST = 2, 4


@blueprint.get("/<dataset_id>/compare")
def show(dataset_id: str) -> str:
    """`run`: ids of two to four finished runs; with fewer or more, the page asks which."""
    chosen = list(dict.fromkeys(request.args.getlist("run")))
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
        runs = _runs(session, dataset, chosen)
        if not FEWEST <= len(runs) <= MOST:
            done = [run for run in dataset.runs if run.state is RunState.DONE and run.deleted_at is None]
            return render_template(
                "compare/choose.html", dataset=dataset, runs=done, chosen=chosen, fewest=FEWEST, most=MOST
            )
        return render_template("compare/show.html", dataset=dataset, runs=runs, **_compared(session, runs))


def _runs(session: Session, dataset: Dataset, ids: Sequence[str]) -> list[Run]:
    """In the order of `ids`."""
    of_dataset = select(Run).where(Run.dataset_id == dataset.id, Run.id.in_(ids)).options(undefer(Run.result))
    by_id = {run.id: run for run in session.scalars(of_dataset)}
    if by_id.keys() != set(ids):
        raise NotFound(server_messages.OTHER_RUN_COMPARED)
    for one in ids:
        find_run(session, one)  # raises InBin, which says how to put a deleted one back
    if any(by_id[one].state is not RunState.DONE for one in ids):
        raise NotAllowedNow(server_messages.NO_RESULT_TO_COMPARE)
    return [by_id[one] for one in ids]


def _today(session: Session, run: Run) -> RescoredAnswers | None:
    answers = answers_of(session, services().store, run)
    return None if answers is None else rescored(session, run.dataset_id, answers)


def _compared(session: Session, runs: Sequence[Run]) -> dict[str, object]:
    names, store = ascii_uppercase[: len(runs)], services().store
    reports = [report_of(run) for run in runs]
    tests = compare_tests([photos_of_test(session, store, run) for run in runs])
    today = [_today(session, run) for run in runs]
    answers = [found.answers if found else None for found in today]
    n_corrected = max((found.n_corrected for found in today if found), default=0)
    common = None if tests.are_alike and not n_corrected else common_row(answers)
    return {
        "names": names,
        "tests": tests,
        "pairs": compare_pairs(names, answers),
        "n_corrected": n_corrected,
        "has_common": common is not None,
        "figures": [*([common] if common else []), *figure_rows(reports, tests.are_alike)],
        "is_held_out": all(report.score.is_held_out for report in reports),
        "made": made_rows(runs),
    }

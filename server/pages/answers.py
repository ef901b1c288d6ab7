"""The photos behind a result that were tested, and the correction of a label from there."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from automl.datasets.edits import EditKind, read_edit
from automl.errors import NotFound
from automl.records import RunState
from automl.store.database import find_run
from automl.store.results import report_of
from automl.store.tables import DatasetFile
from automl.text.messages import server as server_messages
from server.editing import add_edit
from server.forms import page_number, row_id
from server.services import services
from server.views.confusion import in_words
from server.views.dataset import labels_of
from server.views.seen_photos import SeenPhotos
from server.views.test_photos import AnsweredPhoto, answers_of

blueprint = Blueprint("answers", __name__, url_prefix="/runs")

N_ON_A_PAGE = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers are to be shown; where neither class is given, all mistakes.

    Attributes:
        really: The class of the photos; None for any.
        said: The class that the model named; None for any.
    """

    really: str | None
    said: str | None

    def of(self, answers: Sequence[AnsweredPhoto]) -> list[AnsweredPhoto]:
        """The mistakes first, the most confident of these first."""
        found = [answer for answer in answers if self._has(answer)]
        return sorted(found, key=lambda answer: (answer.is_right, -answer.confidence, answer.name))

    def _has(self, answer: AnsweredPhoto) -> bool:
        if self.really is None and self.said is None:
            return not answer.is_right
        return self.really in (None, answer.really) and self.said in (None, answer.said)


@blueprint.get("/<run_id>/answers")
def show(run_id: str) -> str:
    """Tested photos with what was said of them, by their class (`really`), by the answer (`said`), or by both."""
    wanted = Wanted(request.args.get("really"), request.args.get("said"))
    with services().database.session() as session:
        run = find_run(session, run_id)
        answers = answers_of(session, services().store, run) if run.state is RunState.DONE else None
        if answers is None:
            raise NotFound(server_messages.NO_ANSWERS)
        report = report_of(run)
        if not {wanted.really, wanted.said} <= {None, *report.classes}:
            raise NotFound(server_messages.RUN_HAS_NO_CLASS)
        found = wanted.of(answers)
        pages = max(1, -(-len(found) // N_ON_A_PAGE))
        page = min(page_number(request.args), pages)
        shown = found[(page - 1) * N_ON_A_PAGE : page * N_ON_A_PAGE]
        photos = SeenPhotos(session, run.dataset_id, (answer.sha256 for answer in shown))
        return render_template(
            "runs/answers.html",
            run=run,
            dataset=run.dataset,
            wanted=wanted,
            is_held_out=report.score.is_held_out,
            title=in_words(len(found), wanted.really, wanted.said),
            shown=[(answer, photos.find(answer.sha256, answer.name, answer.really)) for answer in shown],
            n_mistakes=sum(not answer.is_right for answer in answers),
            labels=labels_of(run.dataset),
            page=page,
            pages=pages,
        )


@blueprint.post("/<run_id>/labels")
def correct(run_id: str) -> ResponseReturnValue:
    """Gives one photo (`file`) of the run's data set another class (`to`), and leads back to where the form was."""
    dataset_id, file_id = _photo_of(run_id)
    add_edit(services(), dataset_id, read_edit(EditKind.MOVE, {"files": [file_id], "to": request.form.get("to")}))
    if request.form.get("back") == "answers":
        really, said, page = map(request.form.get, ("really", "said", "page"))
        return redirect(url_for("answers.show", run_id=run_id, really=really, said=said, page=page), 303)
    if request.form.get("back") == "suspects":
        return redirect(url_for("results.doubts", run_id=run_id, _anchor="suspects"), 303)
    return redirect(url_for("results.mistakes", run_id=run_id, _anchor="mistakes"), 303)


@blueprint.post("/<run_id>/confirmed")
def confirm(run_id: str) -> ResponseReturnValue:
    """The label of one photo (`file`) of the run's data set is right, whatever models make of it."""
    dataset_id, file_id = _photo_of(run_id)
    add_edit(services(), dataset_id, read_edit(EditKind.CONFIRM, {"files": [file_id]}))
    return redirect(url_for("results.doubts", run_id=run_id, _anchor="suspects"), 303)


def _photo_of(run_id: str) -> tuple[str, int]:
    """The data set of a run, and the photo of it that the form means.

    Raises:
        NotFound: There is no such run, or no such photo.
    """
    file_id = row_id(request.form.get("file", 0, type=int))
    with services().database.session() as session:
        dataset_id = find_run(session, run_id).dataset_id
        file = session.get(DatasetFile, file_id)
        if file is None or file.dataset_id != dataset_id:
            raise NotFound(server_messages.PHOTO_GONE)
    return dataset_id, file_id

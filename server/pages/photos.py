"""One photo by itself: large, with what is known of it, what a model says, and the ways to correct its label.

The viewer that lies over other pages shows the same, so nothing here needs a script.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import JsonValue
from sqlalchemy.orm import Session

from automl.datasets.edits import Edit, EditKind, read_edit
from automl.errors import BadBundle, NotAllowedNow, NotFound
from automl.records import RunState
from automl.store.database import find_dataset
from automl.store.results import report_of
from automl.store.tables import DatasetFile, Run
from automl.text.messages import datasets as dataset_messages
from server.answering import Answer, Refusal, answer_for_stored, ask, large_picture
from server.editing import add_edit, undo_edit
from server.forms import row_id
from server.jobs import find_run_of
from server.services import services
from server.views.dataset import labels_of
from server.views.photo import PhotoView, answer_in_test, view_photo
from server.views.test_photos import AnsweredPhoto

blueprint = Blueprint("photos", __name__, url_prefix="/datasets/<dataset_id>/photos/<int:file_id>")

NONE_OF_THESE = "/"
"""Stands for no class where a class is chosen: no class can be called so."""

_PICTURE_AGE_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsWord:
    """What a run says of a photo.

    Attributes:
        run: The run.
        tested: What it recorded of the photo when it was tested with it; None where it was not.
        is_held_out: Whether the delivered model itself gave that answer, since it had not learned from the photo.
        said: Number of the class that a heat map is to be of; None for that of the model's own answer.
    """

    run: Run
    tested: AnsweredPhoto | None
    is_held_out: bool
    said: int | None


@blueprint.get("")
def show(dataset_id: str, file_id: int) -> str:
    """The photo; with `run`, also what the model of that run says of it. `said`: a class, for the heat map."""
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
        view = view_photo(session, dataset, file_id)
        word = _word_of_run(session, dataset_id, file_id)
    is_part = request.headers.get("X-Requested-With") == "viewer.js"
    return render_template(
        "datasets/_photo.html" if is_part else "datasets/photo.html",
        dataset=dataset,
        view=view,
        labels=labels_of(dataset),
        none_of_these=NONE_OF_THESE,
        word=word,
        answer=_answer(word, view) if word else None,
    )


@blueprint.get("/picture")
def picture(dataset_id: str, file_id: int) -> ResponseReturnValue:
    """A large copy, drawn anew: no bytes of an upload are ever sent back."""
    with services().database.session() as session:
        key = view_photo(session, find_dataset(session, dataset_id), file_id).key
    response = Response(large_picture(services(), key), mimetype="image/jpeg")
    response.cache_control.private = True
    response.cache_control.max_age = _PICTURE_AGE_S
    return response


@blueprint.post("")
def change(dataset_id: str, file_id: int) -> ResponseReturnValue:
    """Corrects the label (`to`), says that it is right (`kind`), or takes one change back (`undo`)."""
    if undone := request.form.get("undo", 0, type=int):
        undo_edit(services(), dataset_id, undone)
    else:
        add_edit(services(), dataset_id, _edit(file_id))
    run, said = (request.form.get(name) or None for name in ("run", "said"))
    return redirect(url_for("photos.show", dataset_id=dataset_id, file_id=file_id, run=run, said=said), 303)


def _edit(file_id: int) -> Edit:
    """Raises BadSetting: nothing was chosen."""
    files: list[JsonValue] = [row_id(file_id)]
    to = request.form.get("to", "")
    if request.form.get("kind") == EditKind.CONFIRM:
        return read_edit(EditKind.CONFIRM, {"files": files})
    if to == NONE_OF_THESE:
        return read_edit(EditKind.EXCLUDE, {"files": files}, dataset_messages.NONE_OF_THESE_LEFT_OUT.format(n=1))
    return read_edit(EditKind.MOVE, {"files": files, "to": to})


def _word_of_run(session: Session, dataset_id: str, file_id: int) -> RunsWord | None:
    """None where no run is asked about.

    Raises:
        NotFound: The data set has no such run.
    """
    run_id, said = request.args.get("run"), request.args.get("said")
    if not run_id:
        return None
    run = find_run_of(session, dataset_id, run_id)
    file = session.get_one(DatasetFile, row_id(file_id))
    report = report_of(run) if run.state is RunState.DONE else None
    return RunsWord(
        run=run,
        tested=answer_in_test(session, services().store, run, file.sha256) if report else None,
        is_held_out=report.score.is_held_out if report else False,
        said=report.classes.index(said) if report and said in report.classes else None,
    )


def _answer(word: RunsWord, view: PhotoView) -> Answer | Refusal | None:
    """What the model of a run says of a photo; None where it has none any more, or none that can be opened."""
    try:
        return answer_for_stored(ask(services(), word.run.id), key=view.key, name=view.photo.name)
    except (BadBundle, NotAllowedNow, NotFound):
        return None

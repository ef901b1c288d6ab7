"""The page on which a model is tried on photos. No photo is kept unless the user adds it to the data set."""

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from automl.errors import NotFound
from automl.store.dataset_files import unlabelled_files
from automl.store.sortings import sortings_of
from automl.store.tables import DatasetFile
from automl.text.messages import server as server_messages
from server.answering import (
    MAX_PHOTO_BYTES,
    Answer,
    Asked,
    Refusal,
    answers,
    answers_for_stored,
    ask,
    data_uri,
    heat_picture,
    table_of,
)
from server.forms import row_id
from server.security import CAMERA
from server.services import services
from server.uploads.multipart import read_parts
from server.views.run import unpacked_score

blueprint = Blueprint("try_it", __name__, url_prefix="/runs")
blueprint.add_app_template_filter(data_uri)

_HEAT_AGE_S = 3600


@blueprint.get("/<run_id>/try")
def show(run_id: str) -> ResponseReturnValue:
    return _page(ask(services(), run_id))


@blueprint.post("/<run_id>/try")
def answer(run_id: str) -> ResponseReturnValue:
    """Answers for the photos of the form: a part of the page for the page's script, the whole page without it."""
    request.max_content_length = services().settings.max_request_bytes
    asked = ask(services(), run_id)
    by_script = request.headers.get("X-Requested-With") == "try.js"
    found = list(answers(asked, read_parts(request), with_picture=True, with_heat=not by_script))
    if by_script:
        return render_template("try_it/_answers.html", answers=found, **_names(asked))
    return _page(asked, found)


@blueprint.get("/<run_id>/unlabelled.csv")
def unlabelled(run_id: str) -> ResponseReturnValue:
    """What the model says of the photos of the data set that have no class, as a table that is sent as it grows."""
    asked = ask(services(), run_id)
    with services().database.session() as session:
        files = unlabelled_files(session, asked.run.dataset_id)
    response = Response(table_of(answers_for_stored(asked, files), asked.labels), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="photos_without_a_class.csv")
    return response


@blueprint.get("/<run_id>/photos/<int:file_id>/heat.<any(png, jpg):form>")
def heat(run_id: str, file_id: int, form: str) -> ResponseReturnValue:
    """A photo of the run's data set with its heat map for the class whose number is the query's `said`.

    A small `.png` stands beside other pictures, a large `.jpg` is looked at by itself.
    """
    asked = ask(services(), run_id)
    with services().database.session() as session:
        file = session.get(DatasetFile, row_id(file_id))
    if file is None or file.dataset_id != asked.run.dataset_id or not file.key:
        raise NotFound(server_messages.NO_PHOTO)
    with services().store.as_file(file.key) as source:
        picture = heat_picture(asked, source, request.args.get("said", type=int), is_large=form == "jpg")
    response = Response(picture, mimetype="image/jpeg" if form == "jpg" else "image/png")
    response.cache_control.private = True
    response.cache_control.max_age = _HEAT_AGE_S
    return response


def _page(asked: Asked, found: list[Answer | Refusal] | None = None) -> ResponseReturnValue:
    with services().database.session() as session:
        sortings = sortings_of(session, asked.run.id)
    page = render_template(
        "try_it/show.html",
        answers=found or [],
        sortings=sortings,
        max_photo_bytes=MAX_PHOTO_BYTES,
        is_final=asked.is_final,
        packed=asked.artifact,
        unpacked_score=unpacked_score(asked.run, asked.artifact),
        **_names(asked),
    )
    response = make_response(page)
    response.headers["Permissions-Policy"] = CAMERA
    return response


def _names(asked: Asked) -> dict[str, object]:
    return {
        "run": asked.run,
        "dataset": asked.run.dataset,
        "labels": asked.labels,
        "threshold": asked.threshold,
        "can_tell": asked.can_tell_foreign,
    }

"""The part of the API that asks a model, and that takes in what people say of its answers."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import structlog
from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from automl.errors import BadUpload
from automl.store.database import find_run
from automl.text.messages import server as server_messages
from server.answering import Answer, Refusal, answers, ask, data_uri, row_of, table_of, whole_photo
from server.api.bodies import PredictionQuery, checked
from server.api.resources.prediction import (
    FeedbackResource,
    PredictionListResource,
    PredictionResource,
    UnreadPhotoResource,
)
from server.api.resources.resource import respond
from server.jobs import start_check
from server.services import services
from server.task_queue import QueueUnavailable
from server.template_filters import csv_line
from server.uploads.multipart import FieldPart, FilePart, read_parts, read_photos
from server.uploads.receive import checked_label, take_upload

_log = structlog.stdlib.get_logger(__name__)

blueprint = Blueprint("try_api", __name__, url_prefix="/api/v1")


@blueprint.post("/runs/<run_id>/predict")
def predict(run_id: str) -> ResponseReturnValue:
    """What the model says of each photo of the form, in order, or of the photo that the body is. None is kept.

    The query is a `PredictionQuery`. A header Accept that prefers text/csv is as good as `as=csv`.
    """
    request.max_content_length = services().settings.max_request_bytes
    asked = ask(services(), run_id)
    query = checked(PredictionQuery, request.args)
    as_csv = query.form == "csv" or _prefers_csv()
    # All of them first: a client that is still sending does not read, and a broken form must not end half a table.
    found = list(answers(asked, read_photos(request), with_heat=query.heat and not as_csv))
    if as_csv:
        return Response(table_of(found, asked.labels), mimetype="text/csv")
    return respond(PredictionListResource([_shown(one, asked.labels, with_row=query.row) for one in found]))


def _prefers_csv() -> bool:
    types = ("application/json", "text/csv")
    return request.accept_mimetypes.best_match(types, "application/json") == "text/csv"


@blueprint.post("/runs/<run_id>/feedback")
def add_feedback(run_id: str) -> ResponseReturnValue:
    """Adds photos to the run's data set as `label`, and has it checked. They count from the next run on.

    Where the check cannot be started they stay all the same, and `checking` is false: a button on the page of the data
    set starts it later, and so does the next run.
    """
    request.max_content_length = services().settings.max_request_bytes
    with services().database.session() as session:
        dataset_id = find_run(session, run_id).dataset_id
    upload = take_upload(services(), _labelled(read_parts(request)), dataset_id)
    if upload.n_received == 0:
        raise BadUpload(server_messages.NO_PHOTO_ARRIVED)
    try:
        start_check(services(), dataset_id)
        is_checking = True
    except QueueUnavailable as error:
        _log.warning("a check could not be queued", code=error.code, reason=error.message)
        is_checking = False
    feedback = FeedbackResource(
        received=upload.n_received,
        label=upload.label,
        dataset=dataset_id,
        url=url_for("datasets.show", dataset_id=dataset_id),
        checking=is_checking,
    )
    return respond(feedback, 202)


def _labelled(parts: Iterable[FilePart | FieldPart]) -> Iterator[FilePart | FieldPart]:
    """The same parts, the photos under names that follow from their bytes: one that is sent again, from wherever, is
    the same file.

    Raises:
        BadUpload: a photo comes before its class.
        BadImage: a file is larger than a photo may be.
    """
    is_labelled = False
    for part in parts:
        if isinstance(part, FieldPart):
            if part.name == "label":
                is_labelled = checked_label(part.value) is not None
            yield part
        elif is_labelled:
            yield _named_by_content(part)
        else:
            raise BadUpload(server_messages.LABEL_MISSING)


def _named_by_content(photo: FilePart) -> FilePart:
    content = whole_photo(photo.body)
    digest = hashlib.sha256(content.getbuffer()).hexdigest()[:16]
    return FilePart(f"tried-{digest}{PurePosixPath(photo.name).suffix.lower()[:10]}", content)


def _shown(one: Answer | Refusal, labels: tuple[str, ...], with_row: bool) -> PredictionResource | UnreadPhotoResource:
    """Parts that were not asked for are not set, so they are not in the JSON."""
    row = {"row": csv_line(row_of(one, labels))} if with_row else {}
    if isinstance(one, Refusal):
        return UnreadPhotoResource(name=one.name, error=one.reason, **row)
    heat = {"heat": data_uri(one.heat)} if one.heat else {}
    return PredictionResource(
        name=one.name,
        label=one.label,
        confidence=round(one.confidence, 6),
        sure=one.sure,
        foreign=one.is_foreign,
        probabilities={label: round(float(p), 6) for label, p in zip(labels, one.probabilities, strict=True)},
        latency_ms=round(one.latency_s * 1000, 1),
        **heat,
        **row,
    )

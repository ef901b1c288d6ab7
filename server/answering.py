"""Answers questions about photos with the model of a run. The photos are only held in memory, one at a time."""

import base64
import io
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO

import numpy as np
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.datasets.data_file import DataFile
from automl.errors import BadBundle, BadImage, BadUpload, NotAllowedNow, NotFound
from automl.images.decoding.orders import Redraw, Redrawn, Show, Shown
from automl.serving.answer_table import answered_row, header, refused_row
from automl.serving.heat import on_photo, overlay, shown
from automl.serving.model_cache import OpenModel
from automl.serving.predict import first_of, is_foreign
from automl.store.database import find_run
from automl.store.results import part_of_report
from automl.store.tables import Artifact, Run
from automl.text.messages import server as server_messages
from automl.text.messages import tables as table_messages
from automl.text.numbers import size_in_words
from server.downloads.members import read_member
from server.errors import TooBusy
from server.heat_maps import explained
from server.services import Services
from server.template_filters import csv_line
from server.uploads.multipart import FieldPart, FilePart
from server.views.run import downloadable

MAX_PHOTO_BYTES = 64 << 20
MAX_PHOTOS = 500
PICTURE_PX = 320
"""Longer side of the small pictures in answers, in pixels."""

LARGE_PX = 1600
"""Longer side of a picture that is looked at by itself, in pixels."""

_AT_ONCE = 2
_LONGEST_WAIT_S = 20.0

Photo = Path | bytes
"""A stored photo, or one that has just arrived."""

_turns = BoundedSemaphore(_AT_ONCE)  # decoding needs much memory and time, and pages must stay quick meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The opened model of a run."""

    services: Services
    run: Run
    artifact: Artifact
    model: OpenModel
    threshold: float | None
    """Confidence (0-1) from which an answer counts as sure; None if the run found none, and nobody chose one."""

    @property
    def labels(self) -> tuple[str, ...]:
        return self.model.classifier.labels

    @property
    def is_final(self) -> bool:
        """Whether it is the model that the run has delivered, and not its best so far."""
        return self.artifact.kind == "bundle"

    @property
    def can_tell_foreign(self) -> bool:
        """Whether the model can say of a photo that it looks like nothing it has learned."""
        return self.model.classifier.foreign is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says about one photo."""

    name: str
    labels: tuple[str, ...]
    probabilities: np.ndarray
    """float32 (n_classes,), in the order of `labels`."""
    threshold: float | None
    is_foreign: bool | None
    """Whether it looks like nothing that the model has learned; None where the model cannot tell."""
    latency_s: float
    """Seconds from the bytes of the photo to the probabilities."""
    picture: bytes = b""
    """A small JPEG of the photo, if it was asked for."""
    heat: bytes = b""
    """The same with its heat map, if it was asked for and the model can be explained."""

    @property
    def best(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def label(self) -> str:
        return self.labels[self.best]

    @property
    def confidence(self) -> float:
        return float(self.probabilities[self.best])

    @property
    def sure(self) -> bool | None:
        """Whether the confidence reaches the threshold; None without a threshold."""
        return None if self.threshold is None else self.confidence >= self.threshold

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """Every class with its probability, the likeliest first."""
        return [(self.labels[i], float(self.probabilities[i])) for i in np.argsort(-self.probabilities, kind="stable")]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is not a readable picture, and the reason."""

    name: str
    reason: str


def ask(services: Services, run_id: str) -> Asked:
    """The final model of a run, or its best so far.

    Raises:
        NotFound: no such run.
        NotAllowedNow: it has no model yet.
        BadBundle: its model cannot be opened.
    """
    with services.database.session() as session:
        run = find_run(session, run_id)
        artifact = downloadable(session, run)
        if artifact is None:
            raise NotAllowedNow(server_messages.NO_MODEL_TO_TRY)
        threshold = sure_from(session, run) if artifact.kind == "bundle" else None
    model = services.models.get(artifact.id, lambda: read_member(services.store, artifact.key, "model.onnx"))
    return Asked(services=services, run=run, artifact=artifact, model=model, threshold=threshold)


def sure_from(session: Session, run: Run) -> float | None:
    """The confidence, 0-1, from which on answers count as sure: that of the run's user, else the calibrated one.

    That is read from the result by the database, since the whole result may be long and this is done for every request.
    """
    if run.sure_threshold is not None:
        return run.sure_threshold
    return session.scalar(select(part_of_report("calibration", "threshold").as_float()).where(Run.id == run.id))


def answers(
    asked: Asked, parts: Iterable[FilePart | FieldPart], *, with_picture: bool = False, with_heat: bool = False
) -> Iterator[Answer | Refusal]:
    """An answer for each file of a form, in order. No photo is kept.

    Raises:
        BadUpload: the form is damaged, or contains no photo, or too many.
        TooBusy: too many photos are being decoded at the moment.
    """
    n_photos = 0
    for part in parts:
        if isinstance(part, FieldPart):
            continue
        n_photos += 1
        if n_photos > MAX_PHOTOS:
            raise BadUpload(server_messages.TOO_MANY_PHOTOS.format(most=MAX_PHOTOS))
        try:
            photo = whole_photo(part.body).getvalue()
            yield _answer(asked, name=part.name, photo=photo, with_picture=with_picture, with_heat=with_heat)
        except BadImage as error:
            yield Refusal(part.name, error.message)
    if n_photos == 0:
        raise BadUpload(server_messages.NO_PHOTO_TO_ANSWER)


def answer_or_refusal(asked: Asked, name: str, photo: Photo, *, with_picture: bool) -> Answer | Refusal:
    """What the model says of one photo; all that is said of photos that are kept comes from here.

    Raises:
        TooBusy: too many photos are being decoded at the moment.
    """
    try:
        return _answer(asked, name=name, photo=photo, with_picture=with_picture, with_heat=False)
    except BadImage as error:
        return Refusal(name, error.message)


def answers_for_stored(asked: Asked, files: Iterable[DataFile]) -> Iterator[Answer | Refusal]:
    """An answer for each of some files of the run's data set, in order."""
    for file in files:
        yield answer_for_stored(asked, key=file.key, name=file.name)


def answer_for_stored(asked: Asked, *, key: str, name: str) -> Answer | Refusal:
    """An answer for one photo in the store."""
    try:
        with asked.services.store.as_file(key) as photo:
            return answer_or_refusal(asked, name, photo, with_picture=False)
    except TooBusy as error:
        return Refusal(name, error.message)
    except NotFound:
        return Refusal(name, table_messages.PHOTO_GONE)


def table_of(found: Iterable[Answer | Refusal], labels: tuple[str, ...]) -> Iterator[str]:
    """The lines of the table of answers, as `automl predict --csv` writes it."""
    yield csv_line(header(labels))
    for one in found:
        yield csv_line(row_of(one, labels))


def row_of(one: Answer | Refusal, labels: tuple[str, ...]) -> list[str]:
    """The row of a photo in the table of answers."""
    if isinstance(one, Refusal):
        return refused_row(one.name, labels, one.reason)
    return answered_row(one.name, labels, one.probabilities, threshold=one.threshold, is_foreign=one.is_foreign)


def large_picture(services: Services, key: str) -> bytes:
    """A JPEG of a stored photo, large enough to be looked at by itself. It is drawn anew: no bytes of it are sent back.

    Raises:
        NotFound: it is gone, or it is no photo.
        TooBusy: too many photos are being decoded at the moment.
    """
    with services.store.as_file(key) as photo, _turn(services):
        answer = services.decoders.answer(Redraw(path=photo, longest_px=LARGE_PX))
    if not isinstance(answer, Redrawn):
        raise NotFound(server_messages.NO_PHOTO)
    return answer.jpeg


def heat_picture(asked: Asked, photo: Path, said: int | None, *, is_large: bool) -> bytes:
    """The photo with its heat map for the class number `said`, or for the model's own answer if that is None.

    It is a small PNG, or a large JPEG.

    Raises:
        NotFound: it is not a photo, the model has no such class, or it cannot be explained.
        TooBusy: too many photos are being decoded at the moment.
    """
    with _turn(asked.services):
        try:
            picture = _explain(asked, _seen(asked, photo, small_px=LARGE_PX if is_large else PICTURE_PX), said)
        except (BadBundle, BadImage, ValueError) as error:
            raise NotFound(server_messages.NO_HEAT_MAP) from error
    return _encoded(picture, "JPEG" if is_large else "PNG")


def _answer(asked: Asked, *, name: str, photo: Photo, with_picture: bool, with_heat: bool) -> Answer:
    with _turn(asked.services):
        began = time.perf_counter()
        seen = _seen(asked, photo, small_px=PICTURE_PX if with_picture or with_heat else 0)
        probabilities, distance = first_of(*asked.model.classifier.ask_arrays(seen.square[np.newaxis]))
        latency_s = time.perf_counter() - began
        asked.services.figures.prediction_seconds.observe(latency_s)
        heat = _heat_or_nothing(asked, seen) if with_heat else b""
        picture = _encoded(Image.fromarray(seen.small), "JPEG") if with_picture and seen.small is not None else b""
    return Answer(
        name=name,
        labels=asked.labels,
        probabilities=probabilities,
        threshold=asked.threshold,
        is_foreign=is_foreign(distance, asked.model.classifier.foreign) if asked.can_tell_foreign else None,
        latency_s=latency_s,
        picture=picture,
        heat=heat,
    )


def _seen(asked: Asked, photo: Photo, *, small_px: int) -> Shown:
    """The photo as the model is to see it. Raises BadImage."""
    classifier = asked.model.classifier
    answer = asked.services.decoders.answer(
        Show(
            photo=photo,
            size_px=classifier.size_px,
            rules=classifier.rules,
            small_px=small_px,
        )
    )
    if isinstance(answer, Exception):
        raise answer
    assert isinstance(answer, Shown)
    return answer


def _heat_or_nothing(asked: Asked, seen: Shown) -> bytes:
    try:
        return _encoded(_explain(asked, seen, None), "JPEG")
    except BadBundle:
        return b""  # a model that cannot be explained still answers


def _explain(asked: Asked, seen: Shown, said: int | None) -> Image.Image:
    """The small picture with its heat map."""
    assert seen.small is not None
    model = explained(asked.services, asked.run, artifact=asked.artifact, model=asked.model, read=_reader(asked))
    _, found = model.explain(seen.square[np.newaxis], said)
    height, width, _ = seen.small.shape
    heat = on_photo(shown(found.heat)[0], (width, height), asked.model.classifier.rules.aspect)
    return Image.fromarray(overlay(seen.small, heat))


def _reader(asked: Asked) -> Callable[[str], bytes]:
    return lambda name: read_member(asked.services.store, asked.artifact.key, name)


def _encoded(image: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, quality=80)
    return buffer.getvalue()


def data_uri(jpeg: bytes) -> str:
    """An address for `<img>` that contains the picture itself, so that the server need not keep it."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def whole_photo(body: IO[bytes]) -> io.BytesIO:
    """All bytes of a photo, to be read from the start. Raises BadImage if there are more than `MAX_PHOTO_BYTES`."""
    buffer = io.BytesIO()
    while chunk := body.read():
        if buffer.tell() + len(chunk) > MAX_PHOTO_BYTES:
            raise BadImage(server_messages.PHOTO_TOO_LARGE.format(most=size_in_words(MAX_PHOTO_BYTES)))
        buffer.write(chunk)
    buffer.seek(0)
    return buffer


@contextmanager
def _turn(services: Services) -> Iterator[None]:
    with services.figures.waiting_for("decoding"):
        has_turn = _turns.acquire(timeout=_LONGEST_WAIT_S)
    if not has_turn:
        raise TooBusy(server_messages.TOO_BUSY)
    try:
        yield
    finally:
        _turns.release()

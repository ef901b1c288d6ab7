"""Photos without a class that a model has sorted: shown, corrected, downloaded, added to the data set, deleted."""

from collections.abc import Mapping

from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from automl.errors import BadUpload, NotFound
from automl.store.database import find_run
from automl.store.shares import Right
from automl.store.sortings import Verdict, decide, find_sorting, remove_sorting
from automl.store.tables import SortedPhoto, Sorting
from automl.text.messages import server as server_messages
from server.access import right_of_visitor
from server.answering import MAX_PHOTO_BYTES, sure_from
from server.downloads.sorted_photos import SortedTable, folders_zip
from server.downloads.thumbnails import send_small_copy
from server.forms import page_number, row_id
from server.services import services
from server.sorting import add_sorted, sort_photos, start_sorting
from server.template_filters import clean_name
from server.uploads.multipart import read_parts
from server.views.sorting import (
    NONE,
    UNSURE,
    SortingView,
    are_shown,
    asked_filter,
    verdict_of,
    view_sorting,
)

blueprint = Blueprint("sorting", __name__, url_prefix="/runs/<run_id>/sorted")

_FIELD = "photo-"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.post("")
def create(run_id: str) -> ResponseReturnValue:
    """The plain form of the page on which a model is tried: all photos in one request."""
    sorting_id = start_sorting(services(), run_id, clean_name(""))
    try:
        n_files = _take_form(run_id, sorting_id)
    except Exception:
        _remove_if_empty(run_id, sorting_id)
        raise
    if n_files == 0:
        _remove_if_empty(run_id, sorting_id)
        raise BadUpload(server_messages.NO_PHOTO_TO_ANSWER)
    return _to_page(run_id, sorting_id)


@blueprint.get("/<sorting_id>")
def show(run_id: str, sorting_id: str) -> str:
    """`show`: the photos of one `Filter`; `label`: those of one class by now; `page`."""
    return _render("sorting/show.html", run_id, sorting_id)


@blueprint.post("/<sorting_id>/photos")
def add_photos(run_id: str, sorting_id: str) -> ResponseReturnValue:
    """More photos, by the plain form of the page."""
    _take_form(run_id, sorting_id)
    return _to_page(run_id, sorting_id)


@blueprint.post("/<sorting_id>/verdicts")
def say(run_id: str, sorting_id: str) -> ResponseReturnValue:
    """What a person says of photos: fields `photo-<number>`, each with what `verdict_of` reads.

    The script of the page sends one photo at a time and gets the figures of the page; the form sends a whole page, and
    goes on to the next one.
    """
    shown, label = asked_filter(request.form.get("show")), request.form.get("label")
    with services().database.session() as session:
        sorting = find_sorting(session, run_id, sorting_id)
        verdicts = _verdicts(sorting, request.form)
        decide(session, sorting, verdicts)
        threshold = sure_from(session, sorting.run)
        all_stay = are_shown(session, sorting, threshold, shown=shown, label=label, numbers=list(verdicts))
    if request.headers.get("X-Requested-With") == "sorting.js":
        return _render("sorting/_figures.html", run_id, sorting_id)
    # Where photos have left those that are shown, the next ones have come to this page.
    page = page_number(request.form) + (1 if all_stay else 0)
    return redirect(
        url_for("sorting.show", run_id=run_id, sorting_id=sorting_id, show=shown, label=label, page=page), 303
    )


@blueprint.get("/<sorting_id>/thumbnails/<int:photo_id>")
def thumbnail(run_id: str, sorting_id: str, photo_id: int) -> ResponseReturnValue:
    """A small copy, drawn anew: no bytes of an upload are shown in a page."""
    with services().database.session() as session:
        find_sorting(session, run_id, sorting_id)
        photo = session.get(SortedPhoto, row_id(photo_id))
    if photo is None or photo.sorting_id != sorting_id or not photo.thumbnail:
        raise NotFound(server_messages.NO_PHOTO)
    return send_small_copy(photo.thumbnail)


@blueprint.get("/<sorting_id>/answers.csv")
def csv_table(run_id: str, sorting_id: str) -> ResponseReturnValue:
    sorting, threshold = _found(run_id, sorting_id)
    return _download(Response(SortedTable(services(), sorting, threshold).csv(), mimetype="text/csv"), "answers.csv")


@blueprint.get("/<sorting_id>/answers.xlsx")
def xlsx_table(run_id: str, sorting_id: str) -> ResponseReturnValue:
    sorting, threshold = _found(run_id, sorting_id)
    book = SortedTable(services(), sorting, threshold).xlsx()
    return send_file(book, mimetype=_XLSX, as_attachment=True, download_name="answers.xlsx", max_age=0)


@blueprint.get("/<sorting_id>/folders.zip")
def folders(run_id: str, sorting_id: str) -> ResponseReturnValue:
    """The user's own photos in class folders, as a file to save: a browser never shows what is in it.

    Only the owner of the data set gets the place where a photo was taken with it.
    """
    sorting, threshold = _found(run_id, sorting_id)
    with services().database.session() as session:
        is_own = right_of_visitor(session, find_run(session, run_id).dataset_id) is Right.OWN
    zipped = folders_zip(services(), sorting, threshold, hides_place=not is_own)
    response = Response(zipped, mimetype="application/zip")
    return _download(response, f"{clean_name(sorting.name)}.zip")


@blueprint.post("/<sorting_id>/add")
def add(run_id: str, sorting_id: str) -> ResponseReturnValue:
    """Adds photos to the data set. `which`: `looked` for those that a person has named, `sure` for the others, too."""
    found = add_sorted(services(), run_id, sorting_id, also_unseen=request.form.get("which") == "sure")
    return redirect(
        url_for(
            "sorting.show",
            run_id=run_id,
            sorting_id=sorting_id,
            added=found.n_added,
            there=found.n_there,
            _anchor="added",
        ),
        303,
    )


@blueprint.get("/<sorting_id>/delete")
def ask_to_delete(run_id: str, sorting_id: str) -> str:
    """Asks, since it cannot be undone."""
    return _render("sorting/delete.html", run_id, sorting_id)


@blueprint.post("/<sorting_id>/delete")
def delete(run_id: str, sorting_id: str) -> ResponseReturnValue:
    _found(run_id, sorting_id)
    remove_sorting(services().database, services().store, sorting_id)
    return redirect(url_for("runs.show", run_id=run_id), 303)


def _take_form(run_id: str, sorting_id: str) -> int:
    request.max_content_length = services().settings.max_request_bytes
    return sort_photos(services(), run_id, sorting_id, read_parts(request))


def _remove_if_empty(run_id: str, sorting_id: str) -> None:
    with services().database.session() as session:
        is_empty = _view(session, find_sorting(session, run_id, sorting_id)).n_photos == 0
    if is_empty:
        remove_sorting(services().database, services().store, sorting_id)


def _to_page(run_id: str, sorting_id: str) -> ResponseReturnValue:
    return redirect(url_for("sorting.show", run_id=run_id, sorting_id=sorting_id), 303)


def _found(run_id: str, sorting_id: str) -> tuple[Sorting, float | None]:
    """A sorting, and the confidence from which on its answers count as sure."""
    with services().database.session() as session:
        sorting = find_sorting(session, run_id, sorting_id)
        return sorting, sure_from(session, sorting.run)


def _view(session: Session, sorting: Sorting) -> SortingView:
    values = request.values
    added, there = (values.get(name, type=int) for name in ("added", "there"))
    return view_sorting(
        session,
        sorting,
        sure_from(session, sorting.run),
        keep_s=services().settings.sorting_s,
        shown=asked_filter(values.get("show")),
        label=values.get("label"),
        page=page_number(values),
        just_added=None if added is None else (added, there or 0),
    )


def _render(template: str, run_id: str, sorting_id: str) -> str:
    with services().database.session() as session:
        sorting = find_sorting(session, run_id, sorting_id)
        dataset = sorting.run.dataset
        return render_template(
            template,
            view=_view(session, sorting),
            sorting=sorting,
            run=sorting.run,
            dataset=dataset,
            max_photo_bytes=MAX_PHOTO_BYTES,
            UNSURE=UNSURE,
            NONE=NONE,
        )


def _verdicts(sorting: Sorting, form: Mapping[str, str]) -> dict[int, Verdict]:
    numbers = {name.removeprefix(_FIELD): text for name, text in form.items() if name.startswith(_FIELD)}
    return {
        row_id(int(number)): verdict_of(sorting, text)
        for number, text in numbers.items()
        if number.isdecimal() and len(number) < 20
    }


def _download(response: Response, name: str) -> Response:
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response

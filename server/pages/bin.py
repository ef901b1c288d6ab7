"""The pages that ask before something is deleted, and the bin from which it can be put back."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from automl.store.bin import BinEntry, BinKind, bin_entries, bin_entry
from server.access import is_own
from server.deleting import delete, empty, restore
from server.services import services
from server.uploads.receive import has_unfinished_run
from server.views.bin import just_deleted
from server.views.owners import owners_of

blueprint = Blueprint("bin", __name__, url_prefix="/bin")

_THING = "/<any(datasets, runs):kind>/<thing_id>"


@blueprint.get("")
def index() -> str:
    """What can be put back, and until when."""
    with services().database.session() as session:
        deleted, entries = just_deleted(session), bin_entries(session, is_own())
        owners = owners_of(session, (entry.dataset for entry in entries))
        return render_template("bin/index.html", entries=entries, owners=owners, deleted=deleted)


@blueprint.get(f"{_THING}/delete")
def ask(kind: str, thing_id: str) -> str:
    """Asks whether a data set or a run is to be deleted, and says what goes with it. `now`: for good."""
    with services().database.session() as session:
        entry = bin_entry(session, BinKind(kind), thing_id)
        in_use = entry.run is None and has_unfinished_run(session, entry.id)
    is_for_good = bool(request.args.get("now")) or entry.deleted_at is not None or services().settings.bin_s == 0
    return render_template("bin/ask.html", entry=entry, is_for_good=is_for_good, in_use=in_use, back=_page_of(entry))


@blueprint.post(f"{_THING}/delete")
def delete_it(kind: str, thing_id: str) -> ResponseReturnValue:
    """`now`: for good."""
    with services().database.session() as session:
        entry = bin_entry(session, BinKind(kind), thing_id)
    delete(services(), entry.kind, thing_id, for_good=bool(request.form.get("now")))
    if entry.deleted_at is not None:
        return redirect(url_for("bin.index"), 303)
    what = f"{kind} {thing_id}"
    if entry.run is None:
        return redirect(url_for("datasets.index", deleted=what), 303)
    return redirect(url_for("datasets.show", dataset_id=entry.dataset.id, deleted=what), 303)


@blueprint.post(f"{_THING}/restore")
def put_back(kind: str, thing_id: str) -> ResponseReturnValue:
    restore(services(), BinKind(kind), thing_id)
    with services().database.session() as session:
        return redirect(_page_of(bin_entry(session, BinKind(kind), thing_id)), 303)


@blueprint.get("/empty")
def ask_to_empty() -> str:
    """Asks whether all that is in the bin is to be removed for good."""
    with services().database.session() as session:
        entries = bin_entries(session, is_own())
        owners = owners_of(session, (entry.dataset for entry in entries))
        return render_template("bin/empty.html", entries=entries, owners=owners)


@blueprint.post("/empty")
def empty_it() -> ResponseReturnValue:
    empty(services())
    return redirect(url_for("bin.index"), 303)


def _page_of(entry: BinEntry) -> str:
    """Where a data set or a run is looked at: in the bin, or on its own page."""
    if entry.deleted_at is not None:
        return url_for("bin.index")
    if entry.run is not None:
        return url_for("runs.show", run_id=entry.id)
    return url_for("datasets.show", dataset_id=entry.id)

"""Who else may see a data set, and with it its runs."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from automl.records import AuditAction
from automl.store.database import find_dataset
from automl.store.shares import end_share, share
from server.audit import record
from server.services import services

blueprint = Blueprint("shares", __name__, url_prefix="/datasets/<dataset_id>/shares")


@blueprint.post("")
def add(dataset_id: str) -> ResponseReturnValue:
    """Lets the account with the address `email` see the data set, and change it where `may_change` is ticked."""
    form = request.form
    with services().database.session() as session:
        dataset = find_dataset(session, dataset_id)
        share(session, dataset, form.get("email", ""), may_change=bool(form.get("may_change")))
        record(session, AuditAction.SHARED, object_kind="datasets", object_id=dataset_id, detail=form.get("email", ""))
    return _back_to(dataset_id)


@blueprint.post("/<account_id>/end")
def end(dataset_id: str, account_id: str) -> ResponseReturnValue:
    with services().database.session() as session:
        email = end_share(session, dataset_id, account_id)
        if email is not None:
            record(session, AuditAction.SHARE_ENDED, object_kind="datasets", object_id=dataset_id, detail=email)
    return _back_to(dataset_id)


def _back_to(dataset_id: str) -> ResponseReturnValue:
    return redirect(url_for("datasets.show", dataset_id=dataset_id, _anchor="shares"), 303)

"""The part of the API by which an upload goes on where it stopped: what of it is here already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.datasets.edits import first_label
from automl.errors import BadUpload
from automl.store.checks import current_edits
from automl.store.database import find_dataset
from automl.store.tables import DatasetFile
from server.services import services
from server.uploads.multipart import kept_name
from server.uploads.receive import checked_label

blueprint = Blueprint("upload_api", __name__, url_prefix="/api/v1")

MAX_FILES_A_QUESTION = 5000
_MAX_QUESTION_BYTES = 16 << 20
_EXAMPLE = 'The body must be a JSON object such as {"files": [{"name": "rose/1.jpg", "n_bytes": 20000}]}.'


@dataclass(frozen=True, slots=True)
class AskedFile:
    """A file that the sender has. `sha256`: empty where it did not say."""

    name: str
    n_bytes: int
    sha256: str


@blueprint.post("/datasets/<dataset_id>/missing")
def missing(dataset_id: str) -> ResponseReturnValue:
    """Which of the files that the body lists still have to be sent, by their places in the list.

    A file is here if one of its name and size is, and of its SHA-256 and `label` where the body gives them.
    """
    request.max_content_length = _MAX_QUESTION_BYTES
    values = request.get_json(silent=True)
    if not isinstance(values, dict):
        raise BadUpload(_EXAMPLE)
    asked = _asked_files(values.get("files"))
    label = _asked_label(values.get("label"))
    with services().database.session() as session:
        find_dataset(session, dataset_id)
        label = label and first_label(current_edits(session, dataset_id), label)
        here = _files_here(session, dataset_id, {file.name for file in asked}, label)
    return jsonify(missing=[place for place, file in enumerate(asked) if not _is_here(file, here)])


def _asked_files(files: Any) -> list[AskedFile]:
    if not isinstance(files, list):
        raise BadUpload(_EXAMPLE)
    if len(files) > MAX_FILES_A_QUESTION:
        raise BadUpload(f"Ask about at most {MAX_FILES_A_QUESTION:,} files at once.")
    return [_asked_file(file) for file in files]


def _asked_file(file: Any) -> AskedFile:
    match file:
        case {"name": str(name), "n_bytes": int(n_bytes), **others} if not isinstance(n_bytes, bool):
            sha256 = others.get("sha256") or ""
            if isinstance(sha256, str):
                return AskedFile(kept_name(name), n_bytes, sha256.lower())
    raise BadUpload("Each file needs a `name`, a whole number `n_bytes`, and, if it is known, a text `sha256`.")


def _asked_label(label: Any) -> str | None:
    if not isinstance(label, str | None):
        raise BadUpload("`label` must be the name of a class.")
    return checked_label(label or "")


def _files_here(
    session: Session, dataset_id: str, names: set[str], label: str | None
) -> dict[tuple[str, int], set[str]]:
    """The hashes of what is stored, by name and size."""
    query = select(DatasetFile.name, DatasetFile.n_bytes, DatasetFile.sha256).where(
        DatasetFile.dataset_id == dataset_id, DatasetFile.name.in_(names), DatasetFile.key != ""
    )
    if label is not None:
        query = query.where(DatasetFile.given_label == label)
    here: dict[tuple[str, int], set[str]] = {}
    for name, n_bytes, sha256 in session.execute(query):
        here.setdefault((name, n_bytes), set()).add(sha256)
    return here


def _is_here(file: AskedFile, here: Mapping[tuple[str, int], set[str]]) -> bool:
    hashes = here.get((file.name, file.n_bytes), set())
    return file.sha256 in hashes if file.sha256 else bool(hashes)

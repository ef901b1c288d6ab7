"""Downloads: the files that runs have made. What users uploaded is never sent back."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, send_file
from werkzeug.utils import secure_filename

from automl.errors import NotAllowedNow, NotFound
from automl.store.database import Artifact, Run, find_run
from server.run_view import downloadable
from server.services import Services, services

blueprint = Blueprint("artifacts", __name__, url_prefix="/api/v1")

_SHOWN_IN_PAGES = frozenset({"image/png"})

_WHAT_IT_IS = {
    "model.keras": "the model for TensorFlow and Keras; it takes a photo as it is",
    "model.onnx": "the same model for everything else: phones, servers, other languages",
    "predict.py": "a small program that says what is in a photo",
    "requirements.txt": "what that program needs",
    "labels.txt": "the names of the classes, in order",
    "report.html": "the result in words, with figures and plots, to read or print",
    "photos.csv": "which photo was learned from, and which was kept for the test",
    "metrics.json": "the score, the settings and everything that was measured",
    "README.md": "how to use all this",
    "README.txt": "how to use all this",
    "model_card.md": "what the model is good for, and what it is not",
}


@dataclass(frozen=True, slots=True)
class BundleMember:
    """One file in a .zip, with a few words about it where there are any."""

    name: str
    n_bytes: int
    words: str


@blueprint.get("/runs/<run_id>/bundle")
def bundle(run_id: str) -> Response:
    """The final .zip of a run, or the best so far."""
    with services().database.session() as session:
        run = find_run(session, run_id)
        artifact = downloadable(session, run)
        if artifact is None:
            raise NotAllowedNow("There is no model to download yet. The first one comes within the first minutes.")
        name = bundle_name(run, artifact)
    return _send(artifact, name)


@blueprint.get("/artifacts/<artifact_id>")
def artifact(artifact_id: str) -> Response:
    with services().database.session() as session:
        found = session.get(Artifact, artifact_id)
        if found is not None:
            find_run(session, found.run_id)  # a deleted data set takes its runs along
    if found is None:
        raise NotFound("There is no such file. It may have been replaced by a newer one.")
    return _send(found, secure_filename(found.name) or "file")


def bundle_name(run: Run, artifact: Artifact) -> str:
    """A file name for people, e.g. `beans-best-so-far-1a2b3c.zip`."""
    name = secure_filename(run.dataset.name).lower() or "model"
    part = "best-so-far-" if artifact.kind == "best_so_far" else ""
    return f"{name}-{part}{run.id[:6]}.zip"


def bundle_members(services: Services, artifact: Artifact) -> tuple[BundleMember, ...]:
    """What the .zip holds, read from the file itself; empty if the file is gone."""
    try:
        with services.store.open(artifact.key) as handle, zipfile.ZipFile(handle) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
    except NotFound:
        return ()
    return tuple(
        BundleMember(info.filename, info.file_size, _WHAT_IT_IS.get(Path(info.filename).name, "")) for info in members
    )


def _send(artifact: Artifact, name: str) -> Response:
    path = services().store.local_path(artifact.key, services().settings.features_dir / "downloads")
    if not path.exists():
        raise NotFound("This file is no longer there.")
    shown = artifact.media_type in _SHOWN_IN_PAGES
    media_type = artifact.media_type if shown or artifact.media_type == "application/zip" else None
    return send_file(
        path,
        mimetype=media_type or "application/octet-stream",
        as_attachment=not shown,
        download_name=name,
        max_age=86_400 if shown else 0,  # an artifact's bytes never change; a newer plot has a new id
    )

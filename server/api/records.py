"""Rows as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from automl.formats import find_format
from automl.store.tables import (
    N_FILES_AND_BYTES,
    Artifact,
    Dataset,
    DatasetEdit,
    DatasetFile,
    DatasetVersion,
    Export,
    Run,
    TrialSummary,
)
from server.views.run import RunView, view_run

_N_REFUSED = 10


def dataset_record(session: Session, dataset: Dataset) -> dict[str, Any]:
    return dataset_records(session, [dataset])[0]


def dataset_records(session: Session, datasets: Sequence[Dataset]) -> list[dict[str, Any]]:
    """In the order of `datasets`. Asks the database as often for many as for one."""
    ids = [dataset.id for dataset in datasets]
    sizes, versions, edits = _sizes(session, ids), _latest_versions(session, ids), _edits(session, ids)
    records = []
    for dataset in datasets:
        n_files, n_bytes = sizes.get(dataset.id, (0, 0))
        records.append(
            {
                "id": dataset.id,
                "url": url_for("datasets.show", dataset_id=dataset.id, _external=True),
                "name": dataset.name,
                "state": dataset.state,
                "message": dataset.message,
                "n_files": n_files,
                "n_bytes": n_bytes,
                "created_at": _time(dataset.created_at),
                "version": versions.get(dataset.id),
                "edits": edits.get(dataset.id, []),
                "summary": dataset.summary.model_dump(mode="json", exclude_unset=True),
            }
        )
    return records


def _sizes(session: Session, dataset_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Files and bytes of each data set that has any."""
    query = select(DatasetFile.dataset_id, *N_FILES_AND_BYTES)
    query = query.where(DatasetFile.dataset_id.in_(dataset_ids)).group_by(DatasetFile.dataset_id)
    return {dataset_id: (n_files, n_bytes) for dataset_id, n_files, n_bytes in session.execute(query)}


def _latest_versions(session: Session, dataset_ids: Sequence[str]) -> dict[str, int]:
    query = select(DatasetVersion.dataset_id, func.max(DatasetVersion.number))
    query = query.where(DatasetVersion.dataset_id.in_(dataset_ids)).group_by(DatasetVersion.dataset_id)
    return dict(session.execute(query).all())


def _edits(session: Session, dataset_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Those that count. Their `values` are not read: they may name thousands of files."""
    query = select(DatasetEdit).options(defer(DatasetEdit.values))
    query = query.where(DatasetEdit.dataset_id.in_(dataset_ids), DatasetEdit.undone_at.is_(None))
    edits: dict[str, list[dict[str, Any]]] = {}
    for edit in session.scalars(query.order_by(DatasetEdit.id)):
        record = {"id": edit.id, "kind": edit.kind, "title": edit.title, "created_at": _time(edit.created_at)}
        edits.setdefault(edit.dataset_id, []).append(record)
    return edits


def file_record(file: DatasetFile) -> dict[str, Any]:
    """`reason`: why it is not used."""
    return {
        "id": file.id,
        "name": file.name,
        "state": file.state,
        "reason": file.reason,
        "label": file.label,
        "split": file.split,
        "width": file.width,
        "height": file.height,
        "sha256": file.sha256,
    }


def run_record(session: Session, run: Run, lease_s: float) -> dict[str, Any]:
    """`best` is measured on validation photos; only `result` holds a score on the test set."""
    view = view_run(session, run, lease_s)
    return {
        "id": run.id,
        "name": run.name,
        "url": url_for("runs.show", run_id=run.id, _external=True),
        "dataset": _dataset(run.dataset),
        "version": run.version.number if run.version else None,
        "parent": run.parent_id,
        "state": run.state,
        "finished": run.state.is_finished(),
        "stop_requested": run.stop_requested,
        "cancel_requested": run.cancel_requested,
        "activity": run.activity,
        "device": run.device,
        "trying": run.trying or None,
        **_clock(view),
        "settings": run.settings,
        "n_trials": run.n_trials,
        "best": _best(run),
        "bundle": _bundle(view),
        "exports": [export_record(export) for export in run.exports],
        "plots": [_artifact(plot) for plot in view.plots],
        "notes": run.notes,
        "error": {"code": run.error_code, "message": run.error_message} if run.error_code else None,
        "result": run.result or None,
        "created_at": _time(run.created_at),
        "started_at": _time(run.started_at),
        "finished_at": _time(run.finished_at),
    }


def trial_record(trial: TrialSummary) -> dict[str, Any]:
    """`score`: the goal's value on validation photos, 0-1, null where the trial failed or was given up early.

    `n_bytes`: size of the model; `latency_s`: of one photo on the server's processor; both null where unknown.
    """
    return {
        "number": trial.number,
        "stage": trial.stage,
        "state": trial.state,
        "backbones": trial.backbones,
        "image_size_px": trial.image_size_px,
        "params": trial.params,
        "score": trial.score,
        "started_s": trial.started_s,
        "duration_s": trial.duration_s,
        "epochs": trial.epochs,
        "n_bytes": trial.n_bytes or None,
        "latency_s": trial.latency_s or None,
        "message": trial.message,
    }


def export_record(export: Export) -> dict[str, Any]:
    """One format of the model. `proof`: how it did when it was loaded again and tested; null until then."""
    return {
        "format": export.format,
        "title": find_format(export.format).title,
        "state": export.state,
        "n_bytes": export.n_bytes or None,
        "proof": export.proof or None,
        "message": export.message,
    }


def _dataset(dataset: Dataset) -> dict[str, Any]:
    """`refused`: the first files that could not be used, with the reasons; the data set's own record has more."""
    summary = dataset.summary
    return {
        "id": dataset.id,
        "name": dataset.name,
        "n_refused": summary.n_refused,
        "refused": [{"name": file.name, "reason": file.reason} for file in summary.refused[:_N_REFUSED]],
    }


def _clock(view: RunView) -> dict[str, Any]:
    left_s = view.clock.left_s
    return {
        "progress": round(view.clock.progress, 4),
        "budget_s": view.run.budget_s,
        "used_s": round(view.clock.used_s, 1),
        "left_s": None if left_s is None else round(left_s, 1),
    }


def _best(run: Run) -> dict[str, Any] | None:
    if run.best_score is None:
        return None
    return {"score": run.best_score, "measured_on": "validation", "summary": run.best_summary}


def _bundle(view: RunView) -> dict[str, Any] | None:
    if view.bundle is None:
        return None
    url = url_for("artifacts.bundle", run_id=view.run.id, _external=True)
    final = view.bundle.kind == "bundle"
    return {"url": url, "title": view.bundle.title, "n_bytes": view.bundle.n_bytes, "final": final}


def _artifact(artifact: Artifact) -> dict[str, Any]:
    return {
        "id": artifact.id,
        "name": artifact.name,
        "title": artifact.title,
        "media_type": artifact.media_type,
        "n_bytes": artifact.n_bytes,
        "url": url_for("artifacts.artifact", artifact_id=artifact.id, _external=True),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

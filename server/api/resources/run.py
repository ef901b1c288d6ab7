"""Runs, as the API shows them."""

from typing import Literal

from flask import url_for
from sqlalchemy.orm import Session

from automl.records import RefusedFile, RunSettings, RunState, TrialInProgress
from automl.records.report import CandidateReport, RunReport
from automl.settings import Settings
from automl.store.run_queue import Turn
from automl.store.tables import Artifact, Dataset, Run
from server.api.resources.export import ExportResource
from server.api.resources.resource import ErrorDetail, Resource, Timestamp
from server.views.run import RunView, view_run

_N_REFUSED = 10


class RunDatasetResource(Resource):
    """The data set of a run, in short; the data set's own resource has more."""

    id: str
    """Opaque id."""

    name: str
    """What people call it."""

    n_refused: int
    """Files that cannot be used."""

    refused: list[RefusedFile]
    """The first of them, and why."""

    @classmethod
    def of(cls, dataset: Dataset) -> "RunDatasetResource":
        summary = dataset.summary
        refused = list(summary.refused[:_N_REFUSED])
        return cls(id=dataset.id, name=dataset.name, n_refused=summary.n_refused, refused=refused)


class BestResource(Resource):
    """The best model so far."""

    score: float
    """0-1."""

    measured_on: Literal["validation"]
    """Which photos the score was measured on. Only `result` has the score of the test."""

    summary: str
    """The settings of the model, in words."""

    @classmethod
    def of(cls, run: Run) -> "BestResource | None":
        if run.best_score is None:
            return None
        return cls(score=run.best_score, measured_on="validation", summary=run.best_summary)


class BundleResource(Resource):
    """The model that can be downloaded now."""

    url: str
    """Where it can be downloaded."""

    title: str
    """What it is and how good, in words."""

    n_bytes: int
    """Size of the download."""

    final: bool
    """Whether it is the final model, or only the best so far."""

    @classmethod
    def of(cls, view: RunView) -> "BundleResource | None":
        if view.bundle is None:
            return None
        url = url_for("artifacts.bundle", run_id=view.run.id, _external=True)
        is_final = view.bundle.kind == "bundle"
        return cls(url=url, title=view.bundle.title, n_bytes=view.bundle.n_bytes, final=is_final)


class PlotResource(Resource):
    """One plot of a run."""

    id: str
    """Opaque id."""

    name: str
    """Name of the file."""

    title: str
    """What it shows, in words."""

    media_type: str
    """Such as "image/png"."""

    n_bytes: int
    """Size of the file."""

    url: str
    """Where it can be downloaded."""

    @classmethod
    def of(cls, plot: Artifact) -> "PlotResource":
        return cls(
            id=plot.id,
            name=plot.name,
            title=plot.title,
            media_type=plot.media_type,
            n_bytes=plot.n_bytes,
            url=url_for("artifacts.artifact", artifact_id=plot.id, _external=True),
        )


class TurnResource(Resource):
    """When a waiting run will be begun with."""

    n_ahead: int
    """How many runs are under way or will be begun with first."""

    within_s: float
    """Seconds until then, if these take the time that they are allowed; it may be sooner."""

    @classmethod
    def of(cls, turn: Turn | None) -> "TurnResource | None":
        return None if turn is None else cls(n_ahead=turn.n_ahead, within_s=round(turn.within_s, 1))


class RunResource(Resource):
    """One run."""

    id: str
    """Opaque id."""

    name: str
    """What its user calls it, may be empty."""

    url: str
    """Address of its page."""

    dataset: RunDatasetResource
    """The data set that it learns from."""

    version: int | None
    """Number of the version of the data set; null until its photos are checked."""

    parent: str | None
    """Id of the run that this one follows with a change."""

    state: RunState
    """Where it is."""

    finished: bool
    """Whether it has ended, in whatever way."""

    stop_requested: bool
    """Whether it was asked to end with the best model so far."""

    cancel_requested: bool
    """Whether it was asked to end without a model."""

    activity: str
    """What is happening, in words."""

    device: str
    """What it computes on, in words."""

    trying: TrialInProgress | None
    """The trial in progress; null between two trials."""

    progress: float
    """0-1, and 1 only when it is done."""

    budget_s: float
    """Seconds that it may take."""

    used_s: float
    """Seconds that it has taken."""

    left_s: float | None
    """Seconds that it may still take; null once it has ended."""

    turn: TurnResource | None
    """When it will be begun with; null once a worker has it."""

    settings: RunSettings
    """What was asked for; null means that Darkroom chooses."""

    n_trials: int
    """Trials that have ended."""

    best: BestResource | None
    """The best model so far; null before the first."""

    bundle: BundleResource | None
    """The model that can be downloaded now; null before the first."""

    exports: list[ExportResource]
    """The formats of the model; empty before the end."""

    plots: list[PlotResource]
    """The plots of the result; empty before the end."""

    notes: list[str]
    """Sentences about what happened on the way."""

    error: ErrorDetail | None
    """Why it failed; null if it did not."""

    sure_threshold: float | None
    """The confidence, 0-1, from which on answers count as sure: chosen on the page of the result, else calibrated; null
    where there is none."""

    result: RunReport | CandidateReport | None
    """The `metrics.json` of the delivered model; null before the model is final, and without `test` before its test."""

    created_at: Timestamp
    """When it was asked for."""

    started_at: Timestamp | None
    """When a worker first began with it."""

    finished_at: Timestamp | None
    """When it ended."""

    @classmethod
    def of(cls, session: Session, run: Run, settings: Settings) -> "RunResource":
        view = view_run(session, run, settings)
        left_s = view.clock.left_s
        return cls(
            id=run.id,
            name=run.name,
            url=url_for("runs.show", run_id=run.id, _external=True),
            dataset=RunDatasetResource.of(run.dataset),
            version=run.version.number if run.version else None,
            parent=run.parent_id,
            state=run.state,
            finished=run.state.is_finished(),
            stop_requested=run.stop_requested,
            cancel_requested=run.cancel_requested,
            activity=run.activity,
            device=run.device,
            trying=run.trying,
            progress=round(view.clock.progress, 4),
            budget_s=view.run.budget_s,
            used_s=round(view.clock.used_s, 1),
            left_s=None if left_s is None else round(left_s, 1),
            turn=TurnResource.of(view.turn),
            settings=run.settings,
            n_trials=run.n_trials,
            best=BestResource.of(run),
            bundle=BundleResource.of(view),
            exports=[ExportResource.of(export) for export in run.exports],
            plots=[PlotResource.of(plot) for plot in view.plots],
            notes=run.notes,
            error=ErrorDetail(code=run.error_code, message=run.error_message) if run.error_code else None,
            sure_threshold=run.sure_from,
            result=run.result,
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
        )


class StartedRunResource(Resource):
    """A run that was just queued."""

    id: str
    """Opaque id."""

    url: str
    """Address of its page."""

    state: RunState
    """Where it is."""

    dataset: str
    """Id of the data set that it learns from."""

    @classmethod
    def of(cls, run: Run) -> "StartedRunResource":
        url = url_for("runs.show", run_id=run.id, _external=True)
        return cls(id=run.id, url=url, state=run.state, dataset=run.dataset_id)

"""Tells a run's progress to the database, where the web pages read it."""

import mimetypes
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from automl.records import RunResult, RunState, TrialRecord
from automl.search.space import SearchSpace
from automl.search.stages import describe
from automl.search.study import StudyLog
from automl.search.trial import Candidate
from automl.store.artifacts import ArtifactStore
from automl.store.database import Artifact, Database, TrialSummary, change_run_state, find_run, now

_log = structlog.get_logger()
_ACTIVITY_EVERY_S = 0.5
_FLUSH_EVERY_S = 10.0


class DatabaseObserver:
    """The `Observer` of a run of the web service."""

    def __init__(self, database: Database, store: ArtifactStore, run_id: str) -> None:
        self._database = database
        self._store = store
        self._run_id = run_id
        self._study: StudyLog | None = None
        self._flushed_at = time.monotonic()
        self._told_at, self._told_text = 0.0, ""

    def state(self, state: RunState) -> None:
        with self._database.session() as session:
            change_run_state(find_run(session, self._run_id), state)
        if state is not RunState.SEARCHING:
            self._flush()

    def activity(self, text: str, progress: float | None = None) -> None:
        moment = time.monotonic()
        if text != self._told_text:
            _log.info("activity", run=self._run_id, text=text)
        if text == self._told_text and moment - self._told_at < _ACTIVITY_EVERY_S:
            return
        self._told_at, self._told_text = moment, text
        with self._database.session() as session:
            run = find_run(session, self._run_id)
            run.activity, run.progress = text, progress

    def note(self, text: str) -> None:
        with self._database.session() as session:
            run = find_run(session, self._run_id)
            run.notes = [*run.notes, text]

    def space(self, space: SearchSpace) -> None:
        self._study = StudyLog(self._database.url, f"run-{self._run_id}", space.to_optuna(), now())

    def trial(self, record: TrialRecord, best: Candidate | None) -> None:
        with self._database.session() as session:
            run = find_run(session, self._run_id)
            session.add(
                TrialSummary(
                    run_id=run.id,
                    number=record.number,
                    state=record.state.value,
                    backbones=list(record.backbones),
                    image_size_px=record.image_size_px,
                    params=record.params,
                    score=record.score,
                    started_s=record.started_s,
                    duration_s=record.duration_s,
                    message=record.message,
                )
            )
            run.n_trials = record.number + 1
            if best is not None:
                run.best_score, run.best_summary = best.score, describe(best.params)
        if self._study is not None:
            self._study.add(record)
            if time.monotonic() - self._flushed_at > _FLUSH_EVERY_S:
                self._flush()

    def first_model(self, bundle: Path, seconds: float) -> None:
        name = f"first model after {seconds:.0f} s.zip"
        self._add_artifact("best_so_far", bundle, name, "The first model")

    def winner(self, description: Mapping[str, Any]) -> None:
        with self._database.session() as session:
            find_run(session, self._run_id).result = dict(description)

    def deliver(self, result: RunResult) -> None:
        """Stores the bundle and the plots, and ends the run as done."""
        for path, title in result.plots:
            self._add_artifact("plot", path, path.name, title)
        self._add_artifact("bundle", result.bundle, "model.zip", "The trained model")
        with self._database.session() as session:
            run = find_run(session, self._run_id)
            outdated = [artifact for artifact in run.artifacts if artifact.kind == "best_so_far"]
            keys = [artifact.key for artifact in outdated]
            for artifact in outdated:
                session.delete(artifact)
            run.result = result.metrics
            run.activity = "Done"
            change_run_state(run, RunState.DONE)
        for key in keys:
            self._store.delete(key)

    def close(self) -> None:
        """Writes what still waits for the study."""
        self._flush()

    def _add_artifact(self, kind: str, path: Path, name: str, title: str) -> None:
        stored = self._store.put(f"runs/{self._run_id}", path)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        with self._database.session() as session:
            session.add(
                Artifact(
                    run_id=self._run_id,
                    kind=kind,
                    name=name,
                    title=title,
                    media_type=media_type,
                    key=stored.key,
                    n_bytes=stored.n_bytes,
                )
            )

    def _flush(self) -> None:
        self._flushed_at = time.monotonic()
        if self._study is not None:
            self._study.flush()

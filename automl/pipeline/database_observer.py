"""Writes a run's progress to the database, where the web pages read it, and sends it to the pages that are open."""

import math
import mimetypes
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from automl.records import DatasetState, EpochScores, RunResult, RunState, Stage, TrialInProgress, TrialRecord
from automl.records.report import CandidateReport
from automl.search.candidate import Candidate
from automl.search.description import describe
from automl.search.observer import Observer
from automl.search.space import SearchSpace
from automl.store.artifacts import ArtifactStore
from automl.store.checks import reassess
from automl.store.database import Database, known_run
from automl.store.events import Publishes
from automl.store.exports import add_exports
from automl.store.runs import change_run_state
from automl.store.tables import Artifact, LogEntry, TrialSummary, now
from automl.text.messages import pipeline as pipeline_messages
from automl.text.numbers import validated

if TYPE_CHECKING:
    from automl.search.study import StudyLog

_log = structlog.stdlib.get_logger(__name__)
_ACTIVITY_EVERY_S = 0.5
_FLUSH_EVERY_S = 10.0


class DatabaseObserver(Observer):
    """The observer of a run of the web service.

    Args:
        store: takes the downloads and the plots.
        elapsed_s: where the run's clock is now; an earlier attempt may have begun it.
        events: sends events to open pages, once the database has them; None where no page follows the run.
    """

    def __init__(
        self,
        database: Database,
        store: ArtifactStore,
        run_id: str,
        *,
        elapsed_s: float = 0.0,
        events: Publishes | None = None,
    ) -> None:
        self._database = database
        self._events = events
        self._store = store
        self._run_id = run_id
        self._began_at = now() - timedelta(seconds=elapsed_s)
        self._study: StudyLog | None = None
        self._unlogged: list[TrialRecord] = []
        self._spaces: dict[Stage, SearchSpace] = {Stage.ENSEMBLE: SearchSpace(())}
        self._flushed_at = time.monotonic()
        self._has_model = False  # until the first one is there, the study, which takes time to open, can wait
        self._written_at, self._written_text = 0.0, ""
        self._trying: TrialInProgress | None = None

    def state(self, state: RunState) -> None:
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            change_run_state(run, state)
            if state not in (RunState.PREPARING, RunState.SEARCHING):
                run.trying = None  # a trial that the end of the search has broken off
        self._publish("state", state=state)
        if state not in (RunState.PREPARING, RunState.SEARCHING):
            self._flush()

    def activity(self, text: str, progress: float | None = None) -> None:
        moment = time.monotonic()
        if text != self._written_text:
            _log.info("activity", text=text)
        if text == self._written_text and moment - self._written_at < _ACTIVITY_EVERY_S:
            return
        self._written_at, self._written_text = moment, text
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            run.activity, run.progress = text, progress
        self._publish("activity", text=text, progress=progress)

    def device(self, text: str) -> None:
        """Writes what this attempt computes on, in words."""
        with self._database.session() as session:
            known_run(session, self._run_id).device = text
        self._publish("device", text=text)

    def note(self, text: str) -> None:
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            if text in run.notes:  # an attempt that was broken off may have said so already
                return
            run.notes = [*run.notes, text]
            run.log.add(LogEntry(kind="note", text=text))
        self._publish("note", text=text)

    def space(self, stage: Stage, space: SearchSpace) -> None:
        self._spaces[stage] = space

    def trying(self, record: TrialRecord) -> None:
        begun = TrialInProgress.of(record)
        self._write_trying(begun)
        self._publish("trying", **begun.model_dump(mode="json"))

    def epoch(self, number: int, score: float, loss: float) -> None:
        if self._trying is None:  # an epoch belongs to a trial that has been announced
            raise ValueError("there is an epoch of no trial")
        reached = EpochScores(number, *(value if math.isfinite(value) else None for value in (score, loss)))
        self._write_trying(self._trying.with_epoch(reached))
        self._publish("epoch", number=self._trying.number, epoch=list(reached))

    def _write_trying(self, trying: TrialInProgress) -> None:
        self._trying = trying
        with self._database.session() as session:
            known_run(session, self._run_id).trying = trying

    def trial(self, record: TrialRecord, best: Candidate | None) -> None:
        ended_s = record.started_s + record.duration_s
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            row = TrialSummary.of(run.id, record)
            session.add(row)
            run.n_trials, run.trying = record.number + 1, None
            if best is not None:
                summary = describe(best.params, best.parts)
                if (best.number, best.score) != (run.best_trial, run.best_score):
                    run.log.add(LogEntry(kind="best", text=summary, used_s=ended_s, score=best.score))
                run.best_score, run.best_summary, run.best_trial = best.score, summary, best.number
        self._publish("trial", **row.to_json(), best=None if best is None else [best.number, best.score])
        self._unlogged.append(record)
        if self._has_model and time.monotonic() - self._flushed_at > _FLUSH_EVERY_S:
            self._flush()

    def best_so_far(self, bundle: Path, score: float) -> None:
        outdated = self._artifact_ids("best_so_far")
        self._add_artifact("best_so_far", bundle, name="best so far.zip", title=validated(score))
        self._has_model = True
        self._remove_artifacts(outdated)
        self._publish("download")

    def winner(self, report: CandidateReport) -> None:
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            run.result = report
            # It is not the best one of the search where that could not be written.
            run.best_trial, run.best_score = report.winner.trial, report.validation.score
            run.best_summary = describe(report.winner.params, report.winner.parts)

    def deliver(self, result: RunResult) -> None:
        """Stores the bundle and the plots, and ends the run as done; from then on its other formats can be made."""
        outdated = self._artifact_ids("best_so_far", "plot", "bundle")  # also those of an attempt that was broken off
        for path, title in result.plots:
            self._add_artifact("plot", path, name=path.name, title=title)
        self._add_artifact("bundle", result.bundle, name="model.zip", title=pipeline_messages.TRAINED_MODEL)
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            run.result = result.report
            change_run_state(run, RunState.DONE)
            add_exports(session, run.id)
        self._remove_artifacts(outdated)
        self._update_findings()

    def _update_findings(self) -> None:
        """Labels that the model doubts become findings about the photos; the run is done whatever comes of that."""
        with self._database.session() as session:
            dataset = known_run(session, self._run_id).dataset
            if dataset.state in (DatasetState.READY, DatasetState.INVALID):
                reassess(session, self._store, dataset.id)

    def ended(self) -> None:
        """Sends the last event, if the run has ended."""
        with self._database.session() as session:
            state = known_run(session, self._run_id).state
        if state.is_finished():
            self._publish("end", state=state)

    def _publish(self, kind: str, **data: Any) -> None:
        if self._events is not None:
            self._events.publish(self._run_id, kind, **data)

    def close(self) -> None:
        """Writes the trials that still wait for the study, also those of stages that this attempt has not come to."""
        self._flush(is_last=True)

    def _artifact_ids(self, *kinds: str) -> list[str]:
        with self._database.session() as session:
            return [artifact.id for artifact in known_run(session, self._run_id).artifacts if artifact.kind in kinds]

    def _remove_artifacts(self, ids: list[str]) -> None:
        with self._database.session() as session:
            rows = [session.get_one(Artifact, artifact_id) for artifact_id in ids]
            for row in rows:
                session.delete(row)
        for row in rows:
            self._store.delete(row.key)

    def _add_artifact(self, kind: str, path: Path, *, name: str, title: str) -> None:
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

    def _flush(self, is_last: bool = False) -> None:
        if Stage.HEADS not in self._spaces:
            return  # no search has begun
        self._flushed_at = time.monotonic()
        from optuna.exceptions import OptunaError

        try:
            self._write_to_study(is_last)
        except (SQLAlchemyError, OptunaError):
            # The study serves optuna-dashboard only, and our own rows have every trial: no reason to end the run.
            _log.exception("trials could not be written to the study")

    def _write_to_study(self, is_last: bool) -> None:
        if self._study is None:
            from automl.search.study import StudyLog  # Optuna, for which the first model should not wait

            self._study = StudyLog(self._database.url, f"run-{self._run_id}", self._began_at)
            self._unlogged = self._missing_from(self._study)
        waiting, self._unlogged = self._unlogged, []
        for record in waiting:
            if is_last or record.stage in self._spaces:
                self._study.add(record, self._spaces.get(record.stage, SearchSpace(())))
            else:
                self._unlogged.append(record)  # of a stage that this attempt has not come to yet
        self._study.flush()

    def _missing_from(self, study: "StudyLog") -> list[TrialRecord]:
        """Trials that the study lacks: those of a killed attempt, and those before the study could be opened."""
        with self._database.session() as session:
            rows = known_run(session, self._run_id).trials
            return [row.to_record() for row in rows if row.number not in study.numbers]

"""Writes a run's progress to the database, where the web pages read it, and sends it to the pages that are open."""

import math
import mimetypes
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

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
from automl.store.patience import patiently
from automl.store.runs import change_run_state
from automl.store.tables import Artifact, LogEntry, TrialSummary, new_id, now
from automl.text.messages import pipeline as pipeline_messages
from automl.text.numbers import validated

if TYPE_CHECKING:
    from automl.search.study import StudyLog

_log = structlog.stdlib.get_logger(__name__)
_ACTIVITY_EVERY_S = 0.5
_FLUSH_EVERY_S = 10.0


class DatabaseObserver(Observer):
    """The observer of a run of the web service. It waits for a database that is away, see `store.patience`.

    Args:
        database: fenced, where another attempt may take the run over.
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
        self._write_state(state)
        self._publish("state", state=state)
        if state not in (RunState.PREPARING, RunState.SEARCHING):
            self._flush()

    @patiently
    def _write_state(self, state: RunState) -> None:
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            if run.state is not state:
                change_run_state(run, state)
            if state not in (RunState.PREPARING, RunState.SEARCHING):
                run.trying = None  # a trial that the end of the search has broken off

    def activity(self, text: str, progress: float | None = None) -> None:
        moment = time.monotonic()
        if text != self._written_text:
            _log.info("activity", text=text)
        if text == self._written_text and moment - self._written_at < _ACTIVITY_EVERY_S:
            return
        self._written_at, self._written_text = moment, text
        self._write_activity(text, progress)
        self._publish("activity", text=text, progress=progress)

    @patiently
    def _write_activity(self, text: str, progress: float | None) -> None:
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            run.activity, run.progress = text, progress

    @patiently
    def device(self, text: str) -> None:
        """Writes what this attempt computes on, in words."""
        with self._database.session() as session:
            known_run(session, self._run_id).device = text
        self._publish("device", text=text)

    @patiently
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

    @patiently
    def _write_trying(self, trying: TrialInProgress) -> None:
        self._trying = trying
        with self._database.session() as session:
            known_run(session, self._run_id).trying = trying

    def trial(self, record: TrialRecord, best: Candidate | None) -> None:
        row = self._write_trial(record, best)
        self._publish("trial", **row.to_json(), best=None if best is None else [best.number, best.score])
        self._unlogged.append(record)
        if self._has_model and time.monotonic() - self._flushed_at > _FLUSH_EVERY_S:
            self._flush()

    @patiently
    def _write_trial(self, record: TrialRecord, best: Candidate | None) -> TrialSummary:
        ended_s = record.started_s + record.duration_s
        row = TrialSummary.of(self._run_id, record)
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            if self._has_trial(session, record.number):
                return row
            session.add(row)
            run.n_trials, run.trying = record.number + 1, None
            if best is not None:
                summary = describe(best.params, best.parts)
                if (best.number, best.score) != (run.best_trial, run.best_score):
                    run.log.add(LogEntry(kind="best", text=summary, used_s=ended_s, score=best.score))
                run.best_score, run.best_summary, run.best_trial = best.score, summary, best.number
        return row

    def _has_trial(self, session: Session, number: int) -> bool:
        """True after a connection was lost in the moment of the commit."""
        query = select(TrialSummary.id).where(TrialSummary.run_id == self._run_id, TrialSummary.number == number)
        return session.scalar(query) is not None

    def best_so_far(self, bundle: Path, score: float) -> None:
        outdated = self._artifact_ids("best_so_far")
        self._add_artifact("best_so_far", bundle, name="best so far.zip", title=validated(score))
        self._has_model = True
        self._remove_artifacts(outdated)
        self._publish("download")

    @patiently
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
        self._write_end(result)
        self._remove_artifacts(outdated)
        self._update_findings()

    @patiently
    def _write_end(self, result: RunResult) -> None:
        with self._database.session() as session:
            run = known_run(session, self._run_id)
            if run.state is RunState.DONE:  # the connection was lost in the moment of the commit
                return
            run.result = result.report
            change_run_state(run, RunState.DONE)
            add_exports(session, run.id)

    @patiently
    def _update_findings(self) -> None:
        """Labels that the model doubts become findings about the photos; the run is done whatever comes of that."""
        with self._database.session() as session:
            dataset = known_run(session, self._run_id).dataset
            if dataset.state in (DatasetState.READY, DatasetState.INVALID):
                reassess(session, self._store, dataset.id)

    def ended(self) -> None:
        """Sends the last event, if the run has ended."""
        state = self._read_state()
        if state.is_finished():
            self._publish("end", state=state)

    @patiently
    def _read_state(self) -> RunState:
        with self._database.session() as session:
            return known_run(session, self._run_id).state

    def _publish(self, kind: str, **data: Any) -> None:
        if self._events is not None:
            self._events.publish(self._run_id, kind, **data)

    def close(self) -> None:
        """Writes the trials that still wait for the study, also those of stages that this attempt has not come to."""
        self._flush(is_last=True)

    @patiently
    def _artifact_ids(self, *kinds: str) -> list[str]:
        with self._database.session() as session:
            return [artifact.id for artifact in known_run(session, self._run_id).artifacts if artifact.kind in kinds]

    def _remove_artifacts(self, ids: list[str]) -> None:
        for key in self._delete_rows(ids):
            self._store.delete(key)

    @patiently
    def _delete_rows(self, ids: list[str]) -> list[str]:
        """Returns where their files are."""
        with self._database.session() as session:
            rows = [row for artifact_id in ids if (row := session.get(Artifact, artifact_id)) is not None]
            for row in rows:
                session.delete(row)
            return [row.key for row in rows]

    def _add_artifact(self, kind: str, path: Path, *, name: str, title: str) -> None:
        stored = self._store.put(f"runs/{self._run_id}", path)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        row = {"run_id": self._run_id, "kind": kind, "name": name, "title": title, "media_type": media_type}
        self._write_artifact({**row, "id": new_id(), "key": stored.key, "n_bytes": stored.n_bytes})

    @patiently
    def _write_artifact(self, row: dict[str, str | int]) -> None:
        with self._database.session() as session:
            if session.get(Artifact, row["id"]) is None:  # else the connection was lost in the moment of the commit
                session.add(Artifact(**row))

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

            self._study = StudyLog(self._database, f"run-{self._run_id}", self._began_at)
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

"""What a page or the API says about a run, worked out from its row."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, case, select
from sqlalchemy.orm import Session

from automl.datasets.split import is_every_photo_tested
from automl.records import RunState, Scoring, TrialInProgress, TrialState
from automl.settings import Settings
from automl.store.run_clock import RunClock, run_clock
from automl.store.run_queue import Turn, turn_of
from automl.store.tables import Artifact, LogEntry, Run, TrialSummary, now
from automl.text.numbers import percent
from automl.text.trial_names import tried_in_words

_N_LATEST = 50
_N_BEST = 200
_N_LOGGED = 200

STAGES = (RunState.QUEUED, RunState.PREPARING, RunState.SEARCHING, RunState.FINISHING, RunState.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run with what is shown beside its row.

    Attributes:
        run: The row.
        clock: Its time, used and left.
        turn: When it will be begun with, while it waits.
        bundle: What can be downloaded now: the final model, or the best so far.
        plots: In the order of the report.
        best: Number of the trial that the run's best score belongs to.
        trials: The latest first while the run goes on; of an ended run the best first. Empty without `with_tries`.
        log: What happened, the latest first. Empty without `with_tries`.
    """

    run: Run
    clock: RunClock
    turn: Turn | None
    bundle: Artifact | None
    plots: tuple[Artifact, ...]
    best: int | None
    trials: tuple[TrialSummary, ...] = ()
    log: tuple[LogEntry, ...] = ()

    @property
    def bests(self) -> tuple[LogEntry, ...]:
        """The entries of the log that name a better model."""
        return tuple(entry for entry in self.log if entry.kind == "best")

    @property
    def last_tried(self) -> str:
        """In words, empty before the first trial has ended."""
        if not self.trials:
            return ""
        trial = self.trials[0]
        return tried_in_words(trial.backbones, image_size_px=trial.image_size_px, score=trial.score, state=trial.state)

    @property
    def trying(self) -> TrialInProgress | None:
        """The trial in progress."""
        return _trying(self.run)

    @property
    def tests_every_photo(self) -> bool:
        """Whether no photo is kept for a test, as far as that is known before the run has its result."""
        summary, version, scoring = self.run.dataset.summary, self.run.version, self.run.settings.scoring
        split, is_latest = summary.split, version is None or version.number == summary.version
        if scoring is Scoring.AUTO and is_latest and split and split.classes:
            return split.tests_every_photo  # it knows whether earlier runs had a test
        return is_every_photo_tested(
            scoring,
            n_images=version.n_images if version else summary.n_images,
            has_own_test=any(row.test for row in summary.classes),
        )

    @property
    def is_ending(self) -> bool:
        """True once no new try will begin, while the run goes on."""
        return self.run.state is RunState.FINISHING or (self._was_asked_to_end and self.run.state.is_running())

    @property
    def can_extend(self) -> bool:
        """True while more time could still be used."""
        open_states = (RunState.QUEUED, RunState.PREPARING, RunState.SEARCHING)
        return self.run.state in open_states and not self._was_asked_to_end

    @property
    def _was_asked_to_end(self) -> bool:
        return self.run.stop_requested or self.run.cancel_requested

    @property
    def key(self) -> str:
        """Changes whenever more of the page than the figures must be drawn again.

        A better model behind the same download button is not such a change: an opened question would close.
        """
        asked = (self.run.stop_requested, self.run.cancel_requested)
        flags = (*asked, self.can_stop, self.bundle is not None, self.can_extend)
        return f"{self.run.state}-" + "".join(f"{flag:d}" for flag in flags)

    @property
    def best_so_far(self) -> Artifact | None:
        """The download, where it is not the final model. Its title is what is known of it."""
        return self.bundle if self.bundle is not None and self.bundle.kind == "best_so_far" else None

    @property
    def unpacked_score(self) -> float | None:
        return unpacked_score(self.run, self.bundle)

    @property
    def can_stop(self) -> bool:
        """True while there is a search to end and a model to keep."""
        searching = self.run.state in (RunState.PREPARING, RunState.SEARCHING)
        return searching and self.run.best_score is not None and not self.run.stop_requested

    @property
    def stage_number(self) -> int:
        """Index into `STAGES`; the last one for every ended run."""
        return len(STAGES) - 1 if self.run.state.is_finished() else STAGES.index(self.run.state)

    @property
    def waits_long(self) -> bool:
        """True where nothing is ahead and still no worker has come."""
        waited_s = (now() - self.run.created_at).total_seconds()
        return self.turn is not None and self.turn.n_ahead == 0 and waited_s > 30


def view_run(session: Session, run: Run, settings: Settings) -> RunView:
    is_queued = run.state is RunState.QUEUED
    return RunView(
        run=run,
        clock=run_clock(run, settings.lease_s),
        turn=turn_of(session, run, runs_at_once=settings.account_runs_at_once) if is_queued else None,
        bundle=downloadable(session, run),
        plots=tuple(session.scalars(_plots(run))),
        best=run.best_trial,
    )


def with_tries(session: Session, view: RunView) -> RunView:
    """With what was tried, and the log."""
    run = view.run
    trials = _best_trials(run, _N_BEST) if run.state.is_finished() else _latest_trials(run)
    return replace(view, trials=tuple(session.scalars(trials)), log=tuple(session.scalars(_log(run))))


def course(session: Session, run: Run) -> dict[str, Any]:
    """What the charts of a run begin with, by seconds on its clock: all tries, each better model, the present try."""
    ended_s = TrialSummary.started_s + TrialSummary.duration_s
    tries = select(TrialSummary.number, ended_s, TrialSummary.score).where(TrialSummary.run_id == run.id)
    trying = _trying(run)
    bests = select(LogEntry.used_s, LogEntry.score).where(LogEntry.run_id == run.id, LogEntry.kind == "best")
    return {
        "tries": [list(row) for row in session.execute(tries.order_by(TrialSummary.number))],
        "bests": [list(row) for row in session.execute(bests.order_by(LogEntry.id))],
        "trying": None if trying is None else trying.model_dump(mode="json"),
    }


def downloadable(session: Session, run: Run) -> Artifact | None:
    """The final bundle, else the best so far, else None."""
    is_final = Artifact.kind == "bundle"
    found = select(Artifact).where(Artifact.run_id == run.id, is_final | (Artifact.kind == "best_so_far"))
    return session.scalars(found.order_by(is_final.desc(), Artifact.created_at.desc()).limit(1)).first()


def unpacked_score(run: Run, packed: Artifact | None) -> float | None:
    """The best score of a run whose download is an earlier model; None where it is that of the download, or unknown."""
    if packed is None or packed.kind != "best_so_far" or not packed.title or run.best_score is None:
        return None
    return None if packed.title.startswith(f"{percent(run.best_score)} ") else run.best_score


def _trying(run: Run) -> TrialInProgress | None:
    """What a worker that was lost has left is no try that goes on."""
    return run.trying if run.state in (RunState.PREPARING, RunState.SEARCHING) else None


def _plots(run: Run) -> Select[Artifact]:
    of_run = select(Artifact).where(Artifact.run_id == run.id, Artifact.kind == "plot")
    return of_run.order_by(Artifact.created_at, Artifact.name)


def _log(run: Run) -> Select[LogEntry]:
    return select(LogEntry).where(LogEntry.run_id == run.id).order_by(LogEntry.id.desc()).limit(_N_LOGGED)


def _latest_trials(run: Run) -> Select[TrialSummary]:
    return select(TrialSummary).where(TrialSummary.run_id == run.id).order_by(TrialSummary.id.desc()).limit(_N_LATEST)


def _best_trials(run: Run, n: int) -> Select[TrialSummary]:
    """The best one first: scores alone do not decide which one it is, since they may speak of different photos.

    Then complete ones by score; the smaller model wins a tie, then the earlier one, as in the search.
    """
    others = case((TrialSummary.number == run.best_trial, 0), else_=1)
    unfinished = case((TrialSummary.state == TrialState.COMPLETE, 0), else_=1)
    by_score = (TrialSummary.score.is_(None), TrialSummary.score.desc())
    order = (others, unfinished, *by_score, TrialSummary.n_bytes, TrialSummary.number)
    return select(TrialSummary).where(TrialSummary.run_id == run.id).order_by(*order).limit(n)

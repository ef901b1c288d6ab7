"""What a run reports while it works: to the database for the web pages, to a terminal for the command line."""

from pathlib import Path

from automl.records import RunState, Stage, TrialRecord
from automl.records.report import CandidateReport
from automl.search.candidate import Candidate
from automl.search.space import SearchSpace


class Observer:
    """Follows a run. Every event is reported once, in order, and no answer is expected.

    The methods do nothing: override those whose events matter.
    """

    def state(self, state: RunState) -> None:
        """The run has entered this state."""

    def activity(self, text: str, progress: float | None = None) -> None:
        """What is happening now.

        Args:
            text: in words, for people.
            progress: 0-1 within this activity; None where it cannot be known.
        """

    def note(self, text: str) -> None:
        """A sentence that belongs in the report."""

    def space(self, stage: Stage, space: SearchSpace) -> None:
        """The space that holds every trial of `stage`; reported before the first of them."""

    def trying(self, record: TrialRecord) -> None:
        """A trial begins; its record has no score and no duration yet."""

    def epoch(self, number: int, score: float, loss: float) -> None:
        """A fine-tuning in progress has finished an epoch.

        Args:
            number: of the epoch, from 1.
            score: the goal's value on held-out photos, 0-1.
            loss: on the same photos, in nats.
        """

    def trial(self, record: TrialRecord, best: Candidate | None) -> None:
        """A trial has ended; `best` is the best model so far, None as long as there is no model."""

    def best_so_far(self, bundle: Path, score: float) -> None:
        """A model can be downloaded while the search goes on; `score` is its score on validation, 0-1."""

    def winner(self, report: CandidateReport) -> None:
        """The final choice, with its digest; reported before the first test photo is read."""


class Observers(Observer):
    """Reports every event to several observers, in their order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def state(self, state: RunState) -> None:
        for one in self._observers:
            one.state(state)

    def activity(self, text: str, progress: float | None = None) -> None:
        for one in self._observers:
            one.activity(text, progress)

    def note(self, text: str) -> None:
        for one in self._observers:
            one.note(text)

    def space(self, stage: Stage, space: SearchSpace) -> None:
        for one in self._observers:
            one.space(stage, space)

    def trying(self, record: TrialRecord) -> None:
        for one in self._observers:
            one.trying(record)

    def epoch(self, number: int, score: float, loss: float) -> None:
        for one in self._observers:
            one.epoch(number, score, loss)

    def trial(self, record: TrialRecord, best: Candidate | None) -> None:
        for one in self._observers:
            one.trial(record, best)

    def best_so_far(self, bundle: Path, score: float) -> None:
        for one in self._observers:
            one.best_so_far(bundle, score)

    def winner(self, report: CandidateReport) -> None:
        for one in self._observers:
            one.winner(report)


class NoteKeeper(Observer):
    """Keeps the notes of a run, for its report."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

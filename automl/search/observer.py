"""What a run tells while it works: to the database for the web page, to a terminal for the CLI."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from automl.records import RunState, Stage, TrialRecord
from automl.search.candidate import Candidate
from automl.search.space import SearchSpace


class Observer(Protocol):
    """Everything is told once, in order; nothing is asked back."""

    def state(self, state: RunState) -> None: ...

    def activity(self, text: str, progress: float | None = None) -> None:
        """What is happening now, in words; `progress`: 0-1 within it, None where it cannot be known."""
        ...

    def note(self, text: str) -> None:
        """A sentence that belongs into the report."""
        ...

    def space(self, stage: Stage, space: SearchSpace) -> None:
        """The space that every trial of `stage` lies in; told before the first of them."""
        ...

    def trying(self, record: TrialRecord) -> None:
        """A trial begins; its record has no score and no duration yet."""
        ...

    def epoch(self, number: int, score: float, loss: float) -> None:
        """Of a fine-tuning that goes on: the goal's value and the loss on held-out photos after this epoch, from 1."""
        ...

    def trial(self, record: TrialRecord, best: Candidate | None) -> None: ...

    def best_so_far(self, bundle: Path, score: float) -> None:
        """A model that can be downloaded while the search goes on; `score`: its score on validation, 0-1."""
        ...

    def winner(self, description: Mapping[str, Any]) -> None:
        """The final choice, with its hash; told before the first test picture is read."""
        ...

"""Shows a run's progress on a terminal."""

import shutil
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from automl.records import RunState, TrialRecord, TrialState
from automl.records.report import CandidateReport
from automl.search.candidate import Candidate
from automl.search.description import describe
from automl.search.observer import Observer
from automl.text.messages import command_line as cli_messages
from automl.text.numbers import percent, validated


class ConsoleObserver(Observer):
    """The observer of the command line. Use it as a context manager: it shows the progress bar within.

    Args:
        best_so_far_to: the file that the best model so far is copied to while the run goes on.
    """

    def __init__(self, console: Console, best_so_far_to: Path) -> None:
        self._console = console
        self._best_so_far_to = best_so_far_to
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), console=console
        )
        self._task = self._progress.add_task(cli_messages.STARTING, total=1.0)
        self._best: int | None = None

    def __enter__(self) -> "ConsoleObserver":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def state(self, state: RunState) -> None:
        self._progress.update(self._task, description=state.value.capitalize(), completed=0.0)

    def activity(self, text: str, progress: float | None = None) -> None:
        total = None if progress is None else 1.0
        self._progress.update(self._task, description=text, completed=progress or 0.0, total=total)

    def note(self, text: str) -> None:
        self._console.print(text, style="dim", markup=False)

    def epoch(self, number: int, score: float, loss: float) -> None:
        text = cli_messages.EPOCH.format(number=number, score=percent(score), loss=loss)
        self._progress.update(self._task, description=text)

    def trial(self, record: TrialRecord, best: Candidate | None) -> None:
        if record.state is TrialState.FAILED:
            self._console.print(
                cli_messages.TRY_FAILED.format(number=record.number + 1, message=record.message),
                style="red",
                markup=False,
            )
        elif best is not None and best.number != self._best:  # not by score: scores of two stages are not comparable
            self._best = best.number
            text = cli_messages.BETTER_TRY.format(
                number=record.number + 1, score=validated(best.score), model=describe(best.params, best.parts)
            )
            self._console.print(text, markup=False)

    def best_so_far(self, bundle: Path, score: float) -> None:
        shutil.copyfile(bundle, self._best_so_far_to)
        text = cli_messages.READY_TO_USE.format(out=self._best_so_far_to, score=validated(score))
        self._console.print(text, markup=False)

    def winner(self, report: CandidateReport) -> None:
        self._console.print(cli_messages.WINNER.format(backbones=" + ".join(report.winner.backbones)), markup=False)

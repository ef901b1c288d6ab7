"""What a run says of what was before it."""

import subprocess
import sys
import time

import pytest

from automl.pipeline.__main__ import used_to_start, what_was_before
from automl.store.tables import Run
from tests.automl.delivery.report.built_reports import unfinished

WINNER = unfinished(("a", "b"))


def test_a_run_of_its_own_has_nothing_to_say() -> None:
    assert what_was_before(Run(parent_id=None, result=None), 0) == ()


@pytest.mark.parametrize(
    ("run", "n_earlier", "words"),
    [
        (Run(parent_id="another", result=None), 0, "no longer quite untouched"),
        (Run(result=WINNER), 0, "it was tested twice"),
        (Run(result=None), 7, "interrupted after 7 trials"),
    ],
)
def test_what_was_before_is_noted(run: Run, n_earlier: int, words: str) -> None:
    (note,) = what_was_before(run, n_earlier)
    assert words in note


def test_everything_that_was_before_is_noted() -> None:
    assert len(what_was_before(Run(parent_id="another", result=WINNER), 2)) == 3


def test_a_training_process_gives_way_to_the_pages() -> None:
    ask = "import os; from automl.pipeline.__main__ import give_way; a = os.nice(0); give_way(); print(os.nice(0) - a)"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "5"


def test_the_budget_runs_since_the_worker_took_the_run() -> None:
    assert used_to_start(time.monotonic() - 40) == pytest.approx(40, abs=5)
    # The worker's clock is this machine's, so it cannot be ahead; a moment in the future must not give time away.
    assert used_to_start(time.monotonic() + 40) == 0

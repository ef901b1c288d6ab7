"""The real process of a run, with all that it reads and writes, but a search that takes its trials out of the air.

python quick_pipeline.py RUN_ID NUMBER BEGAN
"""

import sys
import time
import zipfile

from automl.pipeline import __main__ as pipeline
from automl.pipeline.run import Job
from automl.records import RunResult, RunState, Stage, TrialRecord, TrialState
from automl.search.budget import Budget
from automl.search.observer import Observer
from automl.search.space import head_space
from tests.reports import made_report

N_TRIALS = 20
TRIAL_S = 0.25

SPACE = head_space(["mobilenet_v2"], [96])


def search(job: Job, budget: Budget, observer: Observer) -> RunResult:
    observer.state(RunState.SEARCHING)
    observer.space(Stage.HEADS, SPACE)
    for number in range(len(job.earlier), N_TRIALS):
        began_s = budget.elapsed_s
        observer.activity(f"Trial {number}")
        time.sleep(TRIAL_S)
        observer.trial(_record(number, began_s, budget.elapsed_s - began_s), None)
    observer.state(RunState.FINISHING)
    bundle = job.workspace / "model.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("README.md", "a model")
    return RunResult(bundle=bundle, report=made_report(), plots=())


def _record(number: int, started_s: float, duration_s: float) -> TrialRecord:
    return TrialRecord(
        number=number,
        state=TrialState.COMPLETE,
        backbones=("mobilenet_v2",),
        image_size_px=96,
        params=SPACE.defaults(),
        score=0.8,
        started_s=started_s,
        duration_s=duration_s,
        stage=Stage.HEADS,
    )


if __name__ == "__main__":
    pipeline.train = search  # type: ignore[attr-defined]
    sys.exit(pipeline.main(sys.argv[1:]))

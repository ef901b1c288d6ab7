"""What a run finds out about long photos before it searches, with features that are made up."""

from pathlib import Path

import numpy as np
import pytest

from automl.datasets.split import make_split
from automl.pipeline.aspect_choice import AspectChoice
from automl.records import DatasetManifest, ImageRecord, RunSettings, ServingContract, TrialRecord, TrialState
from automl.search.budget import Budget
from automl.search.objective import objective_of
from tests.automl.search.fakes import TARGETS, Clock, Features, RecordingObserver, context_of

N_PHOTOS = 120


def manifest(width: int = 300, contract: ServingContract | None = ServingContract()) -> DatasetManifest:  # noqa: B008
    images = [
        ImageRecord(path=Path("x"), name="x", label="ab"[n % 2], sha256=str(n), width=width, height=100)
        for n in range(N_PHOTOS)
    ]
    return DatasetManifest(
        name="x", classes=("a", "b"), images=tuple(images), refused=(), fingerprint="f", contract=contract
    )


class LongPhotos(Features):
    """Features that tell the classes apart only where photos have become square in the way `clear`."""

    clear = "whole"
    asked: list[tuple[list[str], int]]
    pool: np.ndarray
    """Of each row, the number of its photo."""

    def decode_seconds(self) -> float:
        return 0.01 * N_PHOTOS

    def last_layers_by(self, rules, rows, block, on_progress):
        self.asked.append(([one.aspect for one in rules], len(rows)))
        on_progress(1, 1)
        noise = np.random.default_rng(0).normal(0, 1, (len(rows), 8))
        shift = 4 * (self.pool[list(rows)] % 2)[:, None] * np.eye(8)[0]
        return [noise + shift * (one.aspect == self.clear) for one in rules]


def choice(photos: DatasetManifest, *, budget_s: float | None = 600.0, clear: str = "whole"):
    clock = Clock()
    features = LongPhotos(clock, image_s=0.01)
    features.asked, features.clear = [], clear
    settings, observer = RunSettings(budget_s=budget_s, max_trials=None if budget_s else 5), RecordingObserver()
    context = context_of(
        settings,
        Budget(budget_s, clock=clock),
        objective_of(settings, TARGETS.labels),
        observer=observer,
    )
    plan = make_split(photos, 0)
    features.pool = np.array(plan.pool)
    return AspectChoice(photos, plan, features=features, context=context), features, observer


@pytest.mark.parametrize(("clear", "words"), [("whole", "seen whole"), ("crop", "Only the middle"), ("no", "squeezed")])
@pytest.mark.parametrize("budget_s", [600.0, None])
def test_the_best_way_is_found_and_told(clear: str, words: str, budget_s: float | None) -> None:
    chosen, features, observer = choice(manifest(), budget_s=budget_s, clear=clear)
    assert chosen.compared() == ("squeeze" if clear == "no" else clear)
    assert features.asked[0][0] == ["squeeze", "whole", "crop"]
    assert words in observer.notes[0] and "{" not in observer.notes[0]


@pytest.mark.parametrize("photos", [manifest(width=110), manifest(contract=None)], ids=["square", "older"])
def test_square_photos_cost_nothing(photos: DatasetManifest) -> None:
    chosen, features, observer = choice(photos)
    assert chosen.compared() is None
    assert features.asked == [] and observer.notes == []


def test_without_time_there_is_no_question() -> None:
    chosen, features, _ = choice(manifest(), budget_s=5.0)
    assert chosen.compared() is None and features.asked == []


def trial(**params: str) -> TrialRecord:
    return TrialRecord(
        number=0,
        state=TrialState.COMPLETE,
        backbones=("a",),
        image_size_px=224,
        params=dict(params),
        score=0.9,
        started_s=0.0,
        duration_s=1.0,
    )


def test_a_run_that_goes_on_keeps_its_way() -> None:
    chosen, _, _ = choice(manifest())
    assert chosen.of_earlier([trial(), trial(aspect="crop")]) == "crop"
    assert chosen.of_earlier([trial()]) is None

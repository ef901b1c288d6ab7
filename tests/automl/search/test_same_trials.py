"""A seed gives the same trials in every version: they are compared with those of an earlier one, number by number.

`same_trials.json` was recorded before trials, costs and times became modules of their own. Where a change is meant to
alter the trials, record it anew: `python -m tests.automl.search.test_same_trials`.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from automl.records import Goal, RunSettings, Sampler, TrialRecord, TunerKind
from automl.search.candidate import Candidate
from tests.automl.search.worlds import FakeWorld, World, search_for_real

RECORDED = Path(__file__).with_name("same_trials.json")
FAKE: dict[str, dict[str, Any]] = {
    "no clock, TPE": {"budget_s": None, "max_trials": 25, "seed": 0},
    "no clock, Hyperband": {
        "budget_s": None,
        "max_trials": 20,
        "seed": 3,
        "tuner": TunerKind.KERAS_TUNER,
        "sampler": Sampler.HYPERBAND,
    },
    "a fake clock": {"budget_s": 150.0, "seed": 11, "sampler": Sampler.RANDOM},
    "limits": {
        "budget_s": None,
        "max_trials": 15,
        "seed": 3,
        "sampler": Sampler.RANDOM,
        "max_model_mb": 20.0,
        "max_latency_ms": 40.0,
    },
}
REAL: dict[str, dict[str, Any]] = {
    "real heads": {"budget_s": None, "max_trials": 12, "seed": 3, "sampler": Sampler.RANDOM, "fine_tuning": False}
}


def fake_head(_number: int, params: Mapping[str, Any]) -> float:
    return round(0.85 - abs(params["dropout"] - 0.3) - abs(params["label_smoothing"] - 0.1), 3)


def fake_fine_tuning(settings: Any, epoch: int) -> float:
    return round(0.6 + 0.3 * settings.crop - settings.dropout / 4 + epoch / 100, 3)


def outcome_of(records: list[TrialRecord], winner: Candidate) -> dict[str, Any]:
    trials = [
        {
            "number": one.number,
            "stage": one.stage.value,
            "state": one.state.value,
            "image_size_px": one.image_size_px,
            "params": one.params,
            "parts": list(one.parts),
            "score": one.score,
            "epochs": one.epochs,
            "n_bytes": one.n_bytes,
            "latency_s": one.latency_s,
        }
        for one in records
    ]
    return {"trials": trials, "winner": [winner.number, list(winner.parts), winner.score, winner.loss]}


def searched(name: str, scratch: Path) -> dict[str, Any]:
    if name in REAL:
        observer, winner = search_for_real(RunSettings(**REAL[name]), scratch)
        return outcome_of(observer.records, winner)
    settings = RunSettings(goal=Goal.ACCURACY, **FAKE[name])
    with pytest.MonkeyPatch.context() as patch:
        world = World(patch, scratch, FakeWorld(settings=settings, heads=fake_head, tuned=fake_fine_tuning))
        winner = world.run()
    return outcome_of(world.observer.records, winner)


def assert_same(found: Any, recorded: Any, where: str) -> None:
    """The same, but for the last digits of numbers, which differ between machines."""
    if isinstance(recorded, dict):
        assert found.keys() == recorded.keys(), where
        for key in recorded:
            assert_same(found[key], recorded[key], f"{where}, {key}")
    elif isinstance(recorded, list):
        assert len(found) == len(recorded), where
        for number, (one, other) in enumerate(zip(found, recorded, strict=True)):
            assert_same(one, other, f"{where}, {number}")
    else:
        assert found == (pytest.approx(recorded) if isinstance(recorded, float) else recorded), where


@pytest.mark.parametrize("name", [*FAKE, *REAL])
def test_the_trials_are_those_of_the_version_that_was_recorded(name, tmp_path):
    assert_same(searched(name, tmp_path), json.loads(RECORDED.read_text(encoding="utf-8"))[name], name)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = {name: searched(name, Path(folder) / name) for name in (*FAKE, *REAL)}
    RECORDED.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

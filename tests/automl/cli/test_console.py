"""What a terminal shows of a run's trials."""

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from automl.cli import console as console_module
from automl.cli.console import ConsoleObserver
from automl.records import Stage, TrialRecord, TrialState


def trial(number, state, score, message=""):
    return TrialRecord(
        number=number,
        state=state,
        backbones=("mobilenet_v2",),
        image_size_px=224,
        params={},
        score=score,
        started_s=0.0,
        duration_s=1.0,
        message=message,
    )


@pytest.fixture
def observer(tmp_path, monkeypatch):
    monkeypatch.setattr(console_module, "describe", lambda params, _parts: f"made with {params['dropout']}")
    return ConsoleObserver(Console(file=io.StringIO(), width=200), tmp_path / "model.zip")


def shown(observer):
    return observer._console.file.getvalue()


def test_a_better_trial_is_told_with_its_score_and_a_worse_one_is_not(observer):
    best = SimpleNamespace(number=0, score=0.912, params={"dropout": 0.1}, parts=())
    observer.trial(trial(0, TrialState.COMPLETE, 0.912), best)
    observer.trial(trial(1, TrialState.COMPLETE, 0.5), best)
    assert shown(observer) == "Try 1: 91.2 % on photos it had not learned from, made with 0.1\n"


def test_a_better_model_is_told_even_where_its_score_of_other_photos_is_lower(observer):
    observer.trial(
        trial(0, TrialState.COMPLETE, 0.9), SimpleNamespace(number=0, score=0.9, params={"dropout": 0.1}, parts=())
    )
    tuned = SimpleNamespace(number=1, score=0.8, params={"dropout": 0.2}, parts=())
    observer.trial(replace(trial(1, TrialState.COMPLETE, 0.8), stage=Stage.FINE_TUNING), tuned)
    assert "Try 2: 80.0 % on photos it had not learned from" in shown(observer)


def test_a_failed_trial_says_why(observer):
    observer.trial(trial(3, TrialState.FAILED, None, "Its loss is not a number."), None)
    assert shown(observer) == "Try 4 failed: Its loss is not a number.\n"


def test_a_trial_that_was_given_up_early_is_no_failure(observer):
    observer.trial(trial(3, TrialState.PRUNED, None), None)
    assert shown(observer) == ""


def test_a_mean_of_models_is_told_as_such(tmp_path):
    observer = ConsoleObserver(Console(file=io.StringIO(), width=200), tmp_path / "model.zip")
    best = SimpleNamespace(number=13, score=0.95, params={}, parts=(4, 12))
    observer.trial(replace(trial(13, TrialState.COMPLETE, 0.95), stage=Stage.ENSEMBLE), best)
    assert shown(observer) == "Try 14: 95.0 % on photos it had not learned from, the mean of tries 5, 13\n"


def test_the_best_model_so_far_is_where_the_user_wants_the_model(observer, tmp_path):
    (tmp_path / "so_far.zip").write_bytes(b"a model")
    observer.best_so_far(tmp_path / "so_far.zip", 0.5)
    assert (tmp_path / "model.zip").read_bytes() == b"a model"
    assert "Ready to use" in shown(observer)

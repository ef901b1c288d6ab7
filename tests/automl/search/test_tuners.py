"""Both tuners propose within the space, learn, and repeat themselves for one seed."""

from pathlib import Path

import pytest

from automl.records import TunerKind
from automl.search.space import Params, head_space
from automl.search.tuner import make_tuner

SPACE = head_space(["a", "b"], [160, 224])


def score(params: Params) -> float:
    """A fake objective: backbone b and little dropout are best."""
    return (params["backbones"] == "b") - float(params["dropout"])


def proposals(kind: TunerKind, folder: Path, n: int, seed: int = 3) -> list[Params]:
    tuner = make_tuner(kind, SPACE, seed, folder)
    found = []
    for _ in range(n):
        params = tuner.propose()
        assert params is not None
        found.append(params)
        tuner.observe(params, score(params))
    return found


@pytest.mark.parametrize("kind", TunerKind)
def test_proposals_lie_in_the_space_and_are_plain_numbers(kind, tmp_path):
    for params in proposals(kind, tmp_path, 5):
        assert SPACE.contains(params)
        assert all(type(value) in (str, int, float) for value in params.values())


@pytest.mark.parametrize("kind", TunerKind)
def test_one_seed_gives_the_same_proposals(kind, tmp_path):
    assert proposals(kind, tmp_path / "1", 12) == proposals(kind, tmp_path / "2", 12)


def test_optuna_finds_what_is_good(tmp_path):
    found = proposals(TunerKind.OPTUNA, tmp_path, 40)
    assert sum(map(score, found[20:])) > sum(map(score, found[:20]))


@pytest.mark.parametrize("kind", TunerKind)
def test_trials_that_it_did_not_propose_are_learnt_from(kind, tmp_path):
    tuner = make_tuner(kind, SPACE, 0, tmp_path)
    tuner.observe(SPACE.defaults(backbones="b", dropout=0.0), 1.0)
    tuner.observe(SPACE.defaults(backbones="a"), None)
    assert SPACE.contains(tuner.propose())


@pytest.mark.parametrize("kind", TunerKind)
def test_a_failed_proposal_does_not_end_the_search(kind, tmp_path):
    tuner = make_tuner(kind, SPACE, 0, tmp_path)
    for _ in range(5):
        tuner.observe(tuner.propose(), None)
    assert tuner.propose() is not None

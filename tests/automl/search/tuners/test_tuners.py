"""Both tuners propose within the space, learn, repeat themselves for one seed, and go on where they were broken off."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from automl.errors import BadSetting
from automl.records import SAMPLERS, Sampler, TunerKind
from automl.search.space import Categorical, Real, SearchSpace, Whole
from automl.search.tuners.making import make_tuner
from automl.search.tuners.tuner import Proposal, Tuner, seed_for

SPACE = SearchSpace(
    (
        Categorical("backbones", ("a", "b", "a+b"), "a"),
        Categorical("image_size_px", (160, 224), 224),
        Real(name="dropout", low=0.0, high=0.6, default=0.2),
        Real(name="learning_rate", low=3e-3, high=3e-1, default=3e-2, log=True),
        Whole(name="patience", low=3, high=15, default=8),
    )
)
ALL = [(kind, sampler) for kind, samplers in SAMPLERS.items() for sampler in samplers]
LEARNING = [entry for entry in ALL if entry[1] in (Sampler.TPE, Sampler.CMA_ES, Sampler.BAYESIAN)]
HYPERBAND = (TunerKind.KERAS_TUNER, Sampler.HYPERBAND)
GIVEN = [(Proposal(SPACE.defaults()), 0.4), (Proposal(SPACE.defaults(backbones="a+b")), None)]

Trials = list[tuple[Proposal, float | None]]


def score(proposal: Proposal) -> float:
    """A fake objective: backbone b, little dropout and little patience are best."""
    params = proposal.params
    return (params["backbones"] == "b") - float(params["dropout"]) - int(params["patience"]) / 100


def tuner_of(entry: tuple[TunerKind, Sampler | None], folder: Path, seed: int = 3, history: Trials = ()) -> Tuner:
    return make_tuner(*entry, space=SPACE, seed=seed, scratch=folder, max_epochs=9, history=history)


def run(tuner: Tuner, n: int, first: int = 0, failing: int = 5) -> Trials:
    """`n` trials; every `failing`th has no score."""
    trials = []
    for number in range(first, first + n):
        proposal = tuner.propose()
        assert proposal is not None
        trials.append((proposal, None if number % failing == failing - 1 else score(proposal)))
        tuner.observe(*trials[-1])
    return trials


@pytest.mark.parametrize("entry", ALL)
def test_proposals_lie_in_the_space_and_are_plain_numbers(entry, tmp_path):
    for proposal, _ in run(tuner_of(entry, tmp_path), 16):
        assert proposal.params.keys() == SPACE.defaults().keys()
        assert SPACE.contains(proposal.params)
        assert all(type(value) in (str, int, float) for value in proposal.params.values())


@pytest.mark.parametrize("entry", ALL)
@pytest.mark.parametrize("seed", [0, 3])
def test_one_seed_gives_the_same_proposals(entry, seed, tmp_path):
    found = [run(tuner_of(entry, tmp_path / name, seed), 15) for name in "ab"]
    assert found[0] == found[1]
    assert run(tuner_of(entry, tmp_path / "c", seed + 1), 15) != found[0]


@pytest.mark.parametrize("entry", ALL)
def test_a_tuner_that_was_broken_off_goes_on_as_if_it_had_not_been(entry, tmp_path):
    whole = tuner_of(entry, tmp_path / "whole", history=GIVEN)
    expected = run(whole, 30)
    for n_before in (0, 6, 14, 25):
        history = [*GIVEN, *expected[:n_before]]
        resumed = tuner_of(entry, tmp_path / f"resumed-{n_before}", history=history)
        assert run(resumed, 30 - n_before, n_before) == expected[n_before:]


@pytest.mark.parametrize("entry", ALL)
def test_given_trials_in_the_middle_do_not_hinder_a_resumption(entry, tmp_path):
    tuner = tuner_of(entry, tmp_path / "1")
    before = run(tuner, 7)
    given = (Proposal(SPACE.defaults(dropout=0.33)), 0.2)
    tuner.observe(*given)
    between = run(tuner, 8)
    resumed = tuner_of(entry, tmp_path / "2", history=[*before, given, *between])
    assert run(resumed, 6) == run(tuner, 6)


@pytest.mark.parametrize("entry", ALL)
def test_a_process_that_was_killed_is_resumed_by_another(entry, tmp_path):
    """What is kept of a trial is JSON; the random state and the oracle's files are gone with the process."""
    expected = run(tuner_of(entry, tmp_path / "whole"), 15)
    kept = json.loads(json.dumps([(trial.params, trial.epochs, scored) for trial, scored in expected[:9]]))
    history = [(Proposal(params, epochs), scored) for params, epochs, scored in kept]
    assert run(tuner_of(entry, tmp_path / "resumed", history=history), 6, 9) == expected[9:]


@pytest.mark.parametrize("entry", LEARNING)
def test_it_finds_what_is_good(entry, tmp_path):
    found = [score(proposal) for proposal, _ in run(tuner_of(entry, tmp_path), 50, failing=100)]
    assert sum(found[30:]) / 20 > sum(found[:20]) / 20 + 0.1


@pytest.mark.parametrize("entry", ALL)
def test_a_proposal_stays_until_it_was_observed(entry, tmp_path):
    tuner = tuner_of(entry, tmp_path)
    proposal = tuner.propose()
    assert tuner.propose() == proposal
    tuner.observe(proposal, 0.5)
    assert tuner.propose() != proposal


@pytest.mark.parametrize("entry", ALL)
def test_failed_proposals_do_not_end_the_search(entry, tmp_path):
    tuner = tuner_of(entry, tmp_path)
    assert len(run(tuner, 20, failing=1)) == 20


@pytest.mark.parametrize("entry", [(TunerKind.OPTUNA, Sampler.TPE), (TunerKind.KERAS_TUNER, Sampler.BAYESIAN)])
def test_trials_without_a_score_are_kept_away_from(entry, tmp_path):
    """Whatever has backbone b is pruned."""
    tuner = tuner_of(entry, tmp_path)
    chosen = []
    for _ in range(50):
        proposal = tuner.propose()
        chosen.append(proposal.params["backbones"])
        tuner.observe(proposal, None if chosen[-1] == "b" else 0.5 - float(proposal.params["dropout"]))
    assert chosen[30:].count("b") < 20 / 3


@pytest.mark.parametrize("entry", ALL)
def test_history_of_another_space_is_passed_over(entry, tmp_path):
    other = [(Proposal({"backbone": "a"}), 0.9), (Proposal(SPACE.defaults(dropout=0.9)), 0.9)]
    assert run(tuner_of(entry, tmp_path / "1", history=other), 5) == run(tuner_of(entry, tmp_path / "2"), 5)


def test_hyperband_promotes_the_best_to_more_epochs(tmp_path):
    trials = run(tuner_of(HYPERBAND, tmp_path), 40, failing=100)
    assert {proposal.epochs for proposal, _ in trials} == {1, 3, 9}
    short = [(proposal.params, scored) for proposal, scored in trials if proposal.epochs == 1]
    promoted = [scored for proposal, scored in trials if proposal.epochs == 3 and (proposal.params, scored) in short]
    assert promoted
    assert min(promoted) > sorted(scored for _, scored in short)[len(short) // 2]


def test_hyperband_does_not_come_to_an_end(tmp_path):
    assert len(run(tuner_of(HYPERBAND, tmp_path), 90)) == 90


def test_hyperband_goes_on_where_the_record_is_not_what_it_would_propose(tmp_path):
    foreign = [(Proposal(SPACE.defaults(dropout=n / 10), epochs=1), 0.5) for n in range(3)]
    assert len(run(tuner_of(HYPERBAND, tmp_path, history=foreign), 20)) == 20


@pytest.mark.parametrize("kind", TunerKind)
def test_a_tuner_has_a_default_sampler(kind, tmp_path):
    default = run(tuner_of((kind, None), tmp_path / "1"), 14)
    assert default == run(tuner_of((kind, SAMPLERS[kind][0]), tmp_path / "2"), 14)


@pytest.mark.parametrize(
    "entry",
    [(TunerKind.OPTUNA, Sampler.BAYESIAN), (TunerKind.OPTUNA, Sampler.HYPERBAND), (TunerKind.KERAS_TUNER, Sampler.TPE)],
)
def test_a_sampler_of_the_other_tuner_is_refused_with_what_is_allowed(entry, tmp_path):
    with pytest.raises(BadSetting, match=SAMPLERS[entry[0]][2]):
        tuner_of(entry, tmp_path)


def test_after_very_many_trials_only_the_best_and_the_latest_are_remembered(tmp_path):
    many = [(Proposal(SPACE.defaults(dropout=n / 4000)), 1.0 - n / 4000) for n in range(1200)]
    tuner = tuner_of((TunerKind.OPTUNA, Sampler.TPE), tmp_path, history=many)
    remembered = tuner._study.get_trials(deepcopy=False)
    assert len(remembered) < 600
    assert remembered[0].params["dropout"] == 0.0
    assert remembered[-1].params["dropout"] == 1199 / 4000
    assert run(tuner, 2) == run(tuner_of((TunerKind.OPTUNA, Sampler.TPE), tmp_path, history=many), 2)


def test_the_gaussian_process_sees_the_latest_trials_and_the_best(tmp_path):
    many = [(Proposal(SPACE.defaults(dropout=n / 400)), -n / 200) for n in range(200)]
    tuner = tuner_of((TunerKind.KERAS_TUNER, Sampler.BAYESIAN), tmp_path, history=many)
    assert tuner.propose() is not None
    assert len(tuner._oracle.gpr.y_train_) == 151


def test_seeds_of_neighbouring_trials_are_far_apart():
    seeds = [seed_for(seed, n) for seed in (0, 1) for n in range(200)]
    assert len(set(seeds)) == 400
    assert all(0 < seed <= 2**31 for seed in seeds)


def test_the_interface_needs_neither_library():
    code = "import sys, automl.search.tuners.tuner; print({'optuna', 'keras_tuner', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("entry", ALL)
@pytest.mark.parametrize(
    "free",
    [
        Real(name="dropout", low=0.0, high=0.6, default=0.2),
        Whole(name="patience", low=3, high=15, default=8),
        Categorical("taps", ("x", "y"), "x"),
    ],
)
def test_a_space_in_which_nearly_everything_is_fixed_can_be_searched(entry, free, tmp_path):
    space = SearchSpace((Categorical("backbones", ("a",), "a"), Categorical("image_size_px", (224,), 224), free))
    tuner = make_tuner(*entry, space=space, seed=1, scratch=tmp_path, max_epochs=9)
    n_trials = 0
    while n_trials < 16 and (proposal := tuner.propose()) is not None:  # an oracle may find that all was tried
        assert space.contains(proposal.params)
        tuner.observe(proposal, 0.5)
        n_trials += 1
    assert n_trials >= 2


SHARED = ("backbones", "image_size_px")
BATCHES = [(TunerKind.OPTUNA, Sampler.TPE), (TunerKind.OPTUNA, Sampler.RANDOM)]


def run_together(tuner: Tuner, n_passes: int) -> Trials:
    """Passes of four trials."""
    trials: Trials = []
    for _ in range(n_passes):
        first = tuner.propose()
        assert first is not None
        together = [first, *tuner.beside(first, SHARED, 3)]
        assert len(together) == 4
        for proposal in together:
            trials.append((proposal, score(proposal)))
            tuner.observe(*trials[-1])
    return trials


@pytest.mark.parametrize("entry", BATCHES)
def test_proposals_of_a_pass_agree_where_they_must_and_differ_elsewhere(entry, tmp_path):
    trials = run_together(tuner_of(entry, tmp_path), 8)
    for start in range(0, 32, 4):
        together = [proposal.params for proposal, _ in trials[start : start + 4]]
        assert all(SPACE.contains(params) for params in together)
        assert len({tuple(params[name] for name in SHARED) for params in together}) == 1
        assert len({params["learning_rate"] for params in together}) == 4


@pytest.mark.parametrize("entry", BATCHES)
def test_a_tuner_that_was_broken_off_between_passes_goes_on_as_if_it_had_not_been(entry, tmp_path):
    expected = run_together(tuner_of(entry, tmp_path), 10)
    for n_before in (1, 4, 7):
        resumed = tuner_of(entry, tmp_path, history=expected[: 4 * n_before])
        assert run_together(resumed, 10 - n_before) == expected[4 * n_before :]


def test_it_also_finds_what_is_good_in_passes(tmp_path):
    found = [score(proposal) for proposal, _ in run_together(tuner_of(BATCHES[0], tmp_path), 15)]
    assert sum(found[40:]) / 20 > sum(found[:20]) / 20 + 0.1


@pytest.mark.parametrize("entry", [entry for entry in ALL if entry not in BATCHES])
def test_a_tuner_that_cannot_fix_dimensions_proposes_one_at_a_time(entry, tmp_path):
    tuner = tuner_of(entry, tmp_path)
    proposal = tuner.propose()
    assert proposal is not None
    assert tuner.beside(proposal, SHARED, 3) == []
    assert tuner.propose() == proposal

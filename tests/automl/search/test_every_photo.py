"""Without a test set the delivered model is chosen by answers to every photo, and by nothing else."""

import numpy as np
import pytest

from automl.models.head.settings import Targets
from automl.records import RunSettings, Stage
from automl.search import every_photo
from automl.search.budget import Budget
from automl.search.candidate import Branch
from automl.search.every_photo import AnsweredTrials
from automl.search.objective import Objective, objective_of
from automl.search.search import Search
from automl.search.space import RECIPE
from tests.automl.search.fakes import (
    LATENCY_S,
    MODEL_BYTES,
    N_ROWS,
    TARGETS,
    V1,
    V2,
    Clock,
    Features,
    Packer,
    RecordingObserver,
    RecordingTrials,
    branch_head,
    candidate,
    context_of,
    costs_of,
)
from tests.automl.search.worlds import SmallFeatures

GROUPS = np.arange(N_ROWS)


def answered(*candidates, targets=TARGETS, objective=Objective()) -> AnsweredTrials:  # noqa: B008
    trials = AnsweredTrials(targets, GROUPS, objective)
    for one in candidates:
        trials.offer(one)
    return trials


def numbers_of(trials: AnsweredTrials) -> list[int]:
    return [one.number for one in trials.candidates]


def test_only_models_with_all_answers_are_chosen_from():
    some_rows = candidate(1, rows=np.arange(10))
    one_repeat = candidate(2)
    twice = Targets(labels=TARGETS.labels, folds=np.tile(TARGETS.folds, 2), n_folds=2, n_classes=2)
    assert numbers_of(answered(candidate(0), some_rows)) == [0]
    assert numbers_of(answered(candidate(0, n_repeats=2), one_repeat, targets=twice)) == [0]


def test_a_model_without_all_answers_is_never_the_best_one():
    trials = RecordingTrials(context_of(groups=GROUPS))
    trials.restore(candidate(0, 0.6))
    trials.restore(candidate(1, 1.0, rows=np.arange(10)))
    assert trials.models.best.number == 0


def test_photos_that_no_fold_holds_out_need_no_answer():
    folds = np.where(np.arange(N_ROWS) < 4, -1, TARGETS.folds[:, 0])[:, None]
    targets = Targets(labels=TARGETS.labels, folds=folds, n_folds=2, n_classes=2)
    trials = answered(candidate(0, rows=np.arange(4, N_ROWS)), targets=targets)
    assert numbers_of(trials) == [0]
    assert len(trials.photos.labels) == N_ROWS - 4
    assert sorted(trials.photos.groups) == list(range(N_ROWS - 4))


def test_a_model_that_was_trained_again_takes_its_place():
    trials = answered(candidate(0, 0.6), candidate(1), candidate(0, 0.9))
    assert [one.score for one in trials.candidates] == [0.9, 0.8]


def test_where_memory_is_short_the_worst_models_go(monkeypatch):
    monkeypatch.setattr(every_photo, "_MOST_BYTES", 2 * every_photo._n_bytes(candidate(0)))
    assert numbers_of(answered(candidate(0), candidate(1, 0.5), candidate(2, 0.9))) == [0, 2]


def test_neither_the_recipe_nor_the_best_within_the_limits_goes(monkeypatch):
    monkeypatch.setattr(every_photo, "_MOST_BYTES", 1)
    recipe = candidate(0, 0.5, params=dict(RECIPE))
    small = candidate(1, 0.6, latency_s=0.01)
    limits = Objective(max_latency_s=0.015)
    trials = answered(recipe, small, candidate(2, 0.9), candidate(3, 0.55, latency_s=0.01), objective=limits)
    assert numbers_of(trials) == [0, 1]


def test_models_of_another_size_are_left_out_unless_only_they_keep_the_limits():
    small = candidate(1, image_size_px=160, heads=(branch_head(Branch(V2, 160)),), latency_s=0.01)
    trials = answered(candidate(0), small)
    assert [one.number for one in trials.of_one_size(224, Objective())] == [0]
    assert [one.number for one in trials.of_one_size(224, Objective(max_latency_s=0.015))] == [1]


def test_heads_that_merge_are_one_part_and_a_network_counts_once():
    costs = costs_of(Features(Clock()))
    parts = [
        candidate(0),
        candidate(1),
        candidate(2, heads=(branch_head(Branch(V2, 224), Branch(V1, 224)),)),
        candidate(3, heads=(branch_head(n_layers=2),)),
    ]
    trials = answered(*parts)
    found = trials.answers(trials.candidates, costs).parts
    head_bytes = parts[0].heads[0].n_bytes
    both = found.uses[0] | found.uses[1]
    assert both @ found.n_bytes == MODEL_BYTES[V2] + head_bytes
    assert (both | found.uses[3]) @ found.n_bytes == MODEL_BYTES[V2] + head_bytes + parts[3].heads[0].n_bytes
    assert found.uses[2] @ found.latency_s == pytest.approx(
        sum(costs.of([Branch(name, 224)], 0).latency_s for name in (V1, V2))
    )
    assert LATENCY_S  # of the fakes


def test_the_recipe_is_known_by_its_settings_those_on_equally_many_networks_together():
    both = branch_head(Branch(V2, 224), Branch(V1, 224))
    trials = answered(
        candidate(0, params={**RECIPE}, heads=(both,)),
        candidate(1, params={**RECIPE, "taps": "several"}),
        candidate(2, params={**RECIPE}),
        candidate(3, params={**RECIPE}),
    )
    assert trials.answers(trials.candidates, costs_of(Features(Clock()))).recipe == ((2, 3), (0,))


def test_a_mean_runs_at_most_the_networks_of_one_size():
    both = branch_head(Branch(V2, 224), Branch(V1, 224))
    trials = answered(candidate(0, heads=(both,)), candidate(1, heads=(branch_head(Branch(V1, 96)),)))
    assert trials.n_branches == 2
    assert answered().n_branches == 0


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Ten real heads on random features, of which each photo is answered for three times."""
    random = np.random.default_rng(0)
    folds = np.stack([random.permutation(N_ROWS) % 4 for _ in range(3)], axis=1)
    targets = Targets(labels=TARGETS.labels, folds=folds, n_folds=4, n_classes=2)
    settings = RunSettings(budget_s=None, max_trials=10, fine_tuning=False)
    observer = RecordingObserver()
    context = context_of(
        settings,
        Budget(None),
        objective_of(settings, targets.labels),
        targets=targets,
        observer=observer,
        groups=GROUPS,
    )
    scratch = tmp_path_factory.mktemp("search")
    search = Search(context, features=SmallFeatures(0.1), weights={}, packer=Packer(), scratch=scratch)
    return search, search.run(search.prepare(), lambda: None), observer


def test_the_delivered_model_is_the_mean_that_its_answers_say(searched):
    search, best, observer = searched
    known = {one.number: one for one in search.trials.answered.candidates}
    parts = [known[number] for number in best.trial_numbers]
    if best.stage is Stage.ENSEMBLE:
        assert observer.records[-1].parts == best.parts
    low, high = (bound([one.held_out_logits for one in parts], axis=0) for bound in (np.min, np.max))
    assert np.all(best.held_out_logits >= low - 1e-4) and np.all(best.held_out_logits <= high + 1e-4)
    assert search.is_chosen(best)
    assert set(best.trial_numbers) <= set(search.answers_to_every_photo().numbers) <= set(known)
    assert search.answers_to_every_photo(parts[0]).numbers == (parts[0].number,)


def test_no_training_ends_on_the_photos_that_it_is_scored_on(searched):
    _, _, observer = searched
    assert all("patience" not in record.params for record in observer.records if record.stage is Stage.HEADS)
    heads = [one for one in searched[0].trials.answered.candidates if one.stage is Stage.HEADS]
    assert all(one.best_epoch in (0, one.params["epochs"]) for one in heads)  # 0 for one that knows no epochs

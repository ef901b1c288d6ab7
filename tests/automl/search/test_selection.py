"""The whole selection: it stays with the recipe unless the answers prove it wrong, and keeps the limits."""

import numpy as np
import pytest

from automl.records import Goal
from automl.search.candidate import Branch
from automl.search.confidence import best_temperature
from automl.search.objective import Objective
from automl.search.selection import (
    AskedPhotos,
    ModelParts,
    TrialAnswers,
    chosen_counts,
    mean_answers,
    parts_of,
    select,
)
from tests.automl.search.fakes import MODEL_BYTES, V1, V2, Clock, Features, branch_head, candidate, costs_of

N_ROWS, N_CLASSES = 90, 3


def asked(n_rows: int = N_ROWS) -> AskedPhotos:
    return AskedPhotos(labels=np.arange(n_rows) % N_CLASSES, groups=np.arange(n_rows), n_classes=N_CLASSES)


def own_parts(n_trials: int) -> ModelParts:
    """Each trial is one part of 10 bytes and a second."""
    return ModelParts(
        uses=np.eye(n_trials, dtype=bool), n_bytes=np.full(n_trials, 10.0), latency_s=np.full(n_trials, 1.0)
    )


def answering(
    skills: list[float], photos: AskedPhotos, *, seed: int = 0, recipe: tuple[tuple[int, ...], ...] = ((0,),)
):
    """Trials that know so much, each with noise of its own; two repeats."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(len(skills), 2, len(photos.labels), N_CLASSES))
    logits = noise + np.array(skills)[:, None, None, None] * np.eye(N_CLASSES)[photos.labels]
    return TrialAnswers(
        numbers=tuple(range(100, 100 + len(skills))),
        logits=logits.astype(np.float32),
        parts=own_parts(len(skills)),
        recipe=recipe,
    )


def test_noise_alone_moves_nothing():
    """Trials that say the same as the recipe, but for noise that helps some of them by luck."""
    photos = asked()
    (recipe,) = answering([2.0], photos).logits
    random = np.random.default_rng(1)
    logits = np.stack([recipe, *(recipe + random.normal(scale=0.2, size=(40, *recipe.shape)))]).astype(np.float32)
    answers = TrialAnswers(numbers=tuple(range(41)), logits=logits, parts=own_parts(41), recipe=((0,),))
    assert select(answers, photos, Objective()).weights == ((0, 1.0),)


def test_a_trial_that_is_really_better_joins():
    photos = asked()
    chosen = dict(select(answering([0.5, 3.0, 0.5], photos), photos, Objective()).weights)
    assert chosen[101] > 0.5
    assert sum(chosen.values()) == pytest.approx(1)


def test_without_a_recipe_the_lowest_log_loss_is_the_start():
    photos = asked()
    chosen = select(answering([0.0, 2.0, 0.1], photos, recipe=()), photos, Objective())
    assert dict(chosen.weights)[101] > 0.5


def test_the_largest_recipe_within_the_limits_is_the_start():
    photos = asked()
    logits = np.tile(answering([1.0], photos).logits, (3, 1, 1, 1))
    parts = ModelParts(uses=np.eye(3, dtype=bool), n_bytes=np.ones(3), latency_s=np.array([1.0, 1.0, 2.0]))
    answers = TrialAnswers(numbers=(100, 101, 102), logits=logits, parts=parts, recipe=((0,), (2,)))
    assert select(answers, photos, Objective()).weights == ((102, 1.0),)
    assert select(answers, photos, Objective(max_latency_s=1.5)).weights == ((100, 1.0),)


def test_of_recipes_on_equally_many_networks_the_better_one_is_the_start():
    """A search that ends early has them on single networks only."""
    photos = asked()
    chosen = select(answering([2.0, 0.2], photos, recipe=((0, 1),)), photos, Objective())
    assert dict(chosen.weights)[100] > 0.5


def test_trials_that_share_their_parts_join_within_a_limit_that_others_break():
    photos = asked()
    answers = answering([0.5, 3.0, 3.0], photos)
    uses = np.array([[True, False], [True, False], [False, True]])
    parts = ModelParts(uses=uses, n_bytes=np.array([10.0, 10.0]), latency_s=np.zeros(2))
    answers = TrialAnswers(numbers=answers.numbers, logits=answers.logits, parts=parts, recipe=((0,),))
    chosen = dict(select(answers, photos, Objective(max_model_bytes=15)).weights)
    assert chosen[101] > 0.5
    assert 102 not in chosen


def test_where_nothing_keeps_the_limits_something_is_delivered_all_the_same():
    photos = asked()
    assert select(answering([1.0, 1.0], photos), photos, Objective(max_model_bytes=1)).weights == ((100, 1.0),)


def test_copies_of_a_photo_are_no_further_evidence():
    """Four copies of each of a few photos say with false certainty what the photos alone do not."""
    photos, copied = asked(12), asked(48)
    alone = answering([1.0, 1.6], photos, seed=3)
    groups = np.tile(np.arange(12), 4)
    answers = TrialAnswers(
        numbers=alone.numbers, logits=np.tile(alone.logits, (1, 1, 4, 1)), parts=alone.parts, recipe=((0,),)
    )
    grouped = AskedPhotos(labels=np.tile(photos.labels, 4), groups=groups, n_classes=N_CLASSES)
    assert select(answers, grouped, Objective()).weights == select(alone, photos, Objective()).weights
    assert (copied.labels == grouped.labels).all()
    assert select(answers, copied, Objective()).weights != select(alone, photos, Objective()).weights


def test_many_bags_choose_what_each_would_choose_alone():
    photos = asked()
    answers = answering([1.0, *np.linspace(0.5, 2.0, 30)], photos)
    weights = np.random.default_rng(0).multinomial(N_ROWS, np.full(N_ROWS, 1 / N_ROWS), size=12).astype(float)
    together = chosen_counts(answers, photos, Objective(), weights)
    alone = [chosen_counts(answers, photos, Objective(), one[None])[0] for one in weights]
    assert (together == np.array(alone)).all()
    assert len(np.unique(together, axis=0)) > 1


def test_a_photo_drawn_twice_counts_as_two():
    photos = asked(30)
    answers = answering([1.0, 1.5, 2.0], photos, seed=5)
    twice = np.concatenate([np.arange(30), np.arange(15)])
    doubled = TrialAnswers(
        numbers=answers.numbers, logits=answers.logits[:, :, twice], parts=answers.parts, recipe=((0,),)
    )
    as_rows = AskedPhotos(labels=photos.labels[twice], groups=np.arange(45), n_classes=N_CLASSES)
    as_weights = np.bincount(twice)[None].astype(float)
    (mine,) = chosen_counts(answers, photos, Objective(), as_weights)
    (other,) = chosen_counts(doubled, as_rows, Objective(), np.ones((1, 45)))
    assert (mine == other).all()


def test_for_balanced_accuracy_a_rare_class_counts_as_much():
    """Trial 1 is better at the many photos of class 0, trial 2 at the few of the others."""
    labels = np.array(80 * [0] + 10 * [1] + 10 * [2])
    photos = AskedPhotos(labels=labels, groups=np.arange(100), n_classes=N_CLASSES)
    right = np.eye(N_CLASSES)[labels][None]
    skill = np.stack([np.ones(100), np.where(labels == 0, 3.0, 0.0), np.where(labels == 0, 0.5, 4.0)])
    logits = (skill[:, None, :, None] * right[None]).astype(np.float32)
    answers = TrialAnswers(numbers=(0, 1, 2), logits=logits, parts=own_parts(3), recipe=((0,),))
    plain = dict(select(answers, photos, Objective()).weights)
    balanced = dict(select(answers, photos, Objective(goal=Goal.BALANCED_ACCURACY)).weights)
    assert plain.get(1, 0) > plain.get(2, 0)
    assert balanced.get(2, 0) > balanced.get(1, 0)


def test_the_temperature_is_that_of_the_mean():
    photos = asked()
    answers = answering([2.0, 2.0], photos)
    chosen = select(answers, photos, Objective())
    counts = np.array([dict(chosen.weights).get(number, 0) for number in answers.numbers])
    logits = mean_answers(answers, np.round(counts * 100).astype(int)).reshape(-1, N_CLASSES)
    expected = best_temperature(logits, np.tile(photos.labels, 2), n_photos=N_ROWS)
    assert chosen.temperature == pytest.approx(expected, rel=0.02)


def test_linear_heads_on_the_same_features_and_networks_that_are_used_twice_cost_once():
    one, both = [Branch(V2, 224)], [Branch(V2, 224), Branch(V1, 224)]
    heads = [branch_head(*one), branch_head(*one), branch_head(*one, n_layers=2), branch_head(*both)]
    models = [candidate(number, heads=(head,)) for number, head in enumerate(heads)]
    parts = parts_of(models, costs_of(Features(Clock())))

    def n_bytes(*places: int) -> float:
        return float(parts.n_bytes @ parts.uses[list(places)].any(axis=0))

    assert n_bytes(0) == n_bytes(0, 1) == MODEL_BYTES[V2] + heads[0].n_bytes
    assert n_bytes(0, 2) == n_bytes(0) + heads[2].n_bytes
    assert n_bytes(0, 3) == n_bytes(0) + MODEL_BYTES[V1] + heads[3].n_bytes
    assert parts.latency_s @ parts.uses[3] == pytest.approx(0.05)

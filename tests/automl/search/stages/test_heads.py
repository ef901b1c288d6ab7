"""Stage 1 with fake features, a fake training and a fake clock."""

from contextlib import suppress
from dataclasses import replace

import pytest

from automl.errors import TrialFailed
from automl.records import RunSettings, Sampler, Stage, TrialRecord, TrialState, TunerKind
from automl.search.block import Block
from automl.search.budget import Budget, SearchOver
from automl.search.objective import Objective
from automl.search.plan import FeaturePlan
from automl.search.space import RECIPE, backbone_names
from automl.search.stages import heads as heads_stage
from automl.search.stages.head_trial import SHARED
from automl.search.stages.heads import PATIENCE_TRIALS, HeadsStage
from tests.automl.search.fakes import (
    LITE0,
    LITE2,
    V1,
    V2,
    Clock,
    Features,
    RecordingTrials,
    context_of,
    costs_of,
    head_candidate,
    logits_for,
)

TRIAL_S = 2.0
PLAN = FeaturePlan((Block(V1, 224), Block(V2, 224)))
TUNERS = [{"tuner": TunerKind.OPTUNA}, {"tuner": TunerKind.KERAS_TUNER}]


def stage_of(context, features, trials, scratch) -> HeadsStage:
    costs = costs_of(features, context.objective)
    return HeadsStage(context, features=features, trials=trials, costs=costs, scratch=scratch)


class World:
    """A stage whose trials give `score(number, params)`, or what it raises."""

    def __init__(self, monkeypatch, scratch, settings, score, earlier=(), objective=None, **changes) -> None:
        self.clock = Clock()
        self.budget = Budget(settings.budget_s, reserve_s=20, clock=self.clock)
        self.features = Features(self.clock)
        context = context_of(settings, self.budget, objective)
        self.observer, self.trials = context.observer, RecordingTrials(context, earlier)
        self.stage = stage_of(context, self.features, self.trials, scratch)
        self.trained = []

        def train(planned, features):
            params, trial = planned.params, planned.trial
            assert all(Block(name, params["image_size_px"]) in features.available() for name in backbone_names(params))
            self.trained.append((trial.number, trial.seed, params))
            try:
                made = head_candidate(trial.number, params, features, score(trial.number, params), **changes)
                trial.on_epoch(1, logits_for(made.score))
            except Exception as error:  # noqa: BLE001 - as the real one does
                return error
            return made

        def run_head_trials(planned, *, features, **_):
            self.clock.now += TRIAL_S
            self.passes.append(len(planned))
            return [train(one, features) for one in planned]

        self.passes, self.seed = [], settings.seed
        monkeypatch.setattr(heads_stage, "run_head_trials", run_head_trials)

    @property
    def params(self):
        return [record.params for record in self.trials.records]

    def run(self, plan=PLAN, max_trials=None, until_s=float("inf")):
        self.stage.first_features(plan)
        self.stage.search(plan, max_trials, until_s)


@pytest.fixture
def world(monkeypatch, tmp_path):
    def build(score=lambda number, params: 0.8, settings=None, **options):
        return World(monkeypatch, tmp_path, settings or RunSettings(sampler=Sampler.RANDOM), score, **options)

    return build


def combinations(world):
    return [(p["backbones"], p["taps"], p["image_size_px"]) for p in world.params]


BLOCKS = FeaturePlan((*PLAN.blocks, Block(V1, 160), Block(V2, 160), Block(V1, 224, True)))
FUSED = f"{V2}+{V1}"


def test_the_recipe_is_tried_on_each_network_as_soon_as_it_is_there_and_on_all_of_them(world):
    w = world()
    w.stage.first_features(BLOCKS)
    assert combinations(w) == [(name, "last", size) for size in (224, 160) for name in (V1, V2, FUSED)]
    assert all(params.items() >= RECIPE.items() for params in w.params)
    assert w.stage.space.contains(w.params[-1])


def test_of_more_photos_inner_layers_are_tried_at_the_main_size_too(world, monkeypatch):
    several = RECIPE | {"taps": "several"}
    monkeypatch.setattr(heads_stage, "FIRST_CHOICES", ((0, RECIPE), (40, several), (41, {"taps": "several"})))
    w = world()
    w.stage.first_features(BLOCKS)
    at_224 = [(name, taps, 224) for name in (V1, V2, FUSED) for taps in ("last", "several")]
    assert combinations(w) == [*at_224, *((name, "last", 160) for name in (V1, V2, FUSED))]


def test_of_very_many_photos_the_experts_settings_are_tried(world, monkeypatch):
    monkeypatch.setattr(heads_stage, "MOST_REGRESSED", 39)
    w = world()
    w.stage.first_features(BLOCKS)
    soonest = [(V1, "last", 224), (V1, "several", 224)]  # somebody waits for a first model
    at_224 = [(name, taps, 224) for name in (V2, FUSED) for taps in ("several", "last")]
    assert combinations(w) == [*soonest, *at_224, *((name, "several", 160) for name in (V1, V2, FUSED))]
    assert w.stage.space.contains(w.params[-1])
    assert not any(dimension.name == "inverse_regularisation" for dimension in w.stage.space.dimensions)


def test_with_hidden_layers_that_the_user_wants_nothing_is_regressed(world):
    w = world(settings=RunSettings(head_layers=(32,)))
    w.stage.first_features(PLAN)
    assert {params["optimizer"] for params in w.params} == {"adamw"}


def test_the_recipe_is_tried_on_as_many_networks_as_the_limits_allow_together(world):
    w = world(objective=Objective(max_model_bytes=25_000_000))
    w.features.backbones = (V2, V1, LITE0)
    w.stage.first_features(FeaturePlan((*PLAN.blocks, Block(LITE0, 224))))
    assert [name for name, *_ in combinations(w)] == [V1, LITE0, V2, FUSED]


def test_trials_of_an_earlier_version_are_part_of_the_tuners_history(world, monkeypatch):
    histories = []
    make = heads_stage.make_tuner
    monkeypatch.setattr(heads_stage, "make_tuner", lambda *a, **k: histories.append(k["history"]) or make(*a, **k))
    before = world()
    before.stage.first_features(PLAN)
    old = {
        name: value
        for name, value in (before.params[0] | {"optimizer": "sgd"}).items()
        if name not in ("normalisation", "inverse_regularisation")
    }
    w = world(earlier=[replace(before.trials.records[0], params=old)])
    w.run(max_trials=12)
    ((proposal, score), *_) = histories[-1]
    assert w.stage.space.contains(proposal.params) and proposal.params["normalisation"] == "standardised"
    assert score == 0.8


def test_a_block_that_does_not_fit_into_the_time_is_left_out_and_in_no_fusion(world):
    w = world(settings=RunSettings(budget_s=40))
    w.features.image_s = 1.0
    w.features.cached = {Block(V1, 224)}
    w.stage.first_features(FeaturePlan((Block(V1, 224), Block(V2, 224), Block(V1, 160))))
    assert {name for name, *_ in combinations(w)} == {V1}
    assert any("left out" in note for note in w.observer.notes)


def test_a_fusion_is_tried_though_the_block_in_the_middle_was_left_out(world):
    w = world(settings=RunSettings(budget_s=40))
    w.features.backbones = (V2, V1, "efficientnet_lite0")
    w.features.image_s = 1.0
    w.features.cached = {Block(V1, 224), Block("efficientnet_lite0", 224)}
    w.stage.first_features(FeaturePlan((Block(V1, 224), Block(V2, 224), Block("efficientnet_lite0", 224))))
    assert f"{V1}+efficientnet_lite0" in {name for name, *_ in combinations(w)}
    assert all(record.state is TrialState.COMPLETE for record in w.trials.records)


FOUR = (V2, V1, LITE0, LITE2)


def test_after_the_first_block_the_one_that_adds_most_is_next(world):
    w = world()
    w.features.backbones = FOUR
    w.stage.first_features(FeaturePlan(tuple(Block(name, 224) for name in (V1, LITE0, V2, LITE2))))
    assert [block.backbone for block in w.features.computed_blocks[:2]] == [V1, LITE2]


def test_what_is_not_worth_its_time_beside_a_good_first_model_is_left_out_with_a_note(world):
    w = world(lambda number, params: 0.999)
    w.features.backbones = FOUR
    w.stage.first_features(FeaturePlan(tuple(Block(name, 224) for name in FOUR)))
    assert w.features.computed_blocks == [Block(V2, 224)]
    assert "EfficientNet-Lite2 at 224 px was left out: the time is better spent otherwise." in w.observer.notes


def test_the_backbones_that_did_best_alone_are_fused_first(world):
    alone = {V2: 0.80, V1: 0.81, LITE0: 0.79, LITE2: 0.82}
    w = world(lambda number, params: alone.get(params["backbones"], 0.83))
    w.features.backbones = FOUR
    w.features.cached = {Block(name, 224) for name in FOUR}
    w.stage.first_features(FeaturePlan(tuple(Block(name, 224) for name in FOUR)))
    assert [params["backbones"] for params in w.params[-2:]] == [f"{V2}+{V1}+{LITE2}", "+".join(FOUR)]


def test_without_a_clock_all_blocks_are_computed_in_the_order_of_the_plan(world):
    w = world(lambda number, params: 0.999, settings=RunSettings(budget_s=None, max_trials=30))
    w.features.backbones = FOUR
    plan = tuple(Block(name, 224) for name in FOUR)
    w.stage.first_features(FeaturePlan(plan))
    assert tuple(w.features.computed_blocks) == plan


def test_the_first_block_is_computed_however_little_time_there_is(world):
    w = world(settings=RunSettings(budget_s=1))
    with suppress(SearchOver):
        w.stage.first_features(PLAN)
    assert w.features.computed_blocks == [Block(V1, 224)]
    assert w.trials.models.best.number == 0


def test_features_of_an_earlier_run_cost_nothing(world):
    w = world()
    w.features.cached = set(PLAN.blocks)
    w.stage.first_features(PLAN)
    assert not w.features.computed_blocks
    assert w.clock.now == 1000 + 3 * TRIAL_S


def test_the_search_ends_before_the_reserve_begins(world):
    w = world(lambda number, params: 0.5 + number / 1000)
    with suppress(SearchOver):
        w.run()
    assert 120 - 20 - 2 * TRIAL_S <= w.budget.elapsed_s <= 120 - 20
    assert not w.stage.why_it_ended


def test_stage_1_ends_when_it_is_the_others_turn(world):
    w = world(lambda number, params: 0.5 + number / 1000)
    w.run(until_s=60)
    assert 60 - TRIAL_S <= w.budget.elapsed_s <= 60


def test_the_limit_of_trials_holds(world):
    w = world()
    w.run(max_trials=9)
    assert len(w.trials.records) == 9


def test_every_trial_lies_in_the_space_that_was_reported(world):
    w = world()
    w.run(max_trials=25)
    assert all(w.stage.space.contains(params) for params in w.params)
    assert len({tuple(params.items()) for params in w.params}) == 25


def test_patience_ends_it_with_a_reason(world):
    w = world(settings=RunSettings(budget_s=3600, sampler=Sampler.RANDOM))
    w.run()
    assert len(w.trials.records) == 1 + PATIENCE_TRIALS + 1
    assert w.stage.why_it_ended == "the last 80 tries brought nothing better"


def test_before_patience_ends_it_the_recipe_is_tried_on_every_network_that_there_is_time_for(world):
    w = world(settings=RunSettings(budget_s=3600, sampler=Sampler.RANDOM))
    w.run(FeaturePlan((Block(V1, 224),)))
    assert w.features.computed_blocks == [Block(V1, 224), Block(V2, 224)]
    late = w.params[1 + PATIENCE_TRIALS + 1 :][:2]
    assert [params["backbones"] for params in late] == [V2, FUSED]
    assert all(params.items() >= RECIPE.items() for params in late)
    assert w.stage.why_it_ended == "the last 80 tries brought nothing better"


def test_a_network_that_was_left_out_and_is_better_gives_the_search_new_patience(world):
    w = world(
        lambda number, params: 0.9 if V2 in params["backbones"] else 0.8,
        settings=RunSettings(budget_s=3600, sampler=Sampler.RANDOM),
    )
    w.run(FeaturePlan((Block(V1, 224),)))
    first = next(n for n, params in enumerate(w.params) if V2 in params["backbones"])
    assert len(w.params) - first > PATIENCE_TRIALS
    assert sum(V2 in params["backbones"] for params in w.params[first:]) > 2


def test_a_network_for_which_there_is_no_time_is_not_begun(world):
    w = world(settings=RunSettings(budget_s=3600, sampler=Sampler.RANDOM))
    w.run(FeaturePlan((Block(V1, 224),)), until_s=3 * PATIENCE_TRIALS * TRIAL_S)
    w.features.image_s = 1e6
    assert not w.stage._tries_another_network(FeaturePlan((Block(V1, 160),)), float("inf"))


def test_a_perfect_model_ends_it_at_once_with_a_reason(world):
    w = world(lambda number, params: 1.0, margin=9.0)
    w.run()
    assert len(w.trials.records) == 1
    assert w.features.computed_blocks == [Block(V1, 224)]
    assert "every photo held out from training was right" in w.stage.why_it_ended


@pytest.mark.parametrize("settings", TUNERS)
def test_a_backbone_that_always_fails_is_given_up_and_the_search_goes_on(world, settings):
    def score(number, params):
        if V1 in params["backbones"]:
            raise TrialFailed("not enough memory")
        return 0.8

    w = world(score, settings=RunSettings(**settings, max_trials=20))
    w.run(max_trials=20)
    failed = [record for record in w.trials.records if record.state is TrialState.FAILED]
    assert w.trials.retired == {V1}
    assert len(w.trials.records) == 20 and len(failed) <= 4
    assert {record.backbones for record in w.trials.records[-10:]} == {(V2,)}


def test_the_tuner_proposes_no_backbone_that_was_given_up_while_it_searched(world):
    def score(number, params):
        if number > 8 and V1 in params["backbones"]:
            raise TrialFailed("not enough memory")
        return 0.8

    w = world(score)
    w.run(max_trials=40)
    failed = [record.number for record in w.trials.records if record.state is TrialState.FAILED]
    assert w.trials.retired == {V1} and len(failed) < 10
    assert all(V1 not in record.backbones for record in w.trials.records[failed[-1] + 1 :])
    assert len(w.trials.records) == 40


def test_when_every_backbone_is_given_up_the_search_ends_with_the_model_it_has(world):
    def score(number, params):
        if number:
            raise TrialFailed("the disk is gone")
        return 0.8

    w = world(score)
    with pytest.raises(SearchOver):
        w.run()
    assert w.trials.retired == {V1, V2}
    assert w.stage.why_it_ended == "every backbone was given up"
    assert w.trials.models.best.number == 0
    assert len(w.trials.records) <= 8


def test_stop_ends_the_search(world):
    w = world()

    def stop_after(record):
        if record.number == 9:
            w.budget.stop()

    w.observer.on_trial = stop_after
    with pytest.raises(SearchOver):
        w.run()
    assert len(w.trials.records) == 10


def test_what_may_not_be_delivered_is_never_trained(world):
    w = world(objective=Objective(max_model_bytes=20_000_000))
    w.run(max_trials=30)
    assert {record.backbones for record in w.trials.records} == {(V1,), (V2,)}
    assert not any("+" in str(name) for name in w.stage.space.dimensions[0].values)


def test_a_latency_limit_leaves_fusions_at_the_size_that_keeps_it(world):
    plan = FeaturePlan((*PLAN.blocks, Block(V1, 160), Block(V2, 160)))
    w = world(objective=Objective(max_latency_s=0.035))
    w.run(plan, max_trials=40)
    seen = {(record.backbones, record.image_size_px) for record in w.trials.records}
    assert ((V2, V1), 160) in seen and ((V2, V1), 224) not in seen
    assert all(record.latency_s <= 0.035 for record in w.trials.records)


def test_the_tuner_does_not_chase_heads_that_make_the_model_too_large(world):
    w = world(objective=Objective(max_model_bytes=20_000_000), n_bytes=20_000_001)
    record = TrialRecord(
        number=0,
        state=TrialState.COMPLETE,
        backbones=(V2,),
        image_size_px=224,
        params={},
        score=0.9,
        started_s=0.0,
        duration_s=1.0,
        n_bytes=20_000_001,
    )
    assert w.stage._worth(record) is None
    w.stage.first_features(PLAN)
    assert w.trials.models.best is not None


@pytest.mark.parametrize(("n_mirrored", "views"), [(4, {"plain", "mirrored"}), (2, {"plain"}), (0, {"plain"})])
def test_mirrored_photos_are_used_where_they_are_there_at_every_size(world, n_mirrored, views):
    blocks = (*PLAN.blocks, Block(V1, 160), Block(V2, 160))
    mirrored = [Block(block.backbone, block.image_size_px, True) for block in blocks]
    w = world(settings=RunSettings(sampler=Sampler.RANDOM))
    w.run(FeaturePlan((*blocks, *mirrored[:n_mirrored])), max_trials=30)
    assert {params["views"] for params in w.params} == views


def record_of(number, score, **values):
    params = stage_of(context_of(), Features(Clock()), RecordingTrials(context_of()), None).space.defaults(
        image_size_px=224, **values
    )
    names = backbone_names(params)
    state = TrialState.COMPLETE if score else TrialState.FAILED
    return TrialRecord(
        number=number,
        state=state,
        backbones=names,
        image_size_px=224,
        params=params,
        score=score,
        started_s=0.0,
        duration_s=1.0,
    )


def test_the_best_models_of_an_earlier_attempt_are_trained_again_with_their_seeds_and_not_recorded_twice(world):
    fused = f"{V2}+{V1}"
    earlier = [record_of(n, 0.9 + n / 100, backbones=fused, dropout=n / 20) for n in range(7)]
    earlier += [record_of(7, 0.5, backbones=V2), record_of(8, 0.4, backbones=V2), record_of(9, None, backbones=V1)]
    w = world(lambda number, params: earlier[number].score, settings=RunSettings(seed=5), earlier=earlier)
    w.stage.restore()
    # The five best, and the best single one, without which fine-tuning could not start.
    assert [(number, seed) for number, seed, _ in w.trained] == [(n, n + 5) for n in (6, 5, 4, 3, 2, 7)]
    assert w.trials.records == earlier
    assert w.trials.models.best.number == 6
    assert [start.number for start in w.trials.models.starts] == [7]


def test_a_model_that_cannot_be_trained_again_is_passed_over(world):
    earlier = [record_of(0, 0.9), record_of(1, 0.8, dropout=0.5)]

    def score(number, params):
        if number == 0:
            raise MemoryError
        return 0.8

    w = world(score, earlier=earlier)
    w.stage.restore()
    assert w.trials.models.best.number == 1
    assert any("Try 0 could not be repeated (MemoryError)" in note for note in w.observer.notes)


def varied(number, params):
    return round(0.9 - abs(params["dropout"] - 0.3) - abs(params["label_smoothing"] - 0.1), 1)


@pytest.mark.parametrize("settings", [*TUNERS, {"tuner": TunerKind.KERAS_TUNER, "sampler": Sampler.HYPERBAND}])
def test_an_interrupted_search_without_a_clock_goes_on_as_if_it_had_not_been(world, settings):
    chosen = RunSettings(budget_s=None, max_trials=26, **settings)
    whole = world(varied, settings=chosen)
    whole.run(max_trials=26)
    for n_before in (3, 15):
        earlier = whole.trials.records[:n_before]
        resumed = world(varied, settings=chosen, earlier=earlier)
        resumed.stage.restore()
        resumed.run(max_trials=26)
        assert resumed.params == whole.params
        assert [r.score for r in resumed.trials.records] == [r.score for r in whole.trials.records]
        assert resumed.trials.models.best.number == whole.trials.models.best.number


def test_hyperbands_epochs_are_those_of_the_trial(world):
    chosen = RunSettings(budget_s=None, max_trials=20, tuner=TunerKind.KERAS_TUNER, sampler=Sampler.HYPERBAND)
    w = world(varied, settings=chosen)
    w.run(max_trials=20)
    epochs = [record.epochs for record in w.trials.records]
    assert epochs[:3] == [None] * 3 and all(epochs[3:])
    assert {(stage, n) for stage, n in w.trials._pruners} >= {(Stage.HEADS, n) for n in epochs[3:]}


def test_without_a_clock_time_decides_nothing(world):
    runs = []
    for image_s in (0.1, 1e6):
        w = world(varied, settings=RunSettings(budget_s=None, max_trials=15))
        w.features.image_s = image_s
        w.run(max_trials=15)
        runs.append(w.params)
    assert runs[0] == runs[1]


@pytest.fixture
def together(monkeypatch):
    """Four heads of one optimizer are best trained in one pass, as on a GPU."""
    monkeypatch.setattr(heads_stage, "n_together", lambda optimizer: 4 if optimizer == "adamw" else 1)


def test_heads_of_a_pass_agree_in_features_and_shape_and_differ_in_the_rest(world, together):
    w = world(settings=RunSettings(max_trials=40, sampler=Sampler.TPE))
    w.run(max_trials=40)
    assert {1, 4} == set(w.passes[2:-1])
    first = sum(w.passes[: w.passes.index(4)])
    (one, *others) = w.params[first : first + 4]
    assert all({name: other[name] for name in SHARED if name in one}.items() <= one.items() for other in others)
    assert len({params["learning_rate"] for params in (one, *others)}) == 4
    assert [(number, seed - w.seed) for number, seed, _ in w.trained] == [(n, n) for n in range(40)]


def test_no_limit_is_passed_by_a_pass(world, together):
    w = world(settings=RunSettings(max_trials=30, head_layers=(32,)))
    w.run(max_trials=13)
    assert len(w.trials.records) == 13
    with pytest.raises(SearchOver):
        w.run(max_trials=None)
    assert len(w.trials.records) == 30


def test_what_ends_one_trial_of_a_pass_leaves_the_others(world, together):
    def score(number, params):
        if number % 4 == 3:
            raise TrialFailed("not enough memory")
        return 0.8 + number / 1000

    w = world(score, settings=RunSettings(max_trials=20, head_layers=(32,)))
    w.run(max_trials=20)
    states = [record.state for record in w.trials.records]
    assert states.count(TrialState.FAILED) == 5
    assert states[4:7] == [TrialState.COMPLETE] * 3


def test_a_search_that_ends_in_a_pass_keeps_the_trials_before_the_first_that_it_cut_off(world, together):
    def score(number, params):
        if number in (8, 10):
            raise SearchOver
        return 0.8

    w = world(score, settings=RunSettings(max_trials=20, head_layers=(32,)))
    with pytest.raises(SearchOver):
        w.run(max_trials=20)
    assert [record.number for record in w.trials.records] == list(range(8))


def test_a_run_that_was_broken_off_between_passes_goes_on_as_if_it_had_not_been(world, together):
    settings = RunSettings(budget_s=None, max_trials=22, head_layers=(32,), sampler=Sampler.TPE)
    whole = world(lambda number, params: 0.5 + params["dropout"] / 2, settings=settings)
    whole.run(max_trials=22)
    n_before = sum(whole.passes[:-2])
    earlier = whole.trials.records[:n_before]
    resumed = world(lambda number, params: 0.5 + params["dropout"] / 2, settings=settings, earlier=earlier)
    resumed.stage.restore()
    resumed.run(max_trials=22)
    assert resumed.params == whole.params

"""The whole search with fake features, fake trainings and a fake clock; and stage 1 for real on random features."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from automl.errors import BadSetting, RunFailed, TrialFailed
from automl.models.head.settings import Targets
from automl.records import Goal, RunSettings, RunState, Sampler, Stage, TrialRecord, TrialState, TunerKind
from automl.search.block import Block
from automl.search.space import is_recipe
from tests.automl.search.fakes import TARGETS, V1, V2, head_candidate
from tests.automl.search.worlds import STEP_S, TRIAL_S, FakeWorld, World, search_for_real


@pytest.fixture
def world(monkeypatch, tmp_path):
    def build(
        heads=lambda number, params: 0.7,
        tuned=lambda settings, epoch: 0.8,
        *,
        earlier=(),
        used_s=0.0,
        targets=TARGETS,
        made_with=MappingProxyType({}),
        **settings,
    ):
        quick = None if "tuner" in settings else Sampler.RANDOM
        chosen = RunSettings(**{"budget_s": 300.0, "goal": Goal.ACCURACY, "sampler": quick, **settings})
        fake = FakeWorld(
            settings=chosen,
            heads=heads,
            tuned=tuned,
            earlier=earlier,
            used_s=used_s,
            targets=targets,
            made_with=dict(made_with),
        )
        return World(monkeypatch, tmp_path, fake)

    return build


def test_a_search_goes_through_its_stages_and_ends_within_its_time(world):
    w = world(tuned=lambda settings, epoch: 1.0)
    best = w.run()
    assert w.observer.states == [RunState.SEARCHING]
    assert list(dict.fromkeys(w.stages)) == [Stage.HEADS, Stage.FINE_TUNING]
    assert best.is_tuned and best.score == 1.0
    assert w.budget.elapsed_s <= 300 - 20 + STEP_S
    assert w.offered_before_loading > 0


@pytest.mark.parametrize("budget_s", [300.0, None])
def test_fine_tuning_in_one_repeat_is_compared_with_heads_that_have_several(world, budget_s):
    repeated = Targets(labels=TARGETS.labels, folds=np.repeat(TARGETS.folds, 3, axis=1), n_folds=2, n_classes=2)
    w = world(
        targets=repeated,
        made_with={"n_repeats": 3},
        tuned=lambda settings, epoch: 1.0,
        budget_s=budget_s,
        max_trials=30,
    )
    best = w.run()
    assert best.is_tuned and np.isnan(best.held_out_logits[1:]).all()
    assert any("100.0 % against 70.0 % without it, both on the same 40" in note for note in w.observer.notes)


def test_fine_tuning_that_brought_nothing_is_not_praised(world):
    w = world(tuned=lambda settings, epoch: 0.6, budget_s=None, max_trials=30)
    assert w.run().stage is Stage.HEADS
    assert not any("paid" in note for note in w.observer.notes)


def test_every_trial_lies_in_the_space_of_its_stage(world):
    w = world()
    w.run()
    spaces = w.observer.spaces
    assert all(spaces[r.stage].contains(r.params) for r in w.observer.records if r.stage is not Stage.ENSEMBLE)
    assert [record.number for record in w.observer.records] == list(range(len(w.observer.records)))


def test_stage_1_leaves_at_least_half_of_the_time_to_fine_tuning(world):
    w = world(lambda number, params: 0.5 + number / 1000)
    w.run()
    first = next(record for record in w.observer.records if record.stage is Stage.FINE_TUNING)
    assert 0.3 * 280 <= first.started_s <= 0.55 * 280


def test_without_time_for_fine_tuning_heads_use_all_of_it(world):
    w = world(lambda number, params: 0.5 + number / 1000, budget_s=40.0)
    w.run()
    assert set(w.stages) == {Stage.HEADS}
    assert w.why == "The search used the whole time budget."
    assert not w.packer.expects_fine_tuned
    assert w.observer.notes[-2] == (
        "The networks themselves were not trained any further (fine-tuning): even a short training of one takes about "
        "20 seconds here, and the search had no such time left. Give the run more time for that."
    )


def test_one_slow_head_does_not_make_the_search_end_before_its_time(world):
    """Its trials take two seconds each; one of twelve must not keep the last ten from being used."""

    def heads(number, params):
        w.clock.now += 10 if number == 25 else 0
        return 0.5 + number / 1000

    w = world(heads, budget_s=100.0, fine_tuning=False)
    w.run()
    assert 80 - 2 * TRIAL_S <= w.budget.elapsed_s <= 80 + TRIAL_S
    assert w.why == "The search used the whole time budget."


def test_what_teaching_leaves_of_the_time_is_used_for_heads(world, monkeypatch):
    w = world(lambda number, params: 0.5 + number / 1000, budget_s=100.0, fine_tuning=False)
    kept_s = 30.0
    monkeypatch.setattr(w.search._distillation, "reserved_s", lambda _plan: kept_s)
    monkeypatch.setattr(w.search._distillation, "run", lambda _plan: None)
    w.run()
    assert w.budget.elapsed_s >= 80 - 2 * TRIAL_S


@pytest.mark.parametrize(
    ("heads", "settings", "reason"),
    [
        (1.0, {"made_with": {"margin": 9.0}}, "every photo held out from training was right without that."),
        (0.7, {"max_trials": 1}, "the limit of tries was used up before that."),
        (0.7, {"fine_tuning": False}, ""),
        (0.7, {}, ""),
    ],
)
def test_why_no_network_was_fine_tuned_is_said(world, heads, settings, reason):
    w = world(lambda number, params: heads, **settings)
    w.run()
    said = [note for note in w.observer.notes if "were not trained any further" in note]
    assert len(said) == bool(reason) and all(note.endswith(reason) for note in said)


def test_fine_tuning_can_be_switched_off(world):
    w = world(fine_tuning=False)
    w.run()
    assert set(w.stages) == {Stage.HEADS}


@pytest.mark.parametrize("budget_s", [0.5, 4.0])
def test_a_tiny_budget_still_gives_a_model(world, budget_s):
    assert world(budget_s=budget_s).run().number == 0


def test_the_trial_limit_is_shared_between_the_stages(world):
    w = world(budget_s=None, max_trials=30)
    w.run()
    assert w.stages.count(Stage.HEADS) == 24 and w.stages.count(Stage.FINE_TUNING) == 6
    assert w.why == "The search ended at its limit of 30 trials."


@pytest.mark.parametrize("limit", [1, 2, 7])
@pytest.mark.parametrize("budget_s", [300.0, None])
def test_a_small_trial_limit_holds(world, limit, budget_s):
    w = world(budget_s=budget_s, max_trials=limit)
    w.run()
    assert len([stage for stage in w.stages if stage is not Stage.ENSEMBLE]) == limit


def test_stop_keeps_the_best_so_far_and_says_so(world):
    def heads(number, params):
        if number == 3:
            w.budget.stop()
        return 0.5 + number / 100

    w = world(heads)
    assert w.run().number in (2, 3)
    assert len(w.observer.records) <= 4 and not w.tuners.fits
    assert w.why == "The search was stopped by hand; the best model so far was kept."


@pytest.mark.parametrize("budget_s", [300.0, None])
def test_stop_before_the_first_model_still_gives_one(world, budget_s):
    w = world(budget_s=budget_s, max_trials=40)
    w.budget.stop()
    assert w.run().number == 0
    assert len(w.observer.records) == 1


def test_a_perfect_head_ends_the_search_early(world):
    w = world(lambda number, params: 1.0, made_with={"margin": 9.0})
    w.run()
    assert not w.tuners.fits and len(w.observer.records) == 1
    assert (
        w.why
        == "The search ended early: every photo held out from training was right, so nothing more could be gained."
    )


def test_when_nothing_is_gained_any_more_the_search_ends_early(world):
    w = world(tuned=lambda settings, epoch: 0.5, budget_s=86_400.0)
    w.run()
    assert w.budget.elapsed_s < 3600
    assert "80 tries brought nothing better" in w.why and "12 fine-tunings brought nothing better" in w.why


def test_a_search_in_which_every_trial_fails_says_why(world):
    def heads(number, params):
        raise TrialFailed("the numbers are not finite")

    w = world(heads)
    with pytest.raises(RunFailed, match="the numbers are not finite"):
        w.run()
    assert len(w.observer.records) < 10


def test_a_search_whose_backbones_are_given_up_does_not_claim_to_have_used_its_time(world):
    def heads(number, params):
        if number:
            raise TrialFailed("oh")
        return 0.7

    w = world(heads, fine_tuning=False)
    assert w.run().number == 0
    assert w.why == "The search ended early: every backbone was given up."


@pytest.mark.parametrize(
    ("limits", "figure"), [({"max_model_mb": 5.0}, "about 9.0 MB"), ({"max_latency_ms": 1.0}, "about 3.7 ms")]
)
def test_limits_that_no_model_keeps_are_refused_with_figures(world, limits, figure):
    with pytest.raises(BadSetting, match=figure):
        world(**limits).search.prepare()


def test_limits_are_kept_by_everything_that_is_trained(world):
    w = world(max_model_mb=10.0)
    best = w.run()
    assert {record.backbones for record in w.observer.records} == {(V2,)}
    assert best.n_bytes <= 10_000_000


def test_a_head_that_is_surely_better_takes_the_place_of_the_recipe(world):
    w = world(lambda number, params: 0.5 if is_recipe(params) else 1.0, fine_tuning=False, max_trials=30)
    best = w.run()
    assert not is_recipe(best.params) and best.score == 1.0


def test_heads_that_know_different_photos_are_delivered_as_their_mean(world, monkeypatch):
    def candidate_of(number, params, features, score, **changes):
        made = head_candidate(number, params, features, score, **changes)
        logits = made.held_out_logits.copy()
        logits[0, number % 2 :: 2] *= 5  # sure of one half, and little better than chance on the other
        return replace(made, held_out_logits=logits)

    monkeypatch.setattr("tests.automl.search.worlds.head_candidate", candidate_of)
    w = world(lambda number, params: 1.0 - number / 1000, fine_tuning=False, max_trials=30)
    best = w.run()
    assert best.stage is Stage.ENSEMBLE and len(best.parts) > 1
    assert (w.observer.records[-1].parts, best.number) == (best.parts, len(w.observer.records) - 1)
    assert any("is the mean of" in note for note in w.observer.notes)


def test_a_lucky_head_does_not_take_the_place_of_the_recipe(world):
    w = world(lambda number, params: 0.7 if is_recipe(params) else 0.725, fine_tuning=False, max_trials=30)
    best = w.run()
    assert is_recipe(best.params) and not best.parts
    assert not any("is the mean of" in note for note in w.observer.notes)


def test_the_mean_of_fine_tuning_and_heads_keeps_the_limits(world):
    free, limited = (
        world(tuned=lambda settings, epoch: 1.0, max_trials=30, budget_s=None, **limits)
        for limits in ({}, {"max_model_mb": 10.0})
    )
    assert set(free.run().backbones) >= {V2}
    best = limited.run()
    assert best.n_bytes <= 10_000_000


def test_a_winner_beyond_the_limits_is_not_passed_off_in_silence(world):
    w = world(
        max_model_mb=9.5, budget_s=40.0, made_with={"n_bytes": 9_500_001}
    )  # the head is what makes the model too large
    assert w.run().n_bytes == 9_500_001
    assert any("meets the limits on size and latency" in note for note in w.observer.notes)


def test_unbalanced_classes_are_told_of_and_the_users_goal_is_not_questioned(world):
    labels = np.array([0] * 30 + [1] * 10)
    unbalanced = Targets(labels=labels, folds=TARGETS.folds, n_folds=2, n_classes=2)
    for goal, told in ((None, True), (Goal.ACCURACY, False), (Goal.BALANCED_ACCURACY, False)):
        w = world(goal=goal, targets=unbalanced)
        w.search.prepare()
        assert any("balanced accuracy" in note for note in w.observer.notes) is told


def test_decoded_photos_are_given_back_at_every_size(world):
    w = world()
    w.run()
    used = {settings.image_size_px for settings, *_ in w.tuners.fits} | {224}
    assert used <= set(w.features.released)


def interrupted(w, n: int) -> tuple[TrialRecord, ...]:
    return tuple(w.observer.records[:n])


@pytest.mark.parametrize("tuner", list(TunerKind))
def test_an_interrupted_run_without_a_clock_ends_with_the_same_trials_and_winner(world, tuner):
    def heads(number, params):
        return round(0.9 - abs(params["dropout"] - 0.3), 2)

    settings = {"budget_s": None, "max_trials": 30, "tuner": tuner, "fine_tuning": False}
    whole = world(heads, **settings)
    winner = whole.run()
    for n in (1, 5, 20):
        resumed = world(heads, earlier=interrupted(whole, n), **settings)
        again = resumed.run()
        assert (again.number, again.params) == (winner.number, winner.params)
        before = [r.params for r in whole.observer.records[n:]]
        assert [r.params for r in resumed.observer.records] == before


def test_an_interrupted_run_trains_its_best_heads_again_but_records_none_twice(world):
    whole = world(lambda number, params: 0.9 - number / 30)
    whole.run()
    earlier = interrupted(whole, 10)
    resumed = world(lambda number, params: 0.9 - number / 30, earlier=earlier, used_s=100)
    assert is_recipe(resumed.run().params)
    assert resumed.search.trials.records[:10] == list(earlier)
    assert min(record.number for record in resumed.observer.records) == 10
    assert resumed.budget.elapsed_s <= 300 - 20 + STEP_S


def test_an_interrupted_run_goes_on_with_every_backbone_of_its_plan(world):
    whole = world()
    whole.run()
    resumed = world(earlier=interrupted(whole, 1), used_s=20)
    plan = resumed.search.prepare()
    assert {block.backbone for block in plan.blocks} == {V2, V1}
    assert plan.main_px == whole.observer.records[0].image_size_px


def test_an_interrupted_run_keeps_its_size_however_little_time_is_left(world):
    params = world().search._heads.space.defaults(backbones=V1, image_size_px=192)
    earlier = (
        TrialRecord(
            number=0,
            state=TrialState.COMPLETE,
            backbones=(V1,),
            image_size_px=192,
            params=params,
            score=0.95,
            started_s=1.0,
            duration_s=2.0,
        ),
    )
    w = world(lambda number, params: 0.95, earlier=earlier, used_s=295)
    assert w.search.prepare().blocks == (Block(V1, 192),)
    assert w.run().params == params


def test_an_interrupted_run_fine_tunes_its_best_again(world):
    settings = {"tuned": lambda settings, epoch: 1.0, "budget_s": None, "max_trials": 30}
    whole = world(**settings)
    whole.run()
    earlier = interrupted(whole, 26)
    best = max((r for r in earlier if r.stage is Stage.FINE_TUNING), key=lambda record: record.score or 0)
    resumed = world(earlier=earlier, **settings)
    assert resumed.run().is_tuned
    assert resumed.observer.records[0].params == best.params
    assert resumed.search.trials.n_trials == 30


@pytest.mark.parametrize("tuner", list(TunerKind))
def test_one_seed_gives_the_same_trials_and_the_same_winner_where_no_clock_decides(tmp_path, tuner):
    def run(seconds, seed=3):
        settings = RunSettings(budget_s=None, max_trials=20, seed=seed, tuner=tuner, fine_tuning=False)
        observer, winner = search_for_real(settings, tmp_path / str(seconds), seconds)
        return [(r.params, r.score, r.state, r.message) for r in observer.records], winner

    (trials, winner), (again, winner_again) = run(0.1), run(1e3)
    assert trials == again and len(trials) == 20 + bool(winner.parts)
    assert winner.number == winner_again.number
    layers, layers_again = winner.heads[0].layers, winner_again.heads[0].layers
    for one, other in zip(layers, layers_again, strict=True):
        assert all(np.array_equal(array, again) for array, again in zip(one, other, strict=True))
    assert run(0.1, seed=4)[0] != trials


def test_the_first_features_may_be_computed_before_the_search_and_change_no_trial(world):
    plain, looked = world(budget_s=None, max_trials=6), world(budget_s=None, max_trials=6)
    plan = looked.search.prepare()
    assert looked.search.look_first(plan)
    assert looked.features.computed_blocks == [plan.blocks[0]] and looked.observer.states == []
    plain.run()
    looked.run()
    assert [one.params for one in looked.search.trials.records] == [one.params for one in plain.search.trials.records]


def test_a_continued_search_looks_first_at_what_its_very_first_trial_used(world):
    first = world(budget_s=None, max_trials=4)
    first.run()
    record = [one for one in first.search.trials.records if one.stage is Stage.HEADS][-1]
    again = world(budget_s=None, max_trials=6, earlier=[replace(record, number=0), *first.search.trials.records])
    assert again.search.look_first(again.search.prepare())
    used = Block(record.params["backbones"].split("+")[0], record.image_size_px)
    assert again.features.computed_blocks == [used]

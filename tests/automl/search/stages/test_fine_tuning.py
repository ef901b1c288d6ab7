"""Stage 2 with a fake training and a fake clock."""

from types import SimpleNamespace

import numpy as np
import pytest

from automl.errors import TrialFailed
from automl.models.head.settings import Targets
from automl.records import PrunerKind, RunSettings, Sampler, Stage, TrialRecord, TrialState, TunerKind
from automl.search.block import Block
from automl.search.budget import Budget, SearchOver
from automl.search.objective import Objective
from automl.search.plan import FeaturePlan
from automl.search.stages import fine_tuning_times, fine_tuning_trial, folds
from automl.search.stages.fine_tuning import N_EPOCHS, PATIENCE_TRIALS, FineTuneStage
from automl.search.stages.fine_tuning_times import FineTuningKind, FineTuningTimes
from automl.search.stages.folds import FineTuningFolds
from tests.automl.search.fakes import (
    N_ROWS,
    TARGETS,
    V1,
    V2,
    Clock,
    Features,
    FineTuners,
    RecordingTrials,
    context_of,
    costs_of,
    head_candidate,
)

PLAN = FeaturePlan((Block(V2, 224), Block(V1, 224)))
HOLD_OUT = Targets(
    labels=TARGETS.labels, folds=np.where(np.arange(N_ROWS)[:, None] % 4 < 2, 0, -1), n_folds=1, n_classes=2
)
EPOCH_S = 2.0  # of FineTuners: four steps of half a second


class World:
    """A stage after stage 1, which has left a head with a score of 0.7 on each backbone."""

    def __init__(self, monkeypatch, scratch, settings, score, targets, earlier, limits, groups=None) -> None:
        self.clock, self.n_repeats = Clock(), targets.n_repeats
        self.budget = Budget(settings.budget_s, reserve_s=20, clock=self.clock)
        self.features, self.tuners = Features(self.clock, image_s=0.001), FineTuners(self.clock, score)
        context = context_of(settings, self.budget, Objective(**limits), targets=targets, groups=groups)
        self.observer, self.trials = context.observer, RecordingTrials(context, earlier)
        monkeypatch.setattr(fine_tuning_trial, "FineTuner", self.tuners)
        self.stage = FineTuneStage(
            context,
            features=self.features,
            weights=dict.fromkeys(self.features.backbones, SimpleNamespace()),
            trials=self.trials,
            costs=costs_of(self.features, context.objective),
            scratch=scratch / "tuned",
        )
        for name in self.features.backbones:
            self.add_head(name, 0.7 + (name == V2) / 40)

    def add_head(self, backbone, score) -> None:
        number = len(self.trials.records)
        params = {"backbones": backbone, "taps": "several", "image_size_px": 224}
        head = head_candidate(number, params, self.features, score, n_repeats=self.n_repeats)
        record = TrialRecord(
            number=number,
            state=TrialState.COMPLETE,
            backbones=(backbone,),
            image_size_px=224,
            params=params,
            score=head.score,
            started_s=0.0,
            duration_s=1.0,
        )
        self.trials.take(record, head)

    def run(self) -> None:
        try:
            self.stage.run(PLAN)
        except SearchOver:
            self.is_over = True
        else:
            self.is_over = False

    @property
    def records(self):
        return [record for record in self.trials.records if record.stage is Stage.FINE_TUNING]


@pytest.fixture
def world(monkeypatch, tmp_path):
    def build(score=lambda settings, epoch: 0.8, settings=None, targets=TARGETS, earlier=(), groups=None, **limits):
        return World(
            monkeypatch,
            tmp_path,
            settings or RunSettings(budget_s=600, sampler=Sampler.RANDOM),
            score,
            targets,
            earlier,
            limits,
            groups,
        )

    return build


def test_the_expert_begins_with_the_tail_of_the_best_backbone_and_goes_on_with_all_of_it(world):
    w = world(settings=RunSettings(budget_s=None, max_trials=4))
    w.run()
    tail, whole = w.records
    assert tail.params == w.stage.space.defaults(backbone=V2, ft_image_size_px=160, depth=2)
    assert whole.params == w.stage.space.defaults(backbone=V2, ft_image_size_px=160, depth=0)
    assert (tail.backbones, tail.image_size_px, tail.score) == ((V2,), 160, 0.8)
    assert w.trials.packer.expects_fine_tuned


def test_few_photos_are_trained_in_several_folds_and_all_of_them_are_scored(world):
    w = world(settings=RunSettings(budget_s=None, max_trials=3))
    w.run()
    assert [(learnt, held_out) for _, learnt, held_out in w.tuners.fits] == [(20, 20), (20, 20)]
    assert w.trials.models.best.n_scored == N_ROWS


def test_each_fold_starts_from_the_head_that_has_not_seen_its_photos(world):
    w = world(settings=RunSettings(budget_s=None, max_trials=3))
    w.run()
    assert [float(kernel[0, 0]) for kernel, _ in w.tuners.heads] == [0, 1]


def test_many_photos_are_trained_in_one_fold(world, monkeypatch):
    monkeypatch.setattr(folds, "_FEWEST_HELD_OUT", 20)
    w = world(settings=RunSettings(budget_s=None, max_trials=3))
    w.run()
    assert len(w.tuners.fits) == 1
    assert w.trials.models.best.n_scored == 20


def test_at_most_so_many_photos_are_held_out_from_all_over_the_fold(world, monkeypatch):
    monkeypatch.setattr(folds, "_MOST_HELD_OUT", 5)
    w = world(settings=RunSettings(budget_s=None, max_trials=3))
    w.run()
    (tuned,) = w.stage.tuned
    scored = np.flatnonzero(~np.isnan(tuned.held_out_logits[0, :, 0]))
    assert tuned.n_scored == 10 and scored.min() == 0 and scored.max() == N_ROWS - 1


@pytest.mark.parametrize("tuner", TunerKind)
def test_what_the_tuner_proposes_lies_in_the_space_and_is_tried(world, tuner):
    w = world(settings=RunSettings(budget_s=None, max_trials=8, tuner=tuner))
    w.run()
    assert len(w.records) == 6
    assert all(w.stage.space.contains(record.params) for record in w.records)
    assert len({tuple(record.params.items()) for record in w.records}) == 6
    assert w.tuners.n_open == 0


def test_a_fine_tuning_that_cannot_end_in_time_is_not_started(world):
    w = world()
    w.tuners.step_s = 100.0
    w.run()
    assert len(w.tuners.fits) <= 1  # the first one is timed and given up
    assert w.budget.elapsed_s < 600 - 20


def test_one_that_turns_out_too_slow_is_given_up_before_it_trains_and_is_no_failure(world):
    w = world(settings=RunSettings(budget_s=100))
    w.tuners.step_s = 100.0
    w.run()
    assert not w.tuners.fits
    assert {record.state for record in w.records} == {TrialState.PRUNED}
    assert "It would have taken 2400 s" in w.records[0].message
    assert not w.trials.retired


def test_the_epochs_are_as_many_as_fit_into_the_time(world, monkeypatch):
    monkeypatch.setattr(fine_tuning_times, "_START_S", 0.0)
    w = world(settings=RunSettings(budget_s=20 + 90))
    w.run()
    longest = [settings.epochs for settings, *_ in w.tuners.fits]
    assert longest[0] == N_EPOCHS
    assert w.budget.elapsed_s <= 90 + EPOCH_S
    assert all(epochs >= 3 for epochs in longest)


def test_less_than_three_epochs_are_not_begun(world, monkeypatch):
    monkeypatch.setattr(fine_tuning_times, "_START_S", 0.0)
    w = world()
    kind = FineTuningKind(V2, 160, 0)
    w.stage._times._measured[kind] = fine_tuning_times._Measured(preparation_s=0.0, epoch_s=10.0)  # of two folds
    for left_s, epochs in ((500.0, N_EPOCHS), (61.0, 3), (59.0, None)):
        w.clock.now = 1000 + 600 - 20 - left_s
        assert w.stage._epochs_in_time(kind, None) == epochs


def test_the_time_for_stored_activations_counts(world):
    w = world()
    w.tuners.preparation_s = 1e6
    w.run()
    assert {settings.depth for settings, *_ in w.tuners.fits} == {0}


@pytest.mark.parametrize(("epochs", "most"), [(5, 5), (50, 50), (1, 1)])
def test_the_users_epochs_are_the_most_that_it_may_have(world, epochs, most):
    w = world(settings=RunSettings(budget_s=600, epochs=epochs, max_trials=3))
    w.run()
    assert w.tuners.fits[0][0].epochs == most


def test_without_early_stopping_every_epoch_is_trained(world):
    w = world(settings=RunSettings(budget_s=None, max_trials=3, early_stopping=False))
    w.run()
    assert w.tuners.fits[0][0].patience == N_EPOCHS


def test_the_users_schedule_is_the_only_one(world):
    w = world(settings=RunSettings(budget_s=None, max_trials=8, lr_scheduler="constant"))
    w.run()
    assert {settings.lr_schedule for settings, *_ in w.tuners.fits} == {"constant"}


@pytest.mark.parametrize("largest_px", [96, 128, 320])
def test_pictures_are_never_larger_than_the_user_allows(world, largest_px):
    w = world(settings=RunSettings(budget_s=None, max_trials=8, max_image_size_px=largest_px))
    w.run()
    assert max(settings.image_size_px for settings, *_ in w.tuners.fits) <= min(largest_px, 224)


def test_a_loser_is_ended_after_some_epochs(world):
    def score(settings, epoch):
        return 0.9 if len(w.records) < 10 else 0.2

    w = world(score, RunSettings(budget_s=None, max_trials=14, pruner=PrunerKind.MEDIAN))
    w.run()
    assert [record.state for record in w.records[-2:]] == [TrialState.PRUNED] * 2
    assert w.tuners.n_open == 0


def test_the_best_epoch_of_the_only_fold_counts_when_time_is_up(world, monkeypatch):
    monkeypatch.setattr(folds, "_FEWEST_HELD_OUT", 20)
    w = world(lambda settings, epoch: 0.5 + epoch / 20)
    w.tuners.n_steps = 100  # 50 s an epoch, of which the probe knows nothing
    monkeypatch.setattr(FineTuners.One, "steps_per_epoch", lambda self, n_rows: 1)
    w.run()
    assert w.is_over
    (record,) = w.records
    assert (record.state, record.score) == (TrialState.COMPLETE, 1.0)
    assert w.budget.elapsed_s == pytest.approx(580)


def test_stop_ends_a_fine_tuning_within_a_step_and_keeps_the_best_head(world):
    def score(settings, epoch):
        w.budget.stop()
        return 0.9

    w = world(score)
    w.run()
    assert w.is_over and not w.records
    assert w.trials.models.best.stage is Stage.HEADS


def test_patience_ends_it_with_a_reason(world):
    w = world(lambda settings, epoch: 0.5, RunSettings(budget_s=100_000))
    w.run()
    assert not w.is_over
    assert len(w.records) == PATIENCE_TRIALS + 1
    assert w.stage.why_it_ended == "the last 12 fine-tunings brought nothing better"


def test_a_backbone_that_fails_three_times_is_given_up(world):
    def score(settings, epoch):
        raise TrialFailed("not a number")

    w = world(score, RunSettings(budget_s=None, max_trials=100, sampler=Sampler.RANDOM))
    w.run()
    assert w.trials.retired == {V1, V2}
    assert len(w.records) <= 6
    assert not w.is_over and w.trials.models.best.score == pytest.approx(0.725)


def test_without_a_linear_head_nothing_can_be_fine_tuned(world):
    w = world()
    w.trials.models._starts.clear()
    assert not w.stage.is_affordable(600)
    w.run()
    assert w.stage.why_it_ended == "no backbone could be fine-tuned" and not w.records


def test_it_is_affordable_where_a_cheap_one_fits(world):
    w = world()
    assert w.stage.is_affordable(60) and not w.stage.is_affordable(10)
    w.features.image_s = 10.0
    assert not w.stage.is_affordable(60)
    assert world(settings=RunSettings(budget_s=None, max_trials=5)).stage.is_affordable(0)


def test_what_may_not_be_delivered_is_never_trained(world):
    w = world(settings=RunSettings(budget_s=None, max_trials=10), max_model_bytes=10_000_000)
    w.run()
    assert w.records and {record.backbones for record in w.records} == {(V2,)}


def test_an_earlier_attempts_best_is_trained_first(world):
    params = world().stage.space.defaults(backbone=V1, ft_image_size_px=96, depth=2)
    scored = {0.5: {**params, "depth": 1}, 0.9: params}
    earlier = [
        TrialRecord(
            number=n,
            state=TrialState.COMPLETE,
            backbones=(V1,),
            image_size_px=96,
            params=one,
            score=score,
            started_s=0.0,
            duration_s=1.0,
            stage=Stage.FINE_TUNING,
        )
        for n, (score, one) in enumerate(scored.items())
    ]
    w = world(settings=RunSettings(budget_s=None, max_trials=5), earlier=earlier)
    w.run()
    assert w.records[2].params == params and w.records[2].state is TrialState.COMPLETE


def test_an_attempt_that_goes_on_tries_what_the_broken_one_had_still_before_it(world):
    tail = world().stage.space.defaults(backbone=V2, ft_image_size_px=160, depth=2)
    earlier = [
        TrialRecord(
            number=0,
            state=TrialState.COMPLETE,
            backbones=(V2,),
            image_size_px=160,
            params=tail,
            score=0.9,
            started_s=0.0,
            duration_s=1.0,
            stage=Stage.FINE_TUNING,
        )
    ]
    w = world(settings=RunSettings(budget_s=None, max_trials=5), earlier=earlier)
    w.run()
    assert [record.params["depth"] for record in w.records[:3]] == [2, 2, 0]
    assert w.records[1].params == tail


def test_the_size_of_the_whole_network_is_chosen_once_the_tail_has_used_its_time(world, monkeypatch):
    sizes = []
    w = world(settings=RunSettings(budget_s=2_000))
    choose = w.stage._size_in_time
    monkeypatch.setattr(
        w.stage, "_size_in_time", lambda *a: sizes.append((len(w.tuners.fits), choose(*a))) or choose(*a)
    )
    w.run()
    assert sizes[0][0] == 0 and sizes[1][0] == 2  # the folds of the tail


def test_on_many_photos_the_whole_network_is_the_cheaper_one(world):
    few, w = world(), world()
    many = FineTuningFolds(
        Targets(labels=np.arange(40_000) % 2, folds=np.arange(40_000)[:, None] % 5, n_folds=5, n_classes=2)
    )
    w.stage._times = FineTuningTimes(w.features, many, batch_size=16)
    for one, depths in ((few, [2, 0]), (w, [0, 2])):
        assert [params["depth"] for params in one.stage._first_choices(one.stage._starts())] == depths
    whole_s, tail_s = (
        min(w.stage._times.seconds(FineTuningKind(name, 160, depth), 5) for name in (V1, V2)) for depth in (0, 2)
    )
    assert tail_s > 3 * whole_s
    assert w.stage.is_affordable(whole_s) and not w.stage.is_affordable(0.9 * whole_s)


def refitted(w) -> bool:
    """Whether the last training had every photo and no other to be scored on."""
    before = len(w.tuners.fits)
    w.stage.refit()
    return [fit[1:] for fit in w.tuners.fits[before:]] == [(N_ROWS, 0)]


def test_the_best_is_trained_once_more_on_every_photo(world):
    w = world(lambda settings, epoch: 0.8 if settings.depth == 0 else 0.5, RunSettings(budget_s=None, max_trials=4))
    w.run()
    before = w.trials.models.best
    assert refitted(w)
    assert w.tuners.fits[-1][0].depth == 0
    assert (
        w.trials.models.best is not before and w.trials.models.best.number == before.number == w.stage.tuned[0].number
    )
    assert w.trials.models.best.score == before.score
    assert w.trials.models.best.branches[0].tuned.name == f"tuned-{before.number}-all.weights.h5"
    assert w.trials.packer.offered[-1] is w.trials.models.best


def test_it_is_not_trained_once_more_where_time_is_short_or_the_user_said_stop(world):
    for end in (lambda w: setattr(w.clock, "now", w.clock.now + 600), lambda w: w.budget.stop()):
        w = world(settings=RunSettings(budget_s=600, max_trials=3))
        w.run()
        end(w)
        assert w.stage.tuned and not refitted(w)


def test_a_plain_hold_out_is_respected_to_the_end(world):
    w = world(settings=RunSettings(budget_s=None, max_trials=3), targets=HOLD_OUT)
    w.run()
    assert w.stage.tuned and not refitted(w)


@pytest.mark.parametrize("error", [TrialFailed("not a number"), MemoryError(), SearchOver()])
def test_a_last_training_that_does_not_work_leaves_the_model_of_the_folds(world, error):
    w = world(settings=RunSettings(budget_s=None, max_trials=3))
    w.run()
    before = w.trials.models.best

    def score(settings, epoch):
        raise error

    w.tuners.score = score
    w.stage.refit()
    assert w.trials.models.best is before and w.tuners.n_open == 0


THRICE = Targets(labels=TARGETS.labels, folds=np.tile(TARGETS.folds, 3), n_folds=2, n_classes=2)


def test_where_every_photo_is_tested_one_that_keeps_up_is_trained_in_all_folds_and_on_every_photo(world, monkeypatch):
    """Its epochs are fixed beforehand, so that no held-out photo decides when it ends."""
    monkeypatch.setattr(folds, "_FEWEST_HELD_OUT", N_ROWS // 2)
    w = world(settings=RunSettings(budget_s=None, max_trials=3), targets=THRICE, groups=np.arange(N_ROWS))
    w.run()
    (first, *_) = w.records
    fits = w.tuners.fits[:7]
    assert [fit[1:] for fit in fits] == [(N_ROWS // 2, N_ROWS // 2)] * 6 + [(N_ROWS, 0)]
    assert all(settings.patience is None and settings.lr_schedule != "reduce_on_plateau" for settings, *_ in fits)
    assert "ft_patience" not in first.params
    assert first.number in [one.number for one in w.trials.answered.candidates]
    assert not refitted(w)


def test_one_that_falls_behind_in_the_first_folds_is_trained_in_no_others_and_cannot_be_delivered(world, monkeypatch):
    monkeypatch.setattr(folds, "_FEWEST_HELD_OUT", N_ROWS // 2)
    w = world(
        score=lambda settings, epoch: 0.4,
        settings=RunSettings(budget_s=None, max_trials=3),
        targets=THRICE,
        groups=np.arange(N_ROWS),
    )
    w.run()
    assert {fit[1:] for fit in w.tuners.fits} == {(N_ROWS // 2, N_ROWS // 2)}
    assert {one.stage for one in w.trials.answered.candidates} <= {Stage.HEADS}

"""What a fine-tuning is foreseen to take, and what is learned from the first one of each kind."""

import numpy as np
import pytest

from automl.models.head.settings import Targets
from automl.search.stages import fine_tuning_times
from automl.search.stages.fine_tuning_times import FineTuningKind, FineTuningTimes
from automl.search.stages.folds import FineTuningFolds
from tests.automl.search.fakes import N_ROWS, TARGETS, V2, Clock, Features, FineTuners

TAIL, WHOLE = FineTuningKind(V2, 160, 2), FineTuningKind(V2, 160, 0)


class Settings:
    depth = 2


def times_of(targets: Targets = TARGETS) -> FineTuningTimes:
    return FineTuningTimes(Features(Clock(), image_s=0.001), FineTuningFolds(targets), batch_size=16)


def measured(preparation_s: float) -> FineTuningTimes:
    """After a trial with steps of a quarter of a second, four in an epoch."""
    times, tuners = times_of(), FineTuners(Clock(), lambda _settings, _epoch: 0.8, step_s=0.25)
    tuners.preparation_s = preparation_s
    times.measure(TAIL, FineTuners.One(tuners, Settings()))  # type: ignore[arg-type]
    return times


def test_a_kind_is_read_from_a_trials_parameters():
    assert FineTuningKind.of({"backbone": V2, "ft_image_size_px": 160, "depth": 2, "crop": 0.5}) == TAIL


def test_the_tail_is_far_cheaper_than_the_whole_and_its_activations_are_stored_once_for_all_folds():
    times = times_of()
    assert times.seconds(TAIL, 10) < times.seconds(TAIL, 20) < times.seconds(WHOLE, 10)
    assert measured(50.0).seconds(TAIL, 10) == pytest.approx(50 + 2 * 10 + fine_tuning_times._START_S)


def test_what_was_measured_counts_for_that_kind_only():
    assert measured(50.0).seconds(WHOLE, 10) == times_of().seconds(WHOLE, 10)
    assert measured(0.0).measured_s(TAIL, 3) == pytest.approx(2 * 3 * 1.0)


def test_a_card_whose_precision_must_be_found_out_first_costs_more(monkeypatch):
    known_s = times_of().seconds(TAIL, 10)
    monkeypatch.setattr(fine_tuning_times, "is_known", lambda: False)
    assert times_of().seconds(TAIL, 10) == pytest.approx(known_s + fine_tuning_times._PROBE_S)


def test_training_once_more_on_every_photo_takes_longer_epochs_and_no_folds():
    assert measured(50.0).refit_s(TAIL, 10) == pytest.approx(50 + 10 * 2 + fine_tuning_times._START_S / 2)


def test_an_epoch_of_very_many_photos_has_a_limited_number_of_steps():
    n_photos = 100 * N_ROWS
    many = Targets(labels=np.arange(n_photos) % 2, folds=np.arange(n_photos)[:, None] % 5, n_folds=5, n_classes=2)
    assert times_of(many).frozen_passes(0, 1) < 100 * times_of().frozen_passes(0, 1) / len(FineTuningFolds(TARGETS))

"""Whole searches on fakes: with fake trainings and a fake clock, or with real heads on random features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from automl.models.head.settings import Targets
from automl.records import RunSettings, Stage, TrialRecord
from automl.search.budget import Budget
from automl.search.candidate import Candidate
from automl.search.joined import Joined, Normalisation, View, moments_of, unit_mean
from automl.search.objective import objective_of
from automl.search.search import Search
from automl.search.space import backbone_names, is_unit
from automl.search.stages import fine_tuning_trial
from automl.search.stages import heads as heads_stage
from tests.automl.search.fakes import (
    LITE0,
    TARGETS,
    V2,
    Clock,
    Features,
    FineTuners,
    Packer,
    RecordingObserver,
    context_of,
    head_candidate,
    logits_for,
)

TRIAL_S, STEP_S = 2.0, 0.5


@dataclass(kw_only=True)
class FakeWorld:
    """What a faked search does.

    `heads` gives the score of a head by its trial's number and parameters, `tuned` that of a fine-tuning by its
    settings and epoch. `made_with`: what else the heads' candidates have.
    """

    settings: RunSettings
    heads: Callable[[int, Any], float]
    tuned: Callable[[Any, int], float]
    earlier: Sequence[TrialRecord] = ()
    used_s: float = 0.0
    targets: Targets = TARGETS
    made_with: dict[str, Any] = field(default_factory=dict)


class World:
    """A search on fakes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, scratch: Path, fake: FakeWorld) -> None:
        self.clock = Clock()
        self.budget = Budget(fake.settings.budget_s, reserve_s=20, used_s=fake.used_s, clock=self.clock)
        self.features, self.observer, self.packer = Features(self.clock, image_s=0.01), RecordingObserver(), Packer()
        self.tuners = FineTuners(self.clock, fake.tuned)

        def run_head_trials(planned, **_):
            self.clock.now += TRIAL_S
            (one,) = planned
            score = fake.heads(one.trial.number, one.params)
            made = head_candidate(one.trial.number, one.params, self.features, score, **fake.made_with)
            one.trial.on_epoch(1, logits_for(made.score))
            return [made]

        monkeypatch.setattr(heads_stage, "run_head_trials", run_head_trials)
        monkeypatch.setattr(fine_tuning_trial, "FineTuner", self.tuners)
        objective = objective_of(fake.settings, fake.targets.labels)
        self.search = Search(
            context_of(fake.settings, self.budget, objective, targets=fake.targets, observer=self.observer),
            features=self.features,
            weights=dict.fromkeys(self.features.backbones, SimpleNamespace()),
            packer=self.packer,
            scratch=scratch,
            earlier=fake.earlier,
        )
        self.offered_before_loading = -1

    def load_tensorflow(self) -> None:
        self.offered_before_loading = len(self.packer.offered)

    def run(self) -> Candidate:
        return self.search.run(self.search.prepare(), self.load_tensorflow)

    @property
    def stages(self) -> list[Stage]:
        return [record.stage for record in self.observer.records]

    @property
    def why(self) -> str:
        return self.observer.notes[-1]


class SmallFeatures(Features):
    """Random numbers that tell the classes apart, for the real heads. `seconds`: what the probes claim."""

    def __init__(self, seconds: float) -> None:
        super().__init__(Clock(), (V2, LITE0), image_s=seconds)
        self._random = np.random.default_rng(0)
        self._raw: dict[str, np.ndarray] = {}
        for name in self.backbones:
            noise = self._random.normal(0, 1, (len(TARGETS.labels), 6))
            self._raw[name] = (noise + 0.7 * TARGETS.labels[:, None]).astype(np.float16)

    def joined(self, params) -> Joined:
        parts = [self._raw[name] for name in backbone_names(params)]
        if is_unit(params):
            normalisation = Normalisation.of_units([unit_mean(part) for part in parts])
        else:
            normalisation = Normalisation.standardised([moments_of(part) for part in parts])
        view = View(parts, normalisation, in_memory=True)
        return Joined(view, view if params["views"] == "mirrored" else None)


def search_for_real(settings: RunSettings, scratch: Path, seconds: float = 0.1) -> tuple[RecordingObserver, Candidate]:
    """Trains real heads on random features. `seconds`: what the probes claim a photo takes."""
    observer = RecordingObserver()
    objective = objective_of(settings, TARGETS.labels)
    search = Search(
        context_of(settings, Budget(settings.budget_s), objective, observer=observer),
        features=SmallFeatures(seconds),
        weights={},
        packer=Packer(),
        scratch=scratch,
    )
    return observer, search.run(search.prepare(), lambda: None)

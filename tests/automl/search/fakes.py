"""Stand-ins for what the search works with: time passes on command only, and nothing is computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from automl.models.fine_tuning.fine_tuned import FineTuned
from automl.models.head.settings import Targets
from automl.models.head.training import Curves
from automl.models.weights.cache import InstalledWeights
from automl.records import RunSettings, RunState, Stage, TrialRecord
from automl.search.block import Block
from automl.search.budget import Budget
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.context import SearchContext
from automl.search.costs import ModelCosts
from automl.search.objective import Objective
from automl.search.observer import Observer
from automl.search.scoring import Scorer
from automl.search.space import SearchSpace, backbone_names
from automl.search.trials import BestModelPacker, Trials

V2, V1, LITE0, LITE2 = "mobilenet_v2", "mobilenet_v1", "efficientnet_lite0", "efficientnet_lite2"
MODEL_BYTES = {V2: 9_000_000, V1: 13_000_000, LITE0: 14_000_000, LITE2: 20_000_000}
LATENCY_S = {V2: 0.02, V1: 0.03, LITE0: 0.04, LITE2: 0.06}
N_ROWS = 40
CURVES = Curves(train_loss=(1.0,), train_accuracy=(0.5,), validation_loss=(0.5,), validation_accuracy=(0.5,))
TARGETS = Targets(labels=np.arange(N_ROWS) % 2, folds=np.arange(N_ROWS)[:, None] // 2 % 2, n_folds=2, n_classes=2)


class Clock:
    """Seconds that pass on command only."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class RecordingObserver(Observer):
    """Remembers what happened."""

    def __init__(self) -> None:
        self.states: list[RunState] = []
        self.activities: list[str] = []
        self.notes: list[str] = []
        self.spaces: dict[Stage, SearchSpace] = {}
        self.tried: list[TrialRecord] = []
        self.epochs: list[tuple[int, float, float]] = []
        self.records: list[TrialRecord] = []
        self.bests: list[Candidate | None] = []
        self.on_trial: Callable[[TrialRecord], None] = lambda _record: None

    def state(self, state: RunState) -> None:
        self.states.append(state)

    def activity(self, text: str, progress: float | None = None) -> None:
        assert progress is None or 0 <= progress <= 1, (text, progress)
        self.activities.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def space(self, stage: Stage, space: SearchSpace) -> None:
        self.spaces[stage] = space

    def trying(self, record: TrialRecord) -> None:
        self.tried.append(record)

    def epoch(self, number: int, score: float, loss: float) -> None:
        self.epochs.append((number, score, loss))

    def trial(self, record: TrialRecord, best: Candidate | None) -> None:
        self.records.append(record)
        self.bests.append(best)
        self.on_trial(record)

    def best_so_far(self, *_args: Any) -> None:
        raise AssertionError("the pipeline reports this")

    winner = best_so_far


class Packer(BestModelPacker):
    """Remembers which models it was offered for packing."""

    def __init__(self) -> None:
        self.offered: list[Candidate] = []
        self.expects_fine_tuned = False
        self.n_branches = 0

    def after_trial(self, best: Candidate) -> None:
        self.offered.append(best)

    def expect_fine_tuned(self) -> None:
        self.expects_fine_tuned = True

    def expect_branches(self, n: int) -> None:
        self.n_branches = n


@dataclass
class Features:
    """Stands in for FrozenFeatures. `computed_blocks`: what was really computed, in order."""

    clock: Clock
    backbones: tuple[str, ...] = (V2, V1)
    image_s: float = 0.1
    detail_px: int = 224
    cached: set[Block] = field(default_factory=set)
    computed_blocks: list[Block] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    n_released_extractors: int = 0
    _available: set[Block] = field(default_factory=set)

    def seconds_per_image(self, backbone: str) -> float:
        return self.image_s * (0.5 if backbone == V1 else 1.0)  # not in the order of `backbones`

    def latency_s(self, backbone: str, image_size_px: int) -> float:
        return LATENCY_S[backbone] * (image_size_px / 224) ** 2

    def tap_widths(self, backbone: str) -> tuple[int, ...]:
        return (2, 3)

    def model_bytes(self, backbone: str) -> int:
        return MODEL_BYTES[backbone]

    def decode_seconds(self) -> float:
        return 1.0

    def decode(self, blocks: Sequence[Block], on_progress: Callable[[int, int], None]) -> None:
        on_progress(1, 1)

    def computed(self) -> set[Block]:
        return self.cached

    def is_computed(self, block: Block) -> bool:
        return block in self.cached

    def compute(self, block: Block, on_progress: Callable[[int, int], None]) -> None:
        if block not in self.cached:
            self.clock.now += N_ROWS * self.seconds_per_image(block.backbone) * (block.image_size_px / 224) ** 2
            on_progress(1, 1)
            self.computed_blocks.append(block)
        self._available.add(block)

    def available(self) -> set[Block]:
        return self._available

    def pixels(self, image_size_px: int, on_progress: Any = None) -> np.ndarray:
        return np.zeros((N_ROWS, 1, 1, 3), np.uint8)

    def release_extractors(self) -> None:
        self.n_released_extractors += 1

    def release_pixels(self, sizes_px: Sequence[int]) -> None:
        self.released += sizes_px


def weights_of(*names: str, sha256: str = "0") -> dict[str, InstalledWeights]:
    """Of networks without files."""
    return {
        name: InstalledWeights(
            name=name,
            title=name,
            folder=Path(),
            origin="",
            location="",
            sha256=sha256,
            licence="",
            note="",
            taps=(),
            tap_widths=(),
        )
        for name in names
    }


def logits_for(score: float, margin: float = 2.0, rows: np.ndarray | None = None, n_repeats: int = 1) -> np.ndarray:
    """Held-out logits with this share of the first `rows` right; NaN for the other rows."""
    answered = np.arange(N_ROWS) if rows is None else rows
    logits = np.full((n_repeats, N_ROWS, 2), np.nan, np.float32)
    for number, row in enumerate(answered):
        label = TARGETS.labels[row] if number < round(score * len(answered)) else 1 - TARGETS.labels[row]
        logits[:, row] = margin * np.eye(2)[label]
    return logits


def candidate(
    number: int = 0,
    score: float = 0.8,
    *,
    margin: float = 2.0,
    rows: np.ndarray | None = None,
    n_repeats: int = 1,
    **changes: Any,
) -> Candidate:
    """A head on MobileNetV2 at 224 px, unless `changes` say otherwise."""
    logits = logits_for(score, margin, rows, n_repeats)
    values: dict[str, Any] = {
        "stage": Stage.HEADS,
        "params": {},
        "heads": (branch_head(),),
        "image_size_px": 224,
        "n_bytes": MODEL_BYTES[V2],
        "latency_s": 0.02,
        "best_epoch": 1,
        "curves": CURVES,
        "fold_layers": tuple(
            ((np.full((3, 2), fold, np.float32), np.zeros(2, np.float32)),)
            for fold in range(TARGETS.n_folds * n_repeats)
        ),
        **changes,
    }
    value, loss = Scorer(TARGETS, Objective()).score(logits)
    return Candidate(number=number, held_out_logits=logits, score=value, loss=loss, **values)


def branch_head(*branches: Branch, taps: str = "several", n_layers: int = 1) -> BranchHead:
    layer = np.ones((3, 2), np.float32), np.ones(2, np.float32)
    return BranchHead(branches or (Branch(V2, 224),), taps, (layer,) * n_layers)


def head_candidate(number: int, params: dict[str, Any], features: Features, score: float, **changes: Any) -> Candidate:
    """What a trial of stage 1 with these params would have made."""
    names, size = backbone_names(params), int(params["image_size_px"])
    branches = [Branch(name, size) for name in names]
    n_layers = 2 if params.get("hidden_units") else 1
    changes = {
        "n_bytes": sum(MODEL_BYTES[name] for name in names),
        "latency_s": sum(features.latency_s(name, size) for name in names),
        **changes,
    }
    made = branch_head(*branches, taps=params["taps"], n_layers=n_layers)
    return candidate(number, score, params=params, heads=(made,), image_size_px=size, **changes)


def context_of(
    settings: RunSettings | None = None,
    budget: Budget | None = None,
    objective: Objective | None = None,
    *,
    targets: Targets = TARGETS,
    observer: Observer | None = None,
    groups: np.ndarray | None = None,
) -> SearchContext:
    """A search of ten minutes, unless something else is given; with groups there is no test set."""
    return SearchContext(
        targets=targets,
        objective=objective or Objective(),
        settings=settings or RunSettings(),
        budget=budget or Budget(600, clock=Clock()),
        observer=observer or RecordingObserver(),
        groups=np.arange(len(targets.labels)) if groups is None else groups,
        tests_every_photo=groups is not None,
    )


class RecordingTrials(Trials):
    """Trials with an observer and a packer that remember everything."""

    def __init__(self, context: SearchContext, earlier: Sequence[TrialRecord] = ()) -> None:
        self.packer = Packer()
        assert isinstance(context.observer, RecordingObserver)
        self.observer = context.observer
        super().__init__(context, packer=self.packer, earlier=earlier)


def costs_of(features: Features, objective: Objective | None = None) -> ModelCosts:
    return ModelCosts(features, objective=objective or Objective(), n_classes=TARGETS.n_classes)


class Fitted(FineTuned):
    """Without weights."""

    def save_backbone(self, path: Path) -> None:
        path.write_bytes(b"")


class FineTuners:
    """Makes stand-ins for FineTuner and remembers what they were asked to do.

    `score`: gives the score by params of the settings and epoch. `step_s`: seconds of a step, of which an epoch has
    `n_steps`. `fits`: (settings, number of rows learnt from, number of rows held out) of each training begun;
    `heads`: from which head.
    """

    def __init__(self, clock: Clock, score: Callable[[Any, int], float], step_s: float = 0.5, n_steps: int = 4) -> None:
        self.clock, self.score, self.step_s, self.n_steps = clock, score, step_s, n_steps
        self.preparation_s = 0.0
        self.fits: list[tuple[Any, int, int]] = []
        self.heads: list[Any] = []
        self.ended: list[tuple[Any, int]] = []
        self.n_open = 0

    def __call__(
        self, *, pixels, labels, n_classes, installed, head, settings, seed, scratch=None, deterministic=False
    ) -> "FineTuners.One":
        assert scratch is None or scratch.is_dir()
        return FineTuners.One(self, settings)

    class One:
        def __init__(self, all_: "FineTuners", settings: Any) -> None:
            self._all, self._settings, self.best = all_, settings, None

        def __enter__(self) -> "FineTuners.One":
            self._all.n_open += 1
            return self

        def __exit__(self, *_error: object) -> None:
            self._all.n_open -= 1

        def probe(self) -> tuple[float, float]:
            return self._all.step_s, 0.0

        def preparation_s(self, n_train: int, n_held_out: int = 0) -> float:
            return self._all.preparation_s if self._settings.depth else 0.0

        def steps_per_epoch(self, n_rows: int) -> int:
            return self._all.n_steps

        def fit(self, train_rows, held_out_rows, *, on_work, on_epoch=lambda *_: False, head=None) -> FineTuned:
            self._all.heads.append(head)
            self._all.fits.append((self._settings, len(train_rows), len(held_out_rows)))
            self.best = None
            for epoch in range(1, self._settings.epochs + 1):
                for _ in range(self._all.n_steps):
                    self._all.clock.now += self._all.step_s
                    on_work()
                score = self._all.score(self._settings, epoch)
                logits = np.full((len(held_out_rows), 2), np.nan, np.float32)
                logits[:] = logits_for(score, rows=held_out_rows)[0, held_out_rows]
                self.best = Fitted(
                    backbone=V2,
                    weights=(),
                    head=(np.ones((3, 2)), np.ones(2)),
                    held_out_logits=logits,
                    best_epoch=epoch,
                    curves=CURVES,
                )
                if on_epoch(epoch, logits):
                    break
            assert self.best is not None
            self._all.ended.append((self._settings, self.best.best_epoch))
            return self.best

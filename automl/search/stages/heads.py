"""Stage 1: frozen features, cheapest first, then heads on them until nothing more is gained or the time is needed."""

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path

import structlog

from automl.backbone_table import BACKBONES
from automl.errors import BadImage, DiskFull, RunFailed
from automl.models.head.schedule import max_epochs
from automl.records import Stage, TrialRecord
from automl.search.block import Block
from automl.search.budget import SearchOver
from automl.search.candidate import Branch, Candidate
from automl.search.description import describe
from automl.search.ensemble import part_numbers, steadied
from automl.search.frozen import FrozenFeatures
from automl.search.plan import INPUT_SIZES_PX, FeaturePlan, block_seconds
from automl.search.space import (
    LAST_TAP,
    MIRRORED_VIEW,
    PLAIN_VIEW,
    SEVERAL_TAPS,
    Params,
    SearchSpace,
    backbone_names,
    fusions,
    head_space,
)
from automl.search.stages.head_trial import head_settings, run_head_trial
from automl.search.trials import Attempt, OnEpoch, OnStep, TrialBook, best_heads
from automl.search.tuners.tuner import Proposal, Tuner, make_tuner

_log = structlog.stdlib.get_logger(__name__)

PATIENCE_TRIALS = 80
"""Tries without a better one after which stage 1 has found what it can find."""

_LONGEST_SHARE, _LONGEST_AT_LEAST_S = 0.03, 5.0
_N_RESTORED = 5


class HeadsStage:
    """Searches heads on frozen features. `why_it_ended`: a sentence, empty where time or limit ended it."""

    def __init__(self, features: FrozenFeatures, book: TrialBook, scratch: Path) -> None:
        self._features, self._book, self._scratch = features, book, scratch
        self._settings, self._budget = book.settings, book.budget
        self._epochs = self._settings.epochs or max_epochs(len(book.targets.labels))
        self.why_it_ended = ""
        self._max_defaults: int | None = None

    @cached_property
    def space(self) -> SearchSpace:
        """The same for every attempt at a run, whatever its plan: its trials must lie in one space."""
        return self._space(self._features.backbones, INPUT_SIZES_PX, (PLAIN_VIEW, MIRRORED_VIEW))

    def restore(self, earlier: Sequence[TrialRecord]) -> None:
        """The weights of the best models are gone with the attempt that was broken off; their settings are not."""
        for record in self._worth_restoring(earlier):
            if self._book.best is not None:
                self._budget.check()
            self._book.observer.activity("Training the best models again")
            self._compute_for(record.params)
            attempt = self._attempt(record.params, record.epochs)
            train = partial(self._train, attempt, record.epochs or self._epochs)
            try:
                candidate = train(
                    record.number, self._settings.seed + record.number, lambda _epoch, _logits: None, self._check_step
                )
            except SearchOver:
                raise
            except Exception as error:  # noqa: BLE001 - as any trial: others remain to be tried
                self._book.observer.note(f"Try {record.number} could not be repeated ({type(error).__name__}).")
                continue
            self._book.restore(candidate)

    def _check_step(self) -> bool:
        if self._book.best is not None:
            self._budget.check()
        return False

    def _worth_restoring(self, earlier: Sequence[TrialRecord]) -> list[TrialRecord]:
        """The best heads, best first; the best linear one of each backbone, from which fine-tuning starts.

        And what a mean is taken of, without a clock: with one, it is of those that are there.
        """
        heads = [record for record in earlier if record.stage is Stage.HEADS and record.score is not None]
        is_allowed = self._book.objective.is_allowed
        heads.sort(key=lambda record: (not is_allowed(record.n_bytes, record.latency_s), -(record.score or 0.0)))
        chosen, starts = heads[:_N_RESTORED], dict[str, TrialRecord]()
        linear = [one for one in heads if not head_settings(one.params, self._settings, 1).hidden_units]
        for record in linear:
            if len(record.backbones) == 1:
                starts.setdefault(record.backbones[0], record)
        averaged: list[TrialRecord] = []
        if self._book.averages_heads and not self._budget.has_clock:  # it is to end as if nothing had happened
            averaged = best_heads(linear)
        wanted = [*chosen, *starts.values(), *averaged]
        return list({record.number: record for record in wanted}.values())

    def first_features(self, plan: FeaturePlan, max_trials: int | None = None) -> None:
        """Computes the planned blocks; tries the expert's settings on each as soon as it is there.

        `max_trials`: of stage 1; half of them are the tuner's.
        """
        self._max_defaults = None if max_trials is None else max_trials // 2
        for block in plan.blocks:
            if self._book.is_perfect:
                return
            if block.backbone in self._book.retired:
                continue
            is_needed = self._book.best is None  # without it there is no model at all
            if not self._compute(block, is_needed) or block.mirrored:
                continue
            self._try_defaults(plan, block.backbone, block.image_size_px)
            alike = [b for b in plan.blocks if b.image_size_px == block.image_size_px and not b.mirrored]
            there = self._in_order([b.backbone for b in alike if b in self._features.available()])
            if len(there) > 1 and block == alike[-1]:
                self._try_defaults(plan, "+".join(there[:3]), block.image_size_px)

    def search(self, plan: FeaturePlan, max_trials: int | None, until_s: float) -> None:
        """Lets the tuner propose, over the features that are really there.

        `max_trials`: of the run, after which stage 1 ends; `until_s`: on the run's clock.
        """
        tuner, retired = self._tuner(plan), set(self._book.retired)
        while True:
            if max_trials is not None and self._book.n_trials >= max_trials:
                return
            if self._book.is_perfect:
                self.why_it_ended = "every validation photo was right, so nothing more could be gained"
                return
            if len(self._book.records) - self._book.last_gain > PATIENCE_TRIALS:
                self.why_it_ended = f"the last {PATIENCE_TRIALS} tries brought nothing better"
                return
            self._budget.check()
            longest_s = self._book.longest_s(Stage.HEADS)
            if self._budget.has_clock and longest_s > min(self._budget.search_left_s, until_s - self._budget.elapsed_s):
                return
            if retired != self._book.retired:
                tuner, retired = self._tuner(plan), set(self._book.retired)
            proposal = tuner.propose()
            if proposal is None:
                self.why_it_ended = "every combination had been tried"
                return
            tuner.observe(proposal, self._propose_and_try(proposal))

    def steady(self) -> None:
        """Of few photos, averages the best head with those that did about as well, if that keeps the user's limits."""
        book, best = self._book, self._book.best_head
        if best is None or not book.objective.is_allowed(best.n_bytes, best.latency_s):
            return
        mean = steadied(best, book.good_heads, book.targets, book.objective, self.cost)
        if mean is best or not book.objective.is_allowed(mean.n_bytes, mean.latency_s):
            return
        book.steady(mean)
        n = len(part_numbers(mean))
        book.observer.note(
            f"The best quick training became the mean of {n} tries that did about as well on the same networks: on so "
            "few photos it is partly luck which of them was best, and their mean is about as small and as quick."
        )

    def cost(self, branches: Sequence[Branch], head_bytes: int) -> tuple[int, float]:
        """Bytes of a model and its seconds for one photo."""
        n_bytes = head_bytes + sum(self._features.model_bytes(branch.backbone) for branch in branches)
        return n_bytes, sum(self._features.latency_s(branch.backbone, branch.image_size_px) for branch in branches)

    def is_allowed(self, backbones: Sequence[str], image_size_px: int) -> bool:
        """Whether a model on these backbones, with a linear head on their last layers, may be delivered."""
        n_features = sum(self._features.tap_widths(name)[-1] for name in backbones)
        head_bytes = 4 * n_features * self._book.targets.n_classes
        branches = [Branch(name, image_size_px) for name in backbones]
        return self._book.objective.is_allowed(*self.cost(branches, head_bytes))

    def _space(self, backbones: Sequence[str], sizes_px: Sequence[int], views: Sequence[str]) -> SearchSpace:
        settings = self._settings
        fused = [
            joined
            for joined in fusions(backbones)
            if any(self.is_allowed(joined.split("+"), size) for size in sizes_px)
        ]
        fixed = settings.lr_scheduler, settings.head_layers, settings.early_stopping
        return head_space(fused, sizes_px, views, *fixed)

    def _tuner(self, plan: FeaturePlan) -> Tuner:
        available, main = self._features.available(), plan.main_px
        backbones = [name for name in self._features.backbones if Block(name, main) in available]
        backbones = [name for name in backbones if name not in self._book.retired]
        if not backbones:
            self.why_it_ended = "every backbone was given up"
            raise SearchOver
        sizes = [size for size in plan.sizes_px if all(Block(name, size) in available for name in backbones)]
        mirrored = all(Block(name, size, True) in available for name in backbones for size in sizes)
        views = (PLAIN_VIEW, MIRRORED_VIEW) if mirrored else (PLAIN_VIEW,)
        space = self._space(backbones, sizes, views)
        history = [
            (Proposal(record.params, record.epochs), self._worth(record))
            for record in self._book.records
            if record.stage is Stage.HEADS
        ]
        settings = self._settings
        return make_tuner(settings.tuner, settings.sampler, space, settings.seed, self._scratch, self._epochs, history)

    def _propose_and_try(self, proposal: Proposal) -> float | None:
        if not self.is_allowed(backbone_names(proposal.params), int(proposal.params["image_size_px"])):
            return None  # the tuner learns that this is not wanted; nothing was trained
        self._book.observer.activity(f"Training with {describe(proposal.params)}", self._share_of_time())
        return self._worth(self._try(dict(proposal.params), proposal.epochs))

    def _worth(self, record: TrialRecord) -> float | None:
        """What the tuner learns of a trial: None also where the head made the model too large to be delivered."""
        return record.score if self._book.objective.is_allowed(record.n_bytes, record.latency_s) else None

    def _try(self, params: Params, epochs: int | None = None) -> TrialRecord:
        attempt = self._attempt(params, epochs)
        most = epochs or self._epochs
        longest_s = max(_LONGEST_AT_LEAST_S, _LONGEST_SHARE * self._budget.total_s)
        return self._book.run(attempt, partial(self._train, attempt, most), most, longest_s)

    def _attempt(self, params: Params, epochs: int | None) -> Attempt:
        return Attempt(Stage.HEADS, params, backbone_names(params), int(params["image_size_px"]), epochs)

    def _train(
        self, attempt: Attempt, epochs: int, number: int, seed: int, on_epoch: OnEpoch, on_step: OnStep
    ) -> Candidate:
        settings = head_settings(attempt.params, self._settings, epochs)
        book = self._book
        return run_head_trial(
            number, attempt.params, settings, self._features, book.targets, book.objective, seed, on_epoch, on_step
        )

    def _compute_for(self, params: Params) -> None:
        views = (False, True) if params.get("views") == MIRRORED_VIEW else (False,)
        for name in backbone_names(params):
            for mirrored in views:
                block = Block(name, int(params["image_size_px"]), mirrored)
                if block not in self._features.available():
                    self._features.compute(block, self._book.progress(_looking(block)))

    def _compute(self, block: Block, is_needed: bool) -> bool:
        """False where there is no time for it."""
        if block in self._features.available():
            return True
        seconds = self._features.seconds_per_image(block.backbone)
        expected_s = block_seconds(seconds, block.image_size_px, len(self._book.targets.labels))
        if not is_needed and not self._features.is_computed(block):
            self._budget.check()
            if expected_s > self._budget.search_left_s:
                title = BACKBONES[block.backbone].title
                self._book.observer.note(f"{title} at {block.image_size_px} px was left out: not enough time.")
                return False
        try:
            self._features.compute(block, self._book.progress(_looking(block), is_needed))
        except SearchOver:
            raise
        except (DiskFull, BadImage, RunFailed) as error:  # not the backbone's fault
            if is_needed:
                raise
            self._book.observer.note(f"{BACKBONES[block.backbone].title} was left out: {error.message}")
            return False
        except Exception as error:
            others = set(self._features.backbones) - self._book.retired - {block.backbone}
            if is_needed and not others:
                raise
            _log.warning("backbone failed", backbone=block.backbone, exc_info=True)
            self._book.retire(block.backbone, f"it could not look at the photos ({type(error).__name__}: {error})")
            return False
        return True

    def _try_defaults(self, plan: FeaturePlan, backbones: str, size: int) -> None:
        if not self.is_allowed(backbones.split("+"), size):
            return
        several_first = (SEVERAL_TAPS, LAST_TAP)[: 2 if size == plan.main_px else 1]
        # The very first head is the one that is trained soonest, since somebody waits for a first model.
        for taps in (LAST_TAP, SEVERAL_TAPS) if self._book.best is None else several_first:
            params = self.space.defaults(backbones=backbones, taps=taps, image_size_px=size, views=PLAIN_VIEW)
            is_enough = self._max_defaults is not None and self._book.n_trials >= self._max_defaults
            if self._book.best is not None and is_enough:
                return
            if all(record.params != params for record in self._book.records):
                self._try(params)

    def _in_order(self, backbones: Sequence[str]) -> list[str]:
        """The one order in which fusions name their parts, whatever the order in which they became available."""
        return [name for name in self._features.backbones if name in backbones and name not in self._book.retired]

    def _share_of_time(self) -> float | None:
        if not self._budget.has_clock:
            limit = self._settings.max_trials
            return min(1.0, self._book.n_trials / limit) if limit else None
        return min(1.0, self._budget.elapsed_s / max(1e-9, self._budget.total_s - self._budget.reserve_s))


def _looking(block: Block) -> str:
    mirrored = " in the mirror" if block.mirrored else ""
    return f"Looking at the photos{mirrored} with {BACKBONES[block.backbone].title} at {block.image_size_px} px"

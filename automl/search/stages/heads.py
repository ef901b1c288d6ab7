"""Stage 1: frozen features, then heads on them until nothing more is gained or the time is needed."""

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path

from automl.backbone_table import BACKBONES
from automl.models.head.fitting import n_together
from automl.models.head.schedule import fixed_epochs, max_epochs
from automl.records import Stage, TrialRecord
from automl.search.block import Block
from automl.search.budget import SearchOver
from automl.search.candidate import Candidate
from automl.search.context import SearchContext
from automl.search.costs import ModelCosts
from automl.search.description import describe
from automl.search.expectations import PRIORS, Expectations
from automl.search.frozen import FrozenFeatures
from automl.search.plan import INPUT_SIZES_PX, FeaturePlan, still_worth_it
from automl.search.space import (
    LAST_TAP,
    MIRRORED_VIEW,
    PLAIN_VIEW,
    RECIPE,
    SEVERAL_TAPS,
    Params,
    SearchSpace,
    backbone_names,
    fusions,
    head_space,
)
from automl.search.stages.earlier_heads import worth_restoring
from automl.search.stages.feature_blocks import FeatureBlocks
from automl.search.stages.head_trial import SHARED, HeadTrial, head_settings, run_head_trials
from automl.search.trial_run import PlannedTrial, TrialControls
from automl.search.trials import Trials
from automl.search.tuners.making import make_tuner
from automl.search.tuners.tuner import Proposal, Tuner
from automl.text.messages import search as search_messages

PATIENCE_TRIALS = 80
"""Trials without a better one after which stage 1 has found what it can find."""

MOST_REGRESSED = 2_000
"""Photos up to which a regression takes about as long as a training in epochs, over all that may be chosen."""

SEVERAL_TAPS_FROM = 300
"""Photos from which on inner layers are tried without a search."""

_SEVERAL: Params = {"taps": SEVERAL_TAPS}
FIRST_CHOICES: tuple[tuple[int, Params], ...] = (
    (0, {**RECIPE}),
    (SEVERAL_TAPS_FROM, {**RECIPE, **_SEVERAL}),
    (1_000, _SEVERAL),
)
"""What is tried without a search, as it differs from the expert's settings, and from how many photos on.

Inner layers cost up to two points of 20 photos a class, and gain up to one of 300 photos and more.
"""

_MOST_FUSED_AT_ONCE = 3
_LONGEST_SHARE, _LONGEST_AT_LEAST_S = 0.03, 5.0


class HeadsStage:
    """Searches heads on frozen features.

    Attributes:
        why_it_ended: a part of a sentence; empty where time or limit ended it.

    Args:
        costs: say which backbones and sizes keep the user's limits.
        scratch: a folder for the tuner's files, which may be deleted afterwards.
    """

    def __init__(
        self,
        context: SearchContext,
        *,
        features: FrozenFeatures,
        trials: Trials,
        costs: ModelCosts,
        scratch: Path,
    ) -> None:
        self._context, self._settings, self._budget = context, context.settings, context.budget
        self._features, self._trials, self._costs = features, trials, costs
        self._blocks = FeatureBlocks(context, features, trials)
        self._scratch = scratch
        self._epochs = self._settings.epochs or max_epochs(context.n_photos)
        self._max_defaults: int | None = None
        self._may_regress = context.n_photos <= MOST_REGRESSED and not self._settings.head_layers
        self.why_it_ended = ""

    @cached_property
    def space(self) -> SearchSpace:
        """The same for every attempt at a run, whatever its plan: all trials of the run must lie in one space."""
        return self._space(self._features.backbones, INPUT_SIZES_PX, (PLAIN_VIEW, MIRRORED_VIEW))

    def restore(self) -> None:
        """Trains the best heads of a broken-off attempt again: their settings are recorded, their weights are lost."""
        for record in worth_restoring(self._context, self._trials.earlier):
            if self._trials.models.best is not None:
                self._budget.check()
            self._context.observer.activity(search_messages.TRAINING_AGAIN)
            self._blocks.compute_for(record.params)
            try:
                candidate = self._train_again(record)
            except SearchOver:
                raise
            except Exception as error:  # noqa: BLE001 - as any trial: others remain to be tried
                words = search_messages.TRY_NOT_REPEATED.format(number=record.number, error=type(error).__name__)
                self._context.observer.note(words)
                continue
            self._trials.restore(candidate)

    def look(self, block: Block) -> bool:
        """Computes a block before any trial. Whether it is there then; raises what `FeatureBlocks.compute` raises."""
        return self._blocks.compute(block)

    def first_features(self, plan: FeaturePlan, max_trials: int | None = None) -> None:
        """Computes the planned blocks, and tries what needs no search on each block as soon as it is there.

        That is the recipe where it is possible, else the expert's settings, then the same on all networks together.

        Args:
            max_trials: limit of stage 1; half of its trials are left to the tuner.
        """
        self._max_defaults = None if max_trials is None else max_trials // 2
        at_main = [block for block in plan.blocks if block.image_size_px == plan.main_px and not block.mirrored]
        self._main_features(plan, at_main)
        for block in plan.blocks:
            if block in at_main or block.backbone not in self._there(plan.main_px):
                continue
            if self._trials.models.is_perfect:
                return
            if block.backbone in self._trials.retired or not self._blocks.compute(block) or block.mirrored:
                continue
            self._try_first(plan, [block.backbone], block.image_size_px)
            size = block.image_size_px
            if len(self._there(size)) == len(self._there(plan.main_px)):
                self._try_fusion(plan, size)

    def _main_features(self, plan: FeaturePlan, blocks: Sequence[Block]) -> None:
        """Computes the blocks of the main size; after each one, what was seen of it decides how to go on."""
        rest = list(blocks)
        while rest and not self._trials.models.is_perfect:
            block = rest.pop(0)
            if block.backbone not in self._trials.retired and self._blocks.compute(block):
                self._try_first(plan, [block.backbone], block.image_size_px)
                self._try_fusion(plan, plan.main_px)
                rest = self._still_worth_it(plan, rest)

    def _still_worth_it(self, plan: FeaturePlan, rest: Sequence[Block]) -> list[Block]:
        """The blocks to go on with. Without a clock these are all: then no measured time may decide anything."""
        if not self._budget.has_clock or not rest:
            return list(rest)
        seconds = {block.backbone: self._blocks.expected_s(block) for block in rest}
        names = still_worth_it(
            self._there(plan.main_px),
            seconds,
            expectations=self.expectations(plan.main_px),
            left_s=self._budget.search_left_s,
            image_size_px=plan.main_px,
            is_allowed=self._costs.is_allowed,
        )
        for name in (name for name in seconds if name not in names):
            title = BACKBONES[name].title
            self._context.observer.note(search_messages.NOT_WORTH_ITS_TIME.format(title=title, n=plan.main_px))
        return [Block(name, plan.main_px) for name in names]

    def expectations(self, size: int) -> Expectations:
        """What backbones are expected to reach, with the best that each one did alone at this size."""
        seen: dict[str, float] = {}
        for record in self._trials.records:
            is_alone = record.stage is Stage.HEADS and len(record.backbones) == 1
            if is_alone and record.image_size_px == size and record.score is not None:
                name = record.backbones[0]
                seen[name] = max(seen.get(name, 0.0), 100 * record.score)
        return Expectations(priors=PRIORS, seen_percent=seen)

    def _there(self, size: int) -> list[str]:
        """The backbones whose features of this size are there."""
        return self._in_order([block.backbone for block in self._features.available() if block.image_size_px == size])

    def _try_fusion(self, plan: FeaturePlan, size: int) -> None:
        """Tries what needs no search on the strongest backbones side by side, then on all of them.

        All means as many as the user's limits allow, the strongest ones first.
        """
        together: list[str] = []
        for name in self.expectations(size).strongest(self._there(size)):
            if self._costs.is_allowed([*together, name], size):
                together.append(name)
        for n in sorted({min(_MOST_FUSED_AT_ONCE, len(together)), len(together)} - {0, 1}):
            self._try_first(plan, self._in_order(together[:n]), size)

    def search(self, plan: FeaturePlan, max_trials: int | None, until_s: float) -> None:
        """Lets the tuner propose, over the features that are really there.

        Args:
            max_trials: number of trials of the run after which stage 1 ends; None for no limit.
            until_s: on the run's clock, when stage 1 ends.

        Raises:
            SearchOver: the time is up, or every backbone was given up.
        """
        tuner, there = self._tuner(plan), self._there(plan.main_px)
        while not self._is_over(plan, max_trials, until_s):
            if there != self._there(plan.main_px):
                tuner, there = self._tuner(plan), self._there(plan.main_px)
            proposal = tuner.propose()
            if proposal is None:
                self.why_it_ended = search_messages.ALL_TRIED
                return
            n = self._n_together(proposal, max_trials)
            together = [proposal, *tuner.beside(proposal, SHARED, n - 1)]
            for one, score in zip(together, self._scores_of(together), strict=True):
                tuner.observe(one, score)

    def _is_over(self, plan: FeaturePlan, max_trials: int | None, until_s: float) -> bool:
        """Whether limit, time, patience or a perfect model ends the stage before its next trial."""
        if max_trials is not None and self._trials.n_trials >= max_trials:
            return True
        if self._trials.models.is_perfect:
            self.why_it_ended = search_messages.ALL_RIGHT
            return True
        if self._trials.has_stalled(PATIENCE_TRIALS) and not self._tries_another_network(plan, until_s):
            self.why_it_ended = search_messages.NO_BETTER_TRIES.format(n=PATIENCE_TRIALS)
            return True
        self._budget.check()
        left_s = min(self._budget.search_left_s, until_s - self._budget.elapsed_s)
        # One that takes longer than most is cut off by the clock, which costs less than to begin none.
        return self._budget.has_clock and self._trials.usual_s(Stage.HEADS) > left_s

    def _tries_another_network(self, plan: FeaturePlan, until_s: float) -> bool:
        """Whether there was time for one that was left out, the most promising first. What needs no search is tried."""
        size, left_s = plan.main_px, min(self._budget.search_left_s, until_s - self._budget.elapsed_s)
        there = self._there(size)
        if not self._budget.has_clock:
            return False
        missing = [name for name in self._in_order(self._features.backbones) if name not in there]
        allowed = [name for name in missing if self._costs.is_allowed([name], size)]
        for block in (Block(name, size) for name in self.expectations(size).by_gain(allowed, beside=there)):
            seconds = self._blocks.expected_s(block) + self._trials.longest_s(Stage.HEADS)
            if seconds <= left_s and self._blocks.compute(block):
                self._try_first(plan, [block.backbone], size)
                self._try_fusion(plan, size)
                return True
        return False

    def _tuner(self, plan: FeaturePlan) -> Tuner:
        available, main = self._features.available(), plan.main_px
        # A network that is too large to be delivered may be there to teach.
        deliverable = [name for name in self._features.backbones if self._costs.is_allowed([name], main)]
        backbones = self._in_order([name for name in deliverable if Block(name, main) in available])
        if not backbones:
            self.why_it_ended = search_messages.ALL_GIVEN_UP
            raise SearchOver
        sizes = [size for size in plan.sizes_px if all(Block(name, size) in available for name in backbones)]
        mirrored = all(Block(name, size, mirrored=True) in available for name in backbones for size in sizes)
        space = self._space(backbones, sizes, (PLAIN_VIEW, MIRRORED_VIEW) if mirrored else (PLAIN_VIEW,))
        return make_tuner(
            self._settings.tuner,
            self._settings.sampler,
            space=space,
            seed=self._settings.seed,
            scratch=self._scratch,
            max_epochs=self._epochs,
            history=[
                (Proposal(space.completed(record.params), record.epochs), self._worth(record))
                for record in self._trials.records
                if record.stage is Stage.HEADS
            ],
        )

    def _space(self, backbones: Sequence[str], sizes_px: Sequence[int], views: Sequence[str]) -> SearchSpace:
        fused = [
            joined
            for joined in fusions(backbones)
            if any(self._costs.is_allowed(joined.split("+"), size) for size in sizes_px)
        ]
        return head_space(
            fused,
            sizes_px,
            views,
            lr_scheduler=self._settings.lr_scheduler,
            head_layers=self._settings.head_layers,
            early_stopping=self._settings.early_stopping,
            may_regress=self._may_regress,
            fixed_epochs=fixed_epochs(self._epochs) if self._context.tests_every_photo else (),
            aspects=self._context.aspects,
        )

    def _n_together(self, proposal: Proposal, max_trials: int | None) -> int:
        """How many trials to make in one pass; no limit is passed by that."""
        if self._trials.models.best is None or not self._is_allowed(proposal.params):
            return 1
        limits = [limit for limit in (max_trials, self._settings.max_trials) if limit is not None]
        n_left = [limit - self._trials.n_trials for limit in limits]
        return max(1, min([n_together(str(proposal.params["optimizer"])), *n_left]))

    def _scores_of(self, together: Sequence[Proposal]) -> list[float | None]:
        """Tries proposals that agree in what is SHARED.

        None, without a training, where their models could not be delivered: the tuner learns that.
        """
        params = together[0].params
        if not self._is_allowed(params):
            return [None] * len(together)
        self._context.observer.activity(
            search_messages.TRAINING_HEAD.format(model=describe(params)), self._share_of_time()
        )
        return [self._worth(record) for record in self._try_together(together)]

    def _is_allowed(self, params: Params) -> bool:
        return self._costs.is_allowed(backbone_names(params), int(params["image_size_px"]))

    def _worth(self, record: TrialRecord) -> float | None:
        """What the tuner learns of a trial: None also where the head made the model too large to be delivered."""
        return record.score if self._context.objective.allows(record) else None

    def _try_first(self, plan: FeaturePlan, backbones: Sequence[str], size: int) -> None:
        """Tries on these networks side by side what needs no search."""
        if not self._costs.is_allowed(backbones, size):
            return
        for choice in self._first_choices(is_main=size == plan.main_px):
            params = self.space.defaults(backbones="+".join(backbones), image_size_px=size, views=PLAIN_VIEW) | choice
            is_enough = self._max_defaults is not None and self._trials.n_trials >= self._max_defaults
            if self._trials.models.best is not None and is_enough:
                return
            if all(record.params != params for record in self._trials.records):
                self._try_together([Proposal(params)])

    def _first_choices(self, *, is_main: bool) -> list[Params]:
        """What differs from the expert's settings; at the main input size more is tried than at the others."""
        if self._may_regress:
            choices = [choice for n, choice in FIRST_CHOICES if n <= self._context.n_photos]
            return choices if is_main else choices[:1]
        last: Params = {"taps": LAST_TAP}
        # The very first head is the one that trains fastest, because the user is waiting for a first model.
        if self._trials.models.best is None:
            return [last, _SEVERAL]
        return [_SEVERAL, last] if is_main else [_SEVERAL]

    def _try_together(self, proposals: Sequence[Proposal]) -> list[TrialRecord]:
        planned = [_planned_trial(one) for one in proposals]
        most = [self._most_epochs(one) for one in planned]
        longest_s = max(_LONGEST_AT_LEAST_S, _LONGEST_SHARE * self._budget.total_s)
        train = partial(self._train, [one.params for one in planned], most)
        # Each head may take so long, and a pass as long as its heads may one after another.
        return self._trials.run_together(planned, train, max_epochs=most, max_s=longest_s * len(planned))

    def _most_epochs(self, planned: PlannedTrial) -> int:
        return min(planned.epochs or self._epochs, int(planned.params.get("epochs", self._epochs)))

    def _train(
        self, params: Sequence[Params], epochs: Sequence[int], trials: Sequence[TrialControls]
    ) -> list[Candidate | Exception]:
        planned = [
            HeadTrial(params=one, settings=head_settings(one, self._settings, most), trial=trial)
            for one, most, trial in zip(params, epochs, trials, strict=True)
        ]
        return run_head_trials(planned, features=self._features, scorer=self._context.scorer, costs=self._costs)

    def _train_again(self, record: TrialRecord) -> Candidate:
        """The model of an earlier trial, under its number and with its seed."""

        def on_step() -> bool:
            if self._trials.models.best is not None:
                self._budget.check()
            return False

        seed = self._settings.seed + record.number
        trial = TrialControls(number=record.number, seed=seed, on_epoch=lambda _epoch, _logits: None, on_step=on_step)
        (outcome,) = self._train([record.params], [record.epochs or self._epochs], [trial])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _in_order(self, backbones: Sequence[str]) -> list[str]:
        """The backbones that are still tried, in the one order in which fusions name their parts."""
        return [name for name in self._features.backbones if name in backbones and name not in self._trials.retired]

    def _share_of_time(self) -> float | None:
        if not self._budget.has_clock:
            limit = self._settings.max_trials
            return min(1.0, self._trials.n_trials / limit) if limit else None
        return min(1.0, self._budget.elapsed_s / max(1e-9, self._budget.total_s - self._budget.reserve_s))


def _planned_trial(proposal: Proposal) -> PlannedTrial:
    params = dict(proposal.params)
    return PlannedTrial(
        stage=Stage.HEADS,
        params=params,
        backbones=backbone_names(params),
        image_size_px=int(params["image_size_px"]),
        epochs=proposal.epochs,
    )

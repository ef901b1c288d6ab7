"""Stage 2: fine-tuning from the best heads, as far as the time model says that it can end in time."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from automl.models.device import has_gpu
from automl.models.fine_tuning.fine_tuned import FineTuned
from automl.models.fine_tuning.fine_tuner import STEPS_PER_EPOCH, FineTuner
from automl.models.fine_tuning.settings import FineTuneSettings
from automl.models.weights.cache import InstalledWeights
from automl.records import Stage, TrialRecord
from automl.search.budget import SearchOver
from automl.search.candidate import Branch, Candidate, Member, is_scored, score_of
from automl.search.description import describe
from automl.search.ensemble import combine
from automl.search.frozen import FrozenFeatures
from automl.search.plan import FeaturePlan, block_seconds
from automl.search.space import Params
from automl.search.stages.fine_tuning_space import fine_tune_space, settings_of
from automl.search.stages.heads import HeadsStage
from automl.search.trials import Attempt, OnEpoch, OnStep, TrialBook, TrialPruned
from automl.search.tuners.tuner import Proposal, make_tuner

PATIENCE_TRIALS = 12
"""Tries without a better one after which fine-tuning has found what it can find."""

SIZES_PX = (96, 128, 160, 192, 224)
BATCH_SIZE, GPU_BATCH_SIZE = 16, 64
_USUAL_PX = 160
N_EPOCHS = 12
_FEWEST_EPOCHS = 3
_FEWEST_HELD_OUT = 150  # fewer photos tell two models apart by luck only: then several folds are trained
_MAX_HELD_OUT = 2_000
_EXPERT_DEPTHS = (2, 0)  # of the tails, 2 gained the most for its time on beans and hymenoptera
# Of one photo, in frozen passes by ONNX Runtime: a training step by TensorFlow at each depth, and storing what is at
# the cut. Measured on two CPU cores, see docs/benchmarks.md; from the first trial on its own times count.
_STEP_COST = (12.0, 0.8, 1.6, 3.0, 4.0)
_STORING_COST = 10.0
_START_S = 15.0  # building, tracing and the first steps


@dataclass(frozen=True, slots=True)
class _Recipe:
    """A fine-tuning that can end in time: what to do, from which head, in how many folds."""

    params: Params
    start: Candidate
    epochs: int
    folds: tuple[int, ...]

    @property
    def backbone(self) -> str:
        return str(self.params["backbone"])


class FineTuneStage:
    """Fine-tunes single backbones; `tuned`: the best of what came of it. `why_it_ended` as in `HeadsStage`."""

    def __init__(
        self,
        features: FrozenFeatures,
        weights: Mapping[str, InstalledWeights],
        book: TrialBook,
        heads: HeadsStage,
        scratch: Path,
    ) -> None:
        self._features, self._weights, self._book, self._heads = features, weights, book, heads
        self._scratch = scratch
        self._settings, self._budget, self._targets = book.settings, book.budget, book.targets
        self.tuned: list[Candidate] = []
        self.why_it_ended = ""
        self._recipes: dict[int, _Recipe] = {}
        self._best_epochs: dict[int, int] = {}
        self._batch_size = GPU_BATCH_SIZE if has_gpu() else BATCH_SIZE
        self._epoch_s: dict[tuple[str, int, int], float] = {}
        self._preparation_s: dict[tuple[str, int, int], float] = {}
        self._most_epochs = self._settings.epochs or N_EPOCHS
        self._sizes = tuple(size for size in SIZES_PX if size <= max(self._settings.max_image_size_px, SIZES_PX[0]))
        schedules = (self._settings.lr_scheduler,) if self._settings.lr_scheduler else None
        self._schedules = {"lr_schedules": schedules} if schedules else {}
        # As in stage 1, the same for every attempt at a run.
        self.space = fine_tune_space(features.backbones, SIZES_PX, **self._schedules)

    def is_affordable(self, seconds: float) -> bool:
        """Whether a cheap fine-tuning of a few epochs fits into `seconds`, before anything was timed."""
        if not self._budget.has_clock:
            return True
        size = min(_USUAL_PX, self._sizes[-1])
        cheap = partial(self._cost_s, size=size, epochs=_FEWEST_EPOCHS + 2)
        return any(cheap(name, depth=depth) <= seconds for name in self._starts() for depth in _EXPERT_DEPTHS)

    def run(self, plan: FeaturePlan, earlier: Sequence[TrialRecord]) -> None:
        """Trains what the expert would, then what the tuner proposes, until time, limit or patience end it."""
        starts = self._starts()
        if not starts:
            self.why_it_ended = "no backbone could be fine-tuned"
            return
        self._book.expect_fine_tuned()
        history = [
            (Proposal(record.params, record.epochs), record.score)
            for record in self._book.records
            if record.stage is Stage.FINE_TUNING
        ]
        space = fine_tune_space(list(starts), self._sizes, **self._schedules)
        settings = self._settings
        tuner = make_tuner(
            settings.tuner,
            settings.sampler,
            space,
            settings.seed,
            self._scratch / "fine-tuning",
            self._most_epochs,
            history,
        )
        tried = len(history)
        for params in self._first_choices(starts, earlier):
            proposal = Proposal(params)
            record = self._try(plan, proposal)
            if record is not None:
                tuner.observe(proposal, record.score)
                tried += 1
        misses = 0
        while misses < PATIENCE_TRIALS:
            if self._book.is_perfect:
                self.why_it_ended = "every validation photo was right, so nothing more could be gained"
                return
            if len(self._book.records) - self._book.last_gain > PATIENCE_TRIALS and tried > PATIENCE_TRIALS:
                self.why_it_ended = f"the last {PATIENCE_TRIALS} fine-tunings brought nothing better"
                return
            self._budget.check()
            next_proposal = tuner.propose()
            if next_proposal is None or self._book.is_at_limit:
                return
            record = self._try(plan, next_proposal)
            tuner.observe(next_proposal, record.score if record else None)
            tried += record is not None
            misses = misses + 1 if record is None else 0

    def refit(self, plan: FeaturePlan) -> None:
        """Trains the best fine-tuning once more, on every photo, where there is time: its folds saw a part only."""
        best = self._worth_refitting()
        if best is None or self._refit_s() > self._budget.search_left_s:
            return
        recipe, epochs = self._recipes[best.number], self._best_epochs[best.number]
        rows = np.arange(len(self._targets.labels))
        self._book.observer.activity("Training the best one once more, on all photos")

        def stop_at_best(epoch: int, _logits: np.ndarray) -> bool:
            return epoch >= epochs

        try:
            with self._fine_tuner(plan, recipe) as tuner:
                fitted = tuner.fit(rows, rows[:0], on_work=self._budget.check, on_epoch=stop_at_best)
            member = self._member(recipe, fitted, f"{best.number}-all")
        except SearchOver:
            return
        except Exception as error:  # noqa: BLE001 - as any trial: the model that the folds gave is still there
            self._book.observer.note(f"Training the best one on all photos did not work ({type(error).__name__}).")
            return
        again = replace(best, members=(member,))
        self.tuned[[one.number for one in self.tuned].index(best.number)] = again
        self._book.replace(again)

    def blend(self) -> None:
        """Tries the mean of the best fine-tuning and the best head: they err on different photos."""
        head, best = self._book.best_head, self._best
        if head is None or best is None or head.image_size_px != best.image_size_px:
            return  # a head that learnt from smaller squares would be shown others than it learnt from
        started_s, number = self._budget.elapsed_s, len(self._book.records)
        mean = combine([best, head], self._targets, self._book.objective, self._heads.cost, number)
        if self._book.objective.is_allowed(mean.n_bytes, mean.latency_s):
            self._book.add_blend(mean, started_s)

    @property
    def _best(self) -> Candidate | None:
        return max(self.tuned, key=lambda one: (one.score, -one.loss), default=None)

    def _worth_refitting(self) -> Candidate | None:
        """The best fine-tuning, where its folds left photos out that a last training can add."""
        return None if self._targets.n_folds == 1 else self._best

    def _refit_s(self) -> float:
        """Predicted seconds of training the best fine-tuning once more on every photo; 0 where there is none."""
        best = self._worth_refitting()
        if best is None:
            return 0.0
        recipe = self._recipes[best.number]
        share = min(len(self._targets.labels) / self._n_trained(recipe), 2.0)
        key = self._key(recipe.params)
        learning_s = self._best_epochs[best.number] * self._epoch_s[key] * share
        return self._preparation_s[key] + learning_s + _START_S / 2

    def _starts(self) -> dict[str, Candidate]:
        """The best linear head on each single backbone, the most promising backbone first."""
        starts = {one.backbones[0]: one for one in self._book.starts if one.backbones[0] not in self._book.retired}
        ordered = sorted(starts, key=lambda name: (-starts[name].score, starts[name].loss))
        return {name: starts[name] for name in ordered if self._heads.is_allowed([name], self._sizes[0])}

    def _first_choices(self, starts: Mapping[str, Candidate], earlier: Sequence[TrialRecord]) -> Iterator[Params]:
        """What an earlier attempt found best, whose weights are lost; then the expert's settings, cheap ones first."""
        known = [r for r in earlier if r.stage is Stage.FINE_TUNING and r.score is not None]
        if known:
            yield dict(max(known, key=lambda record: record.score or 0.0).params)
        first = next(iter(starts))
        tried = {(backbone, depth) for backbone, _size, depth in (self._key(record.params) for record in known)}
        # On many photos the whole network is the cheaper one: its epochs are parts of them.
        for depth in sorted(_EXPERT_DEPTHS, key=lambda depth: self._passes(depth, N_EPOCHS)):
            if (first, depth) not in tried:
                # Asked for one by one: the next one has the time that this one has left.
                yield self.space.defaults(
                    backbone=first, depth=depth, ft_image_size_px=self._size_in_time(first, depth)
                )

    def _size_in_time(self, backbone: str, depth: int) -> int:
        """The usual one, or a smaller one at which half of the epochs can end in time."""
        sizes = [one for one in self._sizes if one <= _USUAL_PX]
        if not self._budget.has_clock:
            return sizes[-1]
        left_s = self._budget.search_left_s
        fitting = [one for one in sizes if self._cost_s(backbone, one, depth, N_EPOCHS // 2) <= left_s]
        return max(fitting, default=sizes[0])

    def _folds(self) -> tuple[int, ...]:
        """As many as are needed to tell two models apart."""
        first = self._targets.folds[:, 0]
        counts = [int((first == fold).sum()) for fold in range(self._targets.n_folds)]
        n = 1
        while n < len(counts) and sum(counts[:n]) < _FEWEST_HELD_OUT:
            n += 1
        return tuple(range(n))

    def _n_trained(self, recipe: _Recipe) -> int:
        return int((self._targets.folds[:, 0] != recipe.folds[0]).sum())

    @staticmethod
    def _key(params: Params) -> tuple[str, int, int]:
        return str(params["backbone"]), int(params["ft_image_size_px"]), int(params["depth"])

    def _cost_s(self, backbone: str, size: int, depth: int, epochs: int) -> float:
        """Predicted seconds of a fine-tuning in all its folds, from what was timed, else from the frozen pass."""
        key = backbone, size, depth
        if key in self._epoch_s:
            seconds = self._preparation_s[key] + len(self._folds()) * epochs * self._epoch_s[key]
        else:
            pass_s = block_seconds(self._features.seconds_per_image(backbone), size, 1)
            seconds = pass_s * self._passes(depth, epochs)
        return seconds + _START_S

    def _passes(self, depth: int, epochs: int) -> float:
        """What a fine-tuning in all its folds is foreseen to cost, in frozen passes of one photo."""
        n_photos = len(self._targets.labels)
        storing = _STORING_COST * n_photos if depth else 0.0
        an_epoch = _STEP_COST[depth] * min(n_photos, STEPS_PER_EPOCH * self._batch_size)
        return storing + len(self._folds()) * epochs * an_epoch

    def _try(self, plan: FeaturePlan, proposal: Proposal) -> TrialRecord | None:
        """None where it could not end in time, or may not be delivered; then nothing was started."""
        params = proposal.params
        backbone, size, depth = self._key(params)
        starts = self._starts()
        if backbone not in starts or not self._heads.is_allowed([backbone], size):
            return None
        folds = self._folds()
        epochs = self._epochs(backbone, size, depth, proposal.epochs)
        if epochs is None:
            return None
        recipe = _Recipe(params, starts[backbone], epochs, folds)
        attempt = Attempt(Stage.FINE_TUNING, params, (backbone,), size, proposal.epochs)
        self._book.observer.activity(f"Training {describe(params)}")
        return self._book.run(attempt, partial(self._train, plan, recipe), epochs)

    def _epochs(self, backbone: str, size: int, depth: int, given: int | None) -> int | None:
        """As many as can end in time, at most those that the user or the tuner allows; None for too few."""
        most = min(self._most_epochs, given or self._most_epochs)
        if not self._budget.has_clock:
            return most
        left_s = self._budget.search_left_s
        if (refit_s := self._refit_s()) < left_s / 2:
            left_s -= refit_s
        fitting = [n for n in range(1, most + 1) if self._cost_s(backbone, size, depth, n) <= left_s]
        n = max(fitting, default=0)
        return n if n >= min(_FEWEST_EPOCHS, most) else None

    def _train(
        self, plan: FeaturePlan, recipe: _Recipe, number: int, seed: int, on_epoch: OnEpoch, on_step: OnStep
    ) -> Candidate:
        first_fold = self._targets.folds[:, 0]
        logits = np.full((1, len(first_fold), self._targets.n_classes), np.nan, np.float32)
        fits: list[FineTuned] = []
        with self._fine_tuner(plan, recipe, seed) as tuner:
            self._time(recipe, tuner)
            for fold in recipe.folds:
                held_out = _some(np.flatnonzero(first_fold == fold), _MAX_HELD_OUT)
                learnt = np.flatnonzero(first_fold != fold)
                watched = on_epoch if fold == recipe.folds[0] else None
                (head,) = recipe.start.fold_layers[fold]
                fits.append(self._fit_fold(tuner, learnt, held_out, head, watched, on_step, len(recipe.folds)))
                logits[0, held_out] = fits[-1].held_out_logits
        best_epoch = max(1, round(statistics.median(fit.best_epoch for fit in fits)))
        member = self._member(recipe, fits[0], str(number))
        score, loss = score_of(logits, self._targets, self._book.objective, is_scored(logits))
        n_bytes, latency_s = self._heads.cost(member.branches, member.n_bytes)
        self._recipes[number], self._best_epochs[number] = recipe, best_epoch
        candidate = Candidate(
            number=number,
            stage=Stage.FINE_TUNING,
            params=recipe.params,
            members=(member,),
            image_size_px=max(plan.main_px, member.branches[0].image_size_px),
            held_out_logits=logits,
            score=score,
            loss=loss,
            n_bytes=n_bytes,
            latency_s=latency_s,
            best_epoch=best_epoch,
            curves=fits[0].curves,
        )
        self.tuned.append(candidate)
        self._forget_losers()
        return candidate

    def _forget_losers(self) -> None:
        """Nobody asks for their weights again, and a day's search would fill a disk with them."""
        best = self._best
        for loser in [one for one in self.tuned if one is not best and one is not self._book.best]:
            self.tuned.remove(loser)
            for branch in loser.branches:
                if branch.tuned is not None:
                    branch.tuned.unlink(missing_ok=True)

    def _fit_fold(
        self,
        tuner: FineTuner,
        learnt: np.ndarray,
        held_out: np.ndarray,
        head: tuple[np.ndarray, np.ndarray],
        on_epoch: OnEpoch | None,
        on_step: OnStep,
        n_folds: int,
    ) -> FineTuned:
        """One fold, from the head that has not seen its held-out photos either.

        Where the time is over in the only fold, its best epoch so far is taken.
        """
        shape = (1, len(self._targets.labels), self._targets.n_classes)

        def tell(epoch: int, held_out_logits: np.ndarray) -> bool:
            if on_epoch is not None:
                logits = np.full(shape, np.nan, np.float32)
                logits[0, held_out] = held_out_logits
                on_epoch(epoch, logits)
            return False

        def check() -> None:
            on_step()

        try:
            return tuner.fit(learnt, held_out, on_work=check, on_epoch=tell, head=head)
        except SearchOver:
            if n_folds > 1 or tuner.best is None:
                raise
            return tuner.best

    def _time(self, recipe: _Recipe, tuner: FineTuner) -> None:
        """Measures an epoch once for each kind of training.

        Raises:
            TrialPruned: it takes so long that it could not end in time.
        """
        key = self._key(recipe.params)
        if key not in self._epoch_s:
            step_s, image_s = tuner.probe()
            n_trained = self._n_trained(recipe)
            n_held_out = min(_MAX_HELD_OUT, len(self._targets.labels) - n_trained)
            self._epoch_s[key] = tuner.steps_per_epoch(n_trained) * step_s + n_held_out * image_s
            several = len(recipe.folds) > 1  # then each photo is learnt from in one of them
            needed = (len(self._targets.labels),) if several else (n_trained, n_held_out)
            self._preparation_s[key] = tuner.preparation_s(*needed)
        fewest_s = min(recipe.epochs, _FEWEST_EPOCHS) * self._epoch_s[key]
        needed_s = self._preparation_s[key] + len(recipe.folds) * fewest_s
        if self._budget.has_clock and needed_s > self._budget.search_left_s and self._book.best is not None:
            raise TrialPruned(f"It would have taken {needed_s:.0f} s, longer than the time that is left.")

    def _fine_tuner(self, plan: FeaturePlan, recipe: _Recipe, seed: int | None = None) -> FineTuner:
        """Works from the photos at the size that the delivered model takes, and resizes as that does."""
        size = int(recipe.params["ft_image_size_px"])
        on_progress = self._book.progress("Reading the photos", is_needed=False)
        pixels = self._features.pixels(max(plan.main_px, size), on_progress)
        member = recipe.start.members[0]
        settings: FineTuneSettings = settings_of(recipe.params, member.taps, recipe.epochs, self._batch_size)
        if not self._settings.early_stopping:
            settings = replace(settings, patience=recipe.epochs)
        (head,) = member.layers
        self._scratch.mkdir(parents=True, exist_ok=True)
        return FineTuner(
            pixels=pixels,
            labels=self._targets.labels,
            n_classes=self._targets.n_classes,
            installed=self._weights[recipe.backbone],
            head=head,
            settings=settings,
            seed=self._settings.seed if seed is None else seed,
            scratch=self._scratch,
            deterministic=not self._budget.has_clock,
        )

    def _member(self, recipe: _Recipe, fitted: FineTuned, name: str) -> Member:
        path = self._scratch / f"tuned-{name}.weights.h5"
        fitted.save_backbone(path)
        branch = Branch(recipe.backbone, int(recipe.params["ft_image_size_px"]), path)
        return Member((branch,), recipe.start.members[0].taps, (fitted.head,))


def _some(rows: np.ndarray, n: int) -> np.ndarray:
    """At most `n` of the rows, evenly spaced, since rows of one class lie side by side."""
    return rows if len(rows) <= n else rows[np.linspace(0, len(rows) - 1, n).astype(int)]

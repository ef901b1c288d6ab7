"""One trial of stage 2: fine-tune a backbone in its folds, and score it on the photos that they held out."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from automl.models.fine_tuning.fine_tuned import FineTuned
from automl.models.fine_tuning.fine_tuner import FineTuner
from automl.models.weights.cache import InstalledWeights
from automl.records import Stage
from automl.search.budget import SearchOver
from automl.search.candidate import Branch, BranchHead, Candidate, is_scored
from automl.search.context import SearchContext
from automl.search.costs import ModelCosts
from automl.search.frozen import FrozenFeatures
from automl.search.space import Params
from automl.search.stages.fine_tuning_space import fine_tune_settings
from automl.search.stages.fine_tuning_times import FineTuningKind, FineTuningTimes
from automl.search.stages.folds import FineTuningFolds, Fold
from automl.search.trial_run import TrialControls, TrialPruned
from automl.text.messages import search as search_messages

FEWEST_EPOCHS = 3
"""With less time than for so many epochs, a fine-tuning is not worth beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFineTuning:
    """A fine-tuning that can end in time.

    Attributes:
        params: the values that the tuner chose.
        start: the linear head on the same backbone that it starts from.
        epochs: the most that each fold may have.
        input_px: side of the square picture that the delivered model takes; it resizes that for the backbone.
        rival: the best head, which it has to do about as well as before all of its folds are trained; None for none.
    """

    params: Params
    start: Candidate
    epochs: int
    input_px: int
    rival: Candidate | None = None

    @property
    def kind(self) -> FineTuningKind:
        return FineTuningKind.of(self.params)


class FineTuningTrainer:
    """Trains what was planned.

    Args:
        batch_size: photos of a training step.
        scratch: a folder for weights and stored activations.
    """

    def __init__(
        self,
        context: SearchContext,
        *,
        features: FrozenFeatures,
        weights: Mapping[str, InstalledWeights],
        costs: ModelCosts,
        times: FineTuningTimes,
        folds: FineTuningFolds,
        batch_size: int,
        scratch: Path,
    ) -> None:
        self._context, self._budget, self._targets = context, context.budget, context.targets
        self._features, self._weights, self._costs = features, weights, costs
        self._times, self._folds = times, folds
        self._batch_size, self._scratch = batch_size, scratch

    def train(self, planned: PlannedFineTuning, trial: TrialControls) -> Candidate:
        """Trains the folds by which models are compared; the model is that of the first one.

        Where every photo must be answered for, one that does about as well as the best head is also trained in all
        other folds and repeats, and the model learns from every photo.

        Raises:
            TrialPruned: it turned out so slow that it could not end in time.
        """
        folds = self._folds
        logits = self._no_answers()
        fits: list[FineTuned] = []
        with self._fine_tuner(planned, trial.seed) as tuner:
            self._times.measure(planned.kind, tuner)
            self._require_time(planned)

            def train_fold(fold: Fold) -> None:
                fits.append(self._train_fold(tuner, fold, start=planned.start, trial=trial))
                logits[fold.repeat, folds.held_out(fold)] = fits[-1].held_out_logits

            for fold in folds.compared:
                train_fold(fold)
            delivered = fits[0]
            if folds.answers_all and (not folds.others or self._keeps_up(logits, planned.rival)):
                for fold in folds.others:
                    train_fold(fold)
                rows = np.arange(folds.n_photos)
                delivered = tuner.fit(rows, rows[:0], on_work=self._budget.check)
        head = self._head(planned, delivered, str(trial.number))
        score, loss = self._context.scorer.score(logits)
        cost = self._costs.of(head.branches, head.n_bytes)
        return Candidate(
            number=trial.number,
            stage=Stage.FINE_TUNING,
            params=planned.params,
            heads=(head,),
            image_size_px=planned.input_px,
            held_out_logits=logits,
            score=score,
            loss=loss,
            n_bytes=cost.n_bytes,
            latency_s=cost.latency_s,
            best_epoch=max(1, round(statistics.median(fit.best_epoch for fit in fits))),
            curves=fits[0].curves,
        )

    def _no_answers(self) -> np.ndarray:
        """float32 (n_repeats, n_photos, n_classes): NaN. Without need for all answers, of the first repeat only."""
        n_repeats = self._folds.n_repeats if self._folds.answers_all else 1
        return np.full((n_repeats, self._folds.n_photos, self._targets.n_classes), np.nan, np.float32)

    def _keeps_up(self, logits: np.ndarray, rival: Candidate | None) -> bool:
        """Whether it answers as well as the best head, or with less doubt, as far as it has answered."""
        if rival is None:
            return True
        scorer = self._context.scorer
        score, loss = scorer.score(logits)
        other_score, other_loss = scorer.score(rival.held_out_logits[: len(logits)], is_scored(logits))
        return score >= other_score or loss <= other_loss

    def refit(self, planned: PlannedFineTuning, trained: Candidate) -> Candidate:
        """The same model, trained once more on every photo for as many epochs as were best in the folds."""
        rows = np.arange(self._folds.n_photos)

        def is_enough(epoch: int, _logits: np.ndarray) -> bool:
            return epoch >= trained.best_epoch

        with self._fine_tuner(planned, self._context.settings.seed) as tuner:
            fitted = tuner.fit(rows, rows[:0], on_work=self._budget.check, on_epoch=is_enough)
        return replace(trained, heads=(self._head(planned, fitted, f"{trained.number}-all"),))

    def _require_time(self, planned: PlannedFineTuning) -> None:
        needed_s = self._times.measured_s(planned.kind, min(planned.epochs, FEWEST_EPOCHS))
        if self._budget.has_clock and needed_s > self._budget.search_left_s:
            raise TrialPruned(search_messages.WOULD_TAKE_TOO_LONG.format(needed_s=needed_s))

    def _train_fold(self, tuner: FineTuner, fold: Fold, *, start: Candidate, trial: TrialControls) -> FineTuned:
        """Trains one fold, from the head that has not seen its held-out photos either.

        Where the time is over in the only fold, its best epoch so far is taken.
        """
        (head,) = start.fold_layers[fold.repeat * self._targets.n_folds + fold.number]
        held_out = self._folds.held_out(fold)

        def on_epoch(epoch: int, held_out_logits: np.ndarray) -> bool:
            if fold == self._folds.compared[0]:  # the pruner compares the first fold of all trials
                logits = self._no_answers()
                logits[0, held_out] = held_out_logits
                trial.on_epoch(epoch, logits)
            return False

        def on_work() -> None:
            trial.on_step()

        try:
            return tuner.fit(self._folds.learnt(fold), held_out, on_work=on_work, on_epoch=on_epoch, head=head)
        except SearchOver:
            if len(self._folds) > 1 or tuner.best is None:
                raise
            return tuner.best

    def _fine_tuner(self, planned: PlannedFineTuning, seed: int) -> FineTuner:
        """Works from the photos at the size that the delivered model takes, and resizes them as that does."""
        on_progress = self._context.progress(search_messages.READING_PHOTOS, is_needed=False)
        pixels = self._features.pixels(planned.input_px, on_progress)
        (start,) = planned.start.heads
        settings = fine_tune_settings(
            planned.params,
            start.taps,
            is_unit=start.is_unit,
            epochs=planned.epochs,
            batch_size=self._batch_size,
        )
        if not self._context.settings.early_stopping and settings.patience is not None:
            settings = replace(settings, patience=planned.epochs)
        self._scratch.mkdir(parents=True, exist_ok=True)
        return FineTuner(
            pixels=pixels,
            labels=self._targets.labels,
            n_classes=self._targets.n_classes,
            installed=self._weights[planned.kind.backbone],
            head=start.layers[0],
            settings=settings,
            seed=seed,
            scratch=self._scratch,
            deterministic=not self._budget.has_clock,
        )

    def _head(self, planned: PlannedFineTuning, fitted: FineTuned, name: str) -> BranchHead:
        """The tuned backbone, whose weights become a file, with its head."""
        path = self._scratch / f"tuned-{name}.weights.h5"
        fitted.save_backbone(path)
        branch = Branch(planned.kind.backbone, planned.kind.image_size_px, tuned=path)
        return replace(planned.start.heads[0], branches=(branch,), layers=(fitted.head,))

"""Ends a trial that is losing, by comparing its scores with those of earlier trials at the same epoch."""

import optuna
from optuna.trial import FrozenTrial, TrialState

from automl.records import PrunerKind

_N_STARTUP_TRIALS = 8
_MAX_WARMUP_EPOCHS = 8
_REDUCTION_FACTOR = 3
_MAX_REMEMBERED = 400
_N_KEPT = 200


class Pruner:
    """Compares trials of one stage and one number of epochs: make one for each.

    An in-memory study of Optuna holds the scores. Its pruners look through all earlier trials for each report, so the
    study forgets all but the latest ones from time to time, which keeps a report well under a millisecond.

    Args:
        kind: when a trial counts as losing.
        max_epochs: the most epochs that a trial may have.
    """

    def __init__(self, kind: PrunerKind, max_epochs: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # our own observers report the trials
        self._kind = kind
        self._pruner = _make_pruner(kind, max_epochs)
        self._study = self._new_study()

    def watch(self) -> "Watched":
        """Begins to watch a trial."""
        trials = self._study.get_trials(deepcopy=False)
        if len(trials) >= _MAX_REMEMBERED:
            self._study = self._new_study()
            self._study.add_trials([trial for trial in trials if self._is_worth_keeping(trial)][-_N_KEPT:])
        return Watched(self._study, self._study.ask())

    def _is_worth_keeping(self, trial: FrozenTrial) -> bool:
        match self._kind:
            case PrunerKind.MEDIAN:  # it compares with complete trials only
                return trial.state is TrialState.COMPLETE
            case PrunerKind.SUCCESSIVE_HALVING:
                return trial.state.is_finished()
            case _:  # Hyperband derives a trial's bracket from its number, which would change: it begins anew
                return False

    def _new_study(self) -> optuna.Study:
        # Hyperband derives brackets from the study's name too, so it must not be a random one.
        return optuna.create_study(
            study_name="pruner",
            direction="maximize",
            pruner=self._pruner,
            sampler=optuna.samplers.RandomSampler(seed=0),
        )


class Watched:
    """One trial that a pruner watches."""

    def __init__(self, study: optuna.Study, trial: optuna.Trial) -> None:
        self._study = study
        self._trial = trial
        self._latest_epoch = 0

    def report(self, epoch: int, score: float) -> bool:
        """Whether the trial is losing and should end now.

        Args:
            epoch: from 1; one that was reported already does not count.
            score: the objective on held-out photos, finite, higher is better.
        """
        if epoch <= self._latest_epoch:  # the training began anew, with smaller batches
            return False
        self._latest_epoch = epoch
        self._trial.report(score, epoch)
        return self._trial.should_prune()

    def finish(self, score: float | None, pruned: bool) -> None:
        """Must be called at the end of the trial: later ones are compared with it.

        Args:
            score: None where the trial failed.
            pruned: whether it was ended early.
        """
        if pruned:
            self._study.tell(self._trial, state=TrialState.PRUNED)
        elif score is None:
            self._study.tell(self._trial, state=TrialState.FAIL)
        else:
            self._study.tell(self._trial, score)


def _make_pruner(kind: PrunerKind, max_epochs: int) -> optuna.pruners.BasePruner:
    warmup_epochs = max(2, min(_MAX_WARMUP_EPOCHS, max_epochs // 5))  # a fine-tuning dips at first
    match kind:
        case PrunerKind.MEDIAN:
            return optuna.pruners.MedianPruner(n_startup_trials=_N_STARTUP_TRIALS, n_warmup_steps=warmup_epochs)
        case PrunerKind.SUCCESSIVE_HALVING:
            return optuna.pruners.SuccessiveHalvingPruner(
                min_resource=warmup_epochs, reduction_factor=_REDUCTION_FACTOR
            )
        case PrunerKind.HYPERBAND:
            return optuna.pruners.HyperbandPruner(
                min_resource=warmup_epochs,
                max_resource=max(warmup_epochs, max_epochs),
                reduction_factor=_REDUCTION_FACTOR,
            )
        case PrunerKind.NONE:
            return optuna.pruners.NopPruner()

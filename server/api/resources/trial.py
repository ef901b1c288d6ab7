"""Trials, as the API shows them."""

from collections.abc import Iterable

from automl.records import TrialParams
from automl.store.tables import TrialSummary
from server.api.resources.resource import Resource


class TrialResource(Resource):
    """One finished trial of a run."""

    number: int
    """From 0; pages, which people read, count from 1."""

    stage: str
    """`heads`, `fine-tuning` or `blend`."""

    state: str
    """`complete`, `pruned` (given up early) or `failed`."""

    backbones: list[str]
    """Networks that it stands on."""

    image_size_px: int
    """Size to which photos were brought."""

    params: TrialParams
    """What the search chose, by name."""

    parts: list[int]
    """Numbers of the trials whose mean it is; empty for a trial that is no mean."""

    score: float | None
    """The value of the goal on held-out photos, 0-1; null where the trial failed or was given up early."""

    started_s: float
    """Seconds on the run's clock."""

    duration_s: float
    """Seconds that it took."""

    epochs: int | None
    """Epochs that it was given, where the tuner chose their number."""

    n_bytes: int | None
    """Size of the model; null where unknown."""

    latency_s: float | None
    """Seconds for one photo on the server's processor; null where unknown."""

    message: str
    """Why it failed."""

    @classmethod
    def of(cls, trial: TrialSummary) -> "TrialResource":
        return cls(
            number=trial.number,
            stage=trial.stage,
            state=trial.state,
            backbones=trial.backbones,
            image_size_px=trial.image_size_px,
            params=trial.params,
            parts=trial.parts,
            score=trial.score,
            started_s=trial.started_s,
            duration_s=trial.duration_s,
            epochs=trial.epochs,
            n_bytes=trial.n_bytes or None,
            latency_s=trial.latency_s or None,
            message=trial.message,
        )


class TrialListResource(Resource):
    """All trials of a run."""

    trials: list[TrialResource]
    """In the order in which they were started."""

    @classmethod
    def of(cls, trials: Iterable[TrialSummary]) -> "TrialListResource":
        return cls(trials=[TrialResource.of(trial) for trial in trials])

"""One trial of the search."""

from dataclasses import dataclass

from automl.records.states import Stage, TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One finished trial, as pages and reports show it.

    `score`: the goal's value on validation, 0-1, None where the trial failed or was pruned. `started_s`, `duration_s`:
    seconds on the run's clock. `params`: the values that the tuner chose, by name of the search space. `n_bytes`: size
    of the model file. `latency_s`: of one photo on this machine's CPU; both 0 where unknown. `epochs`: most epochs it
    was given, where a tuner chose that (Hyperband), else None. `parts`: numbers of the trials that it averages, of an
    ensemble; such a record has no parameters.
    """

    number: int
    state: TrialState
    backbones: tuple[str, ...]
    image_size_px: int
    params: dict[str, str | int | float]
    score: float | None
    started_s: float
    duration_s: float
    message: str = ""
    stage: Stage = Stage.HEADS
    n_bytes: int = 0
    latency_s: float = 0.0
    epochs: int | None = None
    parts: tuple[int, ...] = ()

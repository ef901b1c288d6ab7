"""One trial of the search."""

from dataclasses import dataclass
from typing import NamedTuple

from automl.records.states import Stage, TrialState
from automl.records.stored_record import StoredRecord

TrialParams = dict[str, bool | int | float | str]
"""What a tuner chose, by name of the search space."""


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
    params: TrialParams
    score: float | None
    started_s: float
    duration_s: float
    message: str = ""
    stage: Stage = Stage.HEADS
    n_bytes: int = 0
    latency_s: float = 0.0
    epochs: int | None = None
    parts: tuple[int, ...] = ()


class EpochScores(NamedTuple):
    """What one epoch of a training has reached on the photos that it holds out.

    Attributes:
        number: From 1.
        score: The value of the goal, 0-1; None where it is not finite.
        loss: Cross entropy, in nats; None where it is not finite.
    """

    number: int
    score: float | None
    loss: float | None


class TrialInProgress(StoredRecord):
    """The trial that is going on."""

    number: int
    """From 0."""

    stage: Stage
    """The stage of the search that it belongs to."""

    backbones: tuple[str, ...]
    """Networks that it stands on."""

    image_size_px: int
    """Size to which photos are brought."""

    started_s: float
    """Seconds on the run's clock."""

    epochs: tuple[EpochScores, ...] = ()
    """What its epochs have reached so far."""

    @classmethod
    def of(cls, record: TrialRecord) -> "TrialInProgress":
        """The trial of which `record` is the beginning."""
        return cls(
            number=record.number,
            stage=record.stage,
            backbones=record.backbones,
            image_size_px=record.image_size_px,
            started_s=record.started_s,
            epochs=(),
        )

    def with_epoch(self, reached: EpochScores) -> "TrialInProgress":
        """The same trial after one more epoch."""
        return self.model_copy(update={"epochs": (*self.epochs, reached)})

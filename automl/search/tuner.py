"""The small interface behind which Optuna and KerasTuner propose."""

from pathlib import Path
from typing import Protocol

from automl.records import TunerKind
from automl.search.space import Params, SearchSpace


class Tuner(Protocol):
    """Proposes what to try next, and learns from every score, whoever proposed the trial."""

    def propose(self) -> Params | None:
        """The next parameters; None when the space is exhausted."""
        ...

    def observe(self, params: Params, score: float | None) -> None:
        """`score`: higher is better; None where the trial failed."""
        ...


def make_tuner(kind: TunerKind, space: SearchSpace, seed: int, scratch: Path) -> Tuner:
    """`scratch`: a folder for the files that KerasTuner's oracles insist on writing."""
    if kind is TunerKind.OPTUNA:
        from automl.search.optuna_tuner import OptunaTuner

        return OptunaTuner(space, seed)
    from automl.search.keras_tuner import KerasTunerTuner

    return KerasTunerTuner(space, seed, scratch)

"""Packs models: the best one so far while the search goes on, and the one that is delivered at its end."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from automl.delivery.bundle import write_bundle
from automl.delivery.exporter import ExportedModels, Exporter
from automl.errors import DarkroomError, RunFailed
from automl.evaluation.first_model import FirstModel
from automl.records import ImageRecord
from automl.search.budget import Budget
from automl.search.candidate import Candidate
from automl.search.frozen import FrozenFeatures
from automl.search.observer import Observer
from automl.serving.predict import load_image

_log = structlog.stdlib.get_logger(__name__)

PLOTS_AND_PACKING_S = 6.0
EXPLAIN_S = 12.0
"""Heat maps take about so long on two processors; where there is less time, they are left out."""

_EXPLAINED_FROM_S = 300.0  # of a shorter run, time for them is only what the search leaves
_N_PLOTTED = 12
_MORE_FOR_EACH_BACKBONE = 0.5
_KERAS_TOO = 4.0  # writing and reading both files again takes this much longer than only model.onnx
_LOAD_TENSORFLOW_S = 8.0
_TUNED_EXPORT_S = 20.0  # a first guess: converting a network that has weights of its own
_SAFETY = 1.3
_PACK_EVERY_S, _PACK_SHARE = 15.0, 1 / 20
_SECOND_AFTER_S, _SECOND_SHARE = 5.0, 1 / 10
_CLEARLY_BETTER = 0.02
_N_VERIFIED = 4
_SMALL_SHARE = 0.03  # of the time: what scoring the first model too may take from the search
_LARGEST_DIFFERENCE = 0.01


@dataclass(frozen=True, slots=True)
class Packed:
    """A model whose files are written and checked."""

    candidate: Candidate
    models: ExportedModels


class Packer:
    """The `Ending` of a search. A model that cannot be packed costs a note, and never the run while others can.

    Packing takes at most a twentieth of the time that has gone by since the last one. The first model is by design the
    worst, so once, for the second download, it may take a tenth of what the search has left instead.

    `pool`: the photos that are learned from; a few of them check what was written. `tensorflow`: the thread that loads
    it. `first`: the model of the first download, whose file stays; None as long as there is none.
    """

    def __init__(
        self,
        exporter: Exporter,
        describe: Callable[[Candidate], dict[str, Any]],
        features: FrozenFeatures,
        pool: Sequence[ImageRecord],
        n_test: int,
        budget: Budget,
        observer: Observer,
        workspace: Path,
        tensorflow: threading.Thread,
    ) -> None:
        self._exporter, self._describe, self._features = exporter, describe, features
        self._pool, self._n_test = pool, n_test
        self._budget, self._observer = budget, observer
        self._workspace, self._tensorflow = workspace, tensorflow
        self._packed: Packed | None = None
        self._tried: Candidate | None = None
        self._tried_at_s = 0.0
        self._export_s = self._decode_s = 0.0
        self._tuned_export_s = _TUNED_EXPORT_S
        self._may_be_tuned = self._has_failed = False
        self.first: FirstModel | None = None

    def expect_fine_tuned(self) -> None:
        self._may_be_tuned = True

    def after_trial(self, best: Candidate) -> None:
        """Packs the first model at once, and a better one now and then; foresees how long the end will take."""
        if self._is_worth_packing(best):
            self._try_to_pack(best, self._needs_keras(best))
        elif self._is_second_worth_packing(best):
            self._try_to_pack(best, with_keras=False)
        self._budget.reserve(self._end_s(best))

    def deliver(self, *candidates: Candidate | None) -> Packed:
        """Both files of the first of `candidates` that can be written; of the last download, where none can.

        Raises:
            DarkroomError, or what the export met: not one could be written.
        """
        wanted: list[Candidate] = []
        for one in (*candidates, self._packed.candidate if self._packed else None):
            if one is not None and all(one is not other for other in wanted):
                wanted.append(one)
        for one in wanted[:-1]:
            try:
                return self._complete(one)
            except Exception as error:  # noqa: BLE001 - another model can be delivered
                _log.warning("a model could not be exported", number=one.number, exc_info=True)
                self._observer.note(
                    f"The model of try {one.number + 1} could not be written ({_reason(error)}), "
                    "so the next best one is delivered."
                )
        return self._complete(wanted[-1])

    def _complete(self, candidate: Candidate) -> Packed:
        packed = self._packed
        if packed is not None and packed.candidate is candidate and packed.models.keras is not None:
            return packed
        return Packed(candidate, self._export(candidate, f"best_{candidate.number}", with_keras=True))

    def _is_worth_packing(self, best: Candidate) -> bool:
        if self._tried is None:
            return True
        cost_s = self._pack_s(best, self._needs_keras(best))
        is_old = self._age_s > _PACK_EVERY_S and cost_s < _PACK_SHARE * self._age_s
        return best is not self._tried and is_old and self._budget.search_left_s > cost_s

    def _is_second_worth_packing(self, best: Candidate) -> bool:
        """With `model.onnx` only, as the first: that is quick, and all that is needed to try it."""
        first = self.first.candidate if self.first else None
        if first is None or self._tried is not first or _is_tuned(best):
            return False
        is_clearly_better = best.score - first.score >= _CLEARLY_BETTER
        is_quick = self._pack_s(best, with_keras=False) <= _SECOND_SHARE * self._budget.search_left_s
        return is_clearly_better and is_quick and self._age_s > _SECOND_AFTER_S

    @property
    def _age_s(self) -> float:
        """Seconds since something was packed."""
        return self._budget.elapsed_s - self._tried_at_s

    def _end_s(self, best: Candidate) -> float:
        """Seconds that export, test and packing may take.

        What may still win must be exported: a better head, the best one once it has learned from all photos, or its
        mean with another. So it counts for nothing that this one is packed already.
        """
        n_more = 1 if self._may_be_tuned and len(best.members) == 1 else 0
        export_s = self._export_s * _weight(len(best.branches) + n_more, True)
        if not self._is_loaded:
            export_s += _LOAD_TENSORFLOW_S
        if self._may_be_tuned:
            export_s += self._tuned_export_s
        network_s = self._network_s(best)
        test_s = self._n_test * (self._decode_s + network_s)
        if self._is_first_quick:
            test_s += self._first_test_s
        explain_s = EXPLAIN_S if self._budget.total_s >= _EXPLAINED_FROM_S else 0.0
        return _SAFETY * (export_s + test_s + explain_s + PLOTS_AND_PACKING_S + _N_PLOTTED * self._decode_s)

    def has_time_for_first(self, winner: Candidate) -> bool:
        """Whether the first model can be scored on the test photos, too: it is quick, or the search has left time."""
        if self.first is None:
            return False
        needed_s = self._n_test * (self._decode_s + self._network_s(winner)) + self._first_test_s
        left_s = self._budget.total_s - self._budget.elapsed_s
        return self._is_first_quick or left_s > _SAFETY * (needed_s + PLOTS_AND_PACKING_S)

    @property
    def _first_test_s(self) -> float:
        """Seconds that the first model takes for the test photos; it may need them at a size of its own."""
        if self.first is None:
            return 0.0
        return self._n_test * (self._decode_s + self._network_s(self.first.candidate))

    @property
    def _is_first_quick(self) -> bool:
        return self._first_test_s <= _SMALL_SHARE * self._budget.total_s

    def _network_s(self, candidate: Candidate) -> float:
        """Seconds for one photo."""
        return sum(self._features.latency_s(one.backbone, one.image_size_px) for one in candidate.branches)

    def _pack_s(self, candidate: Candidate, with_keras: bool) -> float:
        tuned_s = self._tuned_export_s if _is_tuned(candidate) else 0.0
        return self._export_s * _weight(len(candidate.branches), with_keras) + tuned_s

    @property
    def _is_loaded(self) -> bool:
        return self._tensorflow.ident is not None and not self._tensorflow.is_alive()

    def _needs_keras(self, candidate: Candidate) -> bool:
        """Before TensorFlow is there, a download has `model.onnx` only: nobody should wait for an import.

        Tuned weights are converted by TensorFlow, so it is there or will be in a moment.
        """
        return self._is_loaded or _is_tuned(candidate)

    def _try_to_pack(self, candidate: Candidate, with_keras: bool) -> None:
        self._tried = candidate
        try:
            self._pack_best_so_far(candidate, with_keras)
        except Exception as error:  # noqa: BLE001 - the search goes on: what it finds next may be packed
            _log.warning("the best model so far could not be packed", number=candidate.number, exc_info=True)
            if not self._has_failed:
                self._has_failed = True
                self._observer.note(f"A model could not be packed while the search went on ({_reason(error)}).")
        finally:
            self._tried_at_s = self._budget.elapsed_s

    def _pack_best_so_far(self, candidate: Candidate, with_keras: bool) -> None:
        self._observer.activity("Packing the best model so far")
        before_s = self._budget.elapsed_s
        models = self._export(candidate, "so_far" if self.first else "first", with_keras)
        self._packed = Packed(candidate, models)
        bundle = models.onnx.with_name("model.zip")
        write_bundle(bundle, models, self._describe(candidate))
        self._learn_cost(candidate, with_keras, self._budget.elapsed_s - before_s)
        self.first = self.first or FirstModel(candidate, models.onnx, self._budget.elapsed_s)
        self._observer.best_so_far(bundle, candidate.score)

    def _learn_cost(self, candidate: Candidate, with_keras: bool, took_s: float) -> None:
        weight = _weight(len(candidate.branches), with_keras)
        if not _is_tuned(candidate):
            self._export_s = took_s / weight
        else:  # less where the network had been converted before, which the next one will not have been
            self._tuned_export_s = max(self._tuned_export_s, took_s - self._export_s * weight)

    def _export(self, candidate: Candidate, folder: str, with_keras: bool) -> ExportedModels:
        """Writes the model, loads it again and checks it on pictures from the pool.

        The files of the last download are overwritten, so they count as gone until the new ones are checked.
        """
        if self._packed is not None and folder == self._packed.models.onnx.parent.name:
            self._packed = None
        models = self._exporter.export(candidate, self._workspace / folder, with_keras=with_keras)
        some = self._pool[:_N_VERIFIED]
        before_s = self._budget.elapsed_s
        pictures = np.stack([load_image(image.path, candidate.image_size_px) for image in some])
        self._decode_s = (self._budget.elapsed_s - before_s) / len(some)
        difference = self._exporter.largest_difference(candidate, models, pictures)
        if not difference <= _LARGEST_DIFFERENCE:
            raise RunFailed(f"The exported models disagree with each other by {difference:.3f}; nothing was delivered.")
        return models


def _weight(n_branches: int, with_keras: bool) -> float:
    """How much longer an export takes than that of a single backbone to `model.onnx`."""
    return (1 + _MORE_FOR_EACH_BACKBONE * (n_branches - 1)) * (_KERAS_TOO if with_keras else 1.0)


def _is_tuned(candidate: Candidate) -> bool:
    return any(branch.tuned for branch in candidate.branches)


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, DarkroomError) else f"{type(error).__name__}: {error}"

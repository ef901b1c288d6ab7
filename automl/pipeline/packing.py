"""Packs models: the best one so far while the search goes on, and the one that is delivered at its end."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog

from automl.delivery.bundle import write_bundle
from automl.delivery.exporter import ExportedModels, Exporter
from automl.errors import DarkroomError, RunFailed
from automl.evaluation.first_model import FirstModel
from automl.pipeline.end_times import EndTimes, Part
from automl.records import ImageRecord
from automl.records.report import CandidateReport
from automl.search.budget import Budget
from automl.search.candidate import Candidate
from automl.search.observer import Observer
from automl.search.trials import BestModelPacker
from automl.serving.predict import PhotoRules, load_image
from automl.text.messages import pipeline as pipeline_messages

_log = structlog.stdlib.get_logger(__name__)

_PACK_EVERY_S, _PACK_SHARE = 15.0, 1 / 20
_SECOND_AFTER_S, _SECOND_SHARE = 5.0, 1 / 10
_CLEARLY_BETTER = 0.02
_N_VERIFIED = 4
_LARGEST_DIFFERENCE = 0.01


class Loading(Protocol):
    """Something that is loaded beside the search."""

    @property
    def loading_s(self) -> float | None:
        """Seconds since loading began; None once it is loaded."""
        ...


@dataclass(frozen=True, slots=True)
class PackedModel:
    """A model whose files are written and checked.

    Attributes:
        candidate: the model.
        models: its files.
    """

    candidate: Candidate
    models: ExportedModels


class Packer(BestModelPacker):
    """Packs the best model so far from time to time. One that cannot be packed costs a note, and the run goes on.

    Packing takes at most a twentieth of the time that has gone by since the last one. The first model is by design the
    worst, so once, for the second download, it may take a tenth of what the search has left instead.

    Attributes:
        times: how long the end of the run will take.
        first: the model of the first download, whose file stays; None as long as there is none.

    Args:
        exporter: writes the files of a model.
        describe: what `metrics.json` says of a model that has not been tested.
        times: learns from every export.
        photos: some of the photos that are learned from, to check what was written.
        rules: how they become pixels.
        workspace: a folder for the files.
        tensorflow: says whether TensorFlow is loaded, which `model.keras` needs.
    """

    def __init__(
        self,
        exporter: Exporter,
        *,
        describe: Callable[[Candidate], CandidateReport],
        times: EndTimes,
        photos: Sequence[ImageRecord],
        rules: PhotoRules,
        budget: Budget,
        observer: Observer,
        workspace: Path,
        tensorflow: Loading,
    ) -> None:
        self._exporter, self._describe, self._photos, self._rules = exporter, describe, photos, rules
        self._budget, self._observer = budget, observer
        self._workspace, self._tensorflow = workspace, tensorflow
        self._packed: PackedModel | None = None
        self._tried: Candidate | None = None
        self._tried_at_s = 0.0
        self._has_failed = False
        self.times = times
        self.first: FirstModel | None = None

    def expect_fine_tuned(self) -> None:
        self.times.may_be_tuned = True

    def expect_branches(self, n: int) -> None:
        self.times.most_branches = n

    def after_trial(self, best: Candidate) -> None:
        """Packs the first model at once, and a better one now and then; foresees how long the end will take."""
        self.times.n_trials += 1
        if self._is_worth_packing(best):
            self._try_to_pack(best, with_keras=self._needs_keras(best))
        elif self._is_second_worth_packing(best):
            self._try_to_pack(best, with_keras=False)
        first = self.first.candidate if self.first else None
        self._budget.reserve(self.times.end_s(best, first, loading_s=self._tensorflow.loading_s))

    def deliver(self, candidates: Iterable[Candidate]) -> PackedModel:
        """Both files of the first of `candidates` that can be written; of the last download, where none can.

        Args:
            candidates: at least one; a further one is asked for only where those before it cannot be written.

        Raises:
            DarkroomError, or what the export met: not one could be written.
        """
        last_download = [] if self._packed is None else [self._packed.candidate]
        wanted = _each_once(chain(candidates, last_download))
        one = next(wanted)
        while True:
            try:
                return self._complete(one)
            except Exception as error:
                if (another := next(wanted, None)) is None:
                    raise
                _log.warning("a model could not be exported", number=one.number, exc_info=True)
                self._observer.note(
                    pipeline_messages.NEXT_BEST_DELIVERED.format(number=one.number + 1, reason=_reason(error))
                )
                one = another

    def has_time_for_first(self, winner: Candidate) -> bool:
        """Whether the first model can be tested beside the winner."""
        return self.first is not None and self.times.has_time_for_first(self.first.candidate, winner)

    def _is_worth_packing(self, best: Candidate) -> bool:
        if self._tried is None:
            return True
        cost_s = self.times.pack_s(best, with_keras=self._needs_keras(best))
        is_old = self._age_s > _PACK_EVERY_S and cost_s < _PACK_SHARE * self._age_s
        return best is not self._tried and is_old and self._budget.search_left_s > cost_s

    def _is_second_worth_packing(self, best: Candidate) -> bool:
        """With `model.onnx` only, as the first: that is quick, and all that is needed to try it."""
        first = self.first.candidate if self.first else None
        if first is None or self._tried is not first or best.is_tuned:
            return False
        is_clearly_better = best.score - first.score >= _CLEARLY_BETTER
        cost_s = self.times.pack_s(best, with_keras=False)
        is_quick = cost_s <= _SECOND_SHARE * self._budget.search_left_s
        return is_clearly_better and is_quick and self._age_s > _SECOND_AFTER_S

    @property
    def _age_s(self) -> float:
        """Seconds since something was packed."""
        return self._budget.elapsed_s - self._tried_at_s

    def _needs_keras(self, candidate: Candidate) -> bool:
        """Before TensorFlow is there, a download has `model.onnx` only, so that no download waits for an import.

        Tuned weights are converted by TensorFlow, so it is there or will be in a moment.
        """
        return self._tensorflow.loading_s is None or candidate.is_tuned

    def _try_to_pack(self, candidate: Candidate, *, with_keras: bool) -> None:
        self._tried = candidate
        try:
            self._pack_best_so_far(candidate, with_keras=with_keras)
        except Exception as error:  # noqa: BLE001 - the search goes on: what it finds next may be packed
            _log.warning("the best model so far could not be packed", number=candidate.number, exc_info=True)
            if not self._has_failed:
                self._has_failed = True
                self._observer.note(pipeline_messages.NOT_PACKED_MEANWHILE.format(reason=_reason(error)))
        finally:
            self._tried_at_s = self._budget.elapsed_s

    def _pack_best_so_far(self, candidate: Candidate, *, with_keras: bool) -> None:
        self._observer.activity(pipeline_messages.PACKING_SO_FAR)
        before_s = self._budget.elapsed_s
        models = self._export(candidate, "so_far" if self.first else "first", with_keras=with_keras)
        self._packed = PackedModel(candidate, models)
        bundle = models.onnx.with_name("model.zip")
        write_bundle(bundle, models, self._describe(candidate))
        self.times.learn_export(candidate, self._budget.elapsed_s - before_s, with_keras=with_keras)
        self.first = self.first or FirstModel(candidate, models.onnx, self._budget.elapsed_s)
        self._observer.best_so_far(bundle, candidate.score)

    def _complete(self, candidate: Candidate) -> PackedModel:
        packed = self._packed
        if packed is not None and packed.candidate is candidate and packed.models.keras is not None:
            return packed
        with self.times.timed(Part.EXPORT, candidate):
            return PackedModel(candidate, self._export(candidate, f"best_{candidate.number}", with_keras=True))

    def _export(self, candidate: Candidate, folder: str, *, with_keras: bool) -> ExportedModels:
        """Writes the model, loads it again and checks it on pictures from the pool.

        The files of the last download are overwritten, so they count as gone until the new ones are checked.
        """
        if self._packed is not None and folder == self._packed.models.onnx.parent.name:
            self._packed = None
        models = self._exporter.export(candidate, self._workspace / folder, with_keras=with_keras)
        some = self._photos[:_N_VERIFIED]
        before_s = self._budget.elapsed_s
        pictures = np.stack([load_image(image.path, candidate.image_size_px, self._rules) for image in some])
        self.times.learn_decoding(self._budget.elapsed_s - before_s, len(some))
        difference = self._exporter.largest_difference(candidate, models, pictures)
        if not difference <= _LARGEST_DIFFERENCE:  # also where it is not a number
            raise RunFailed(pipeline_messages.MODELS_DISAGREE.format(difference=difference))
        return models


def _each_once(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    given: list[Candidate] = []
    for one in candidates:
        if all(one is not other for other in given):
            given.append(one)
            yield one


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, DarkroomError) else f"{type(error).__name__}: {error}"

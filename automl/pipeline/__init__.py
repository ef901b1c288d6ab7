"""Chains the stages: split -> pixels -> features -> search -> best -> evaluate once -> export -> bundle."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.data.pixels import sweep
from automl.data.split import make_split
from automl.errors import BadSetting, NoBackbone, RunFailed
from automl.models.heads import Targets
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights import InstalledWeights
from automl.records import DatasetManifest, ImageRecord, RunResult, RunSettings, RunState, SplitPlan, TrialRecord
from automl.results.bundle import write_bundle
from automl.results.evaluate import TestScore, evaluate
from automl.results.export import ExportedModels, Exporter
from automl.results.metrics import describe_candidate, describe_result, labels_of
from automl.search.budget import Budget
from automl.search.candidate import Candidate
from automl.search.frozen import FrozenFeatures
from automl.search.observer import Observer
from automl.search.search import Search
from automl.serving.predict import Classifier, load_image

if TYPE_CHECKING:
    from automl.results.plots import Plot

_PLOTS_AND_PACKING_S = 4.0
_N_PLOTTED = 12
_MORE_FOR_EACH_BACKBONE = 0.5
_KERAS_TOO = 4.0  # writing and reading both files again takes this much longer than only model.onnx
_LOAD_TENSORFLOW_S = 8.0
_TUNED_EXPORT_S = 20.0
_NICE = 10
_SAFETY = 1.3
_PACK_EVERY_S, _PACK_SHARE = 60.0, 20.0  # packing costs no more than a twentieth of the time
_LATE_S = 5.0
_N_VERIFIED = 4
_LARGEST_DIFFERENCE = 0.01


@dataclass(frozen=True, slots=True)
class Job:
    """One run to do. `cache`: features of earlier runs; `workspace`: an empty folder for this run's files.

    `earlier`: trials of an attempt that was broken off.
    """

    manifest: DatasetManifest
    settings: RunSettings
    weights: Mapping[str, InstalledWeights]
    cache: Path
    workspace: Path
    earlier: tuple[TrialRecord, ...] = ()


def train(job: Job, budget: Budget, observer: Observer) -> RunResult:
    """Runs all stages within `budget` and returns the bundle.

    Raises:
        NoBackbone: no pretrained weights are installed.
        RunFailed: no trial gave a model, or the delivered files do not agree with each other.
    """
    return _Run(job, budget, observer).run()


def choose_backbones(weights: Mapping[str, InstalledWeights], wanted: tuple[str, ...]) -> dict[str, InstalledWeights]:
    """The installed backbones that the user wants; all of them where he names none.

    Raises:
        NoBackbone, BadSetting.
    """
    if not weights:
        raise NoBackbone(
            "No pretrained weights are installed. Run `automl weights fetch` on the server, then try again."
        )
    missing = [name for name in wanted if name not in weights]
    if missing:
        raise BadSetting(f"Not installed here: {', '.join(missing)}. Installed: {', '.join(weights)}.")
    return {name: weights[name] for name in wanted or weights}


class _Run:
    def __init__(self, job: Job, budget: Budget, observer: Observer) -> None:
        self._job = job
        self._budget = budget
        self._observer = _Notes(observer)
        self._weights = choose_backbones(job.weights, job.settings.backbones)
        self._plan: SplitPlan = make_split(job.manifest, job.settings.seed)
        self._packed: tuple[Candidate, ExportedModels] | None = None
        self._packed_at_s = 0.0
        self._first_model_s: float | None = None
        self._export_s = self._decode_s = 0.0
        self._may_be_tuned = False
        self._tensorflow = threading.Thread(target=_load_tensorflow, daemon=True)
        self._exporter = Exporter(self._weights, job.manifest.classes, job.workspace / "graphs")
        self._features = FrozenFeatures([job.manifest.images[i] for i in self._plan.pool], self._weights, job.cache)
        self._n_test = len(self._plan.test)
        self._targets = self._make_targets()

    def run(self) -> RunResult:
        sweep(self._job.cache)
        for note in self._plan.notes:
            self._observer.note(note)
        search = Search(
            self._features,
            self._weights,
            self._targets,
            self._job.settings,
            self._budget,
            self._observer,
            self,
            self._job.workspace / "search",
            self._job.earlier,
        )
        self._goal = search.book.objective.goal
        winner = search.run(search.prepare(), self._tensorflow.start)
        self._observer.state(RunState.FINISHING)
        return self._finish(winner, search.book.records)

    def _make_targets(self) -> Targets:
        labels = labels_of(self._job.manifest, self._plan)
        return Targets(labels, np.array(self._plan.folds), self._plan.n_folds, len(self._job.manifest.classes))

    def expect_fine_tuned(self) -> None:
        self._may_be_tuned = True

    def after_trial(self, best: Candidate) -> None:
        """Packs the first model at once, and a better one now and then; foresees how long the end will take."""
        if self._is_worth_packing(best):
            self._pack_best_so_far(best)
        self._budget.reserve(self._end_s(best))

    def _is_worth_packing(self, best: Candidate) -> bool:
        if self._packed is None:
            return True
        age_s = self._budget.elapsed_s - self._packed_at_s
        return self._packed[0] is not best and age_s > _PACK_EVERY_S and _PACK_SHARE * self._export_s < age_s

    def _end_s(self, candidate: Candidate) -> float:
        """Seconds that export, test and packing of this candidate will take, from what the last export took."""
        is_exported = self._packed is not None and self._packed[0] is candidate and self._packed[1].keras is not None
        export_s = 0.0 if is_exported else self._export_s * self._export_weight(candidate, True)
        if not is_exported and not self._is_loaded:
            export_s += _LOAD_TENSORFLOW_S
        if self._may_be_tuned and not (is_exported and self._is_tuned(candidate)):
            export_s += _TUNED_EXPORT_S
        network_s = sum(
            self._features.seconds_per_image(branch.backbone) * (branch.image_size_px / 224) ** 2
            for branch in candidate.branches
        )
        test_s = self._n_test * (self._decode_s + network_s)
        return _SAFETY * (export_s + test_s + _PLOTS_AND_PACKING_S + _N_PLOTTED * self._decode_s)

    @property
    def _is_loaded(self) -> bool:
        return self._tensorflow.ident is not None and not self._tensorflow.is_alive()

    @staticmethod
    def _is_tuned(candidate: Candidate) -> bool:
        return any(branch.tuned for branch in candidate.branches)

    def _pack_best_so_far(self, candidate: Candidate) -> None:
        """Before TensorFlow is there, the download has `model.onnx` only: nobody should wait for an import."""
        self._observer.activity("Packing the best model so far")
        # Tuned weights are converted by TensorFlow, so it is there or will be in a moment.
        before_s, with_keras = self._budget.elapsed_s, self._is_loaded or self._is_tuned(candidate)
        models = self._export(candidate, "so_far", with_keras)
        self._packed = candidate, models
        bundle = self._job.workspace / "so_far" / "model.zip"
        write_bundle(bundle, models, self._describe(candidate))
        self._packed_at_s = self._budget.elapsed_s
        self._export_s = (self._packed_at_s - before_s) / self._export_weight(candidate, with_keras)
        self._first_model_s = self._first_model_s or self._packed_at_s
        self._observer.best_so_far(bundle, candidate.score)

    @staticmethod
    def _export_weight(candidate: Candidate, with_keras: bool) -> float:
        """How much longer an export takes than that of a single backbone to `model.onnx`."""
        weight = 1 + _MORE_FOR_EACH_BACKBONE * (len(candidate.branches) - 1)
        return weight * (_KERAS_TOO if with_keras else 1.0)

    def _describe(self, candidate: Candidate) -> dict[str, Any]:
        return describe_candidate(candidate, self._goal, self._job.manifest, self._plan, self._weights)

    def _export(self, candidate: Candidate, folder: str, with_keras: bool = True) -> ExportedModels:
        """Writes the model, loads it again and checks it on pictures from the pool."""
        models = self._exporter.export(candidate, self._job.workspace / folder, with_keras)
        some = [self._job.manifest.images[i].path for i in self._plan.pool[:_N_VERIFIED]]
        before_s = self._budget.elapsed_s
        pictures = np.stack([load_image(path, candidate.image_size_px) for path in some])
        self._decode_s = (self._budget.elapsed_s - before_s) / len(some)
        difference = self._exporter.largest_difference(candidate, models, pictures)
        if not difference <= _LARGEST_DIFFERENCE:
            raise RunFailed(f"The exported models disagree with each other by {difference:.3f}; nothing was delivered.")
        return models

    def _finish(self, winner: Candidate, records: list[TrialRecord]) -> RunResult:
        """The winner is final from here on; only now is the first test picture read."""
        described = self._describe(winner)
        self._observer.winner(described)
        self._observer.activity("Packing the best model")
        if self._tensorflow.ident is None:
            self._tensorflow.start()
        self._tensorflow.join()
        packed, packed_models = self._packed or (None, None)
        is_packed = packed is winner and packed_models is not None and packed_models.keras is not None
        models = packed_models if is_packed and packed_models else self._export(winner, "best")
        test_images = [self._job.manifest.images[i] for i in self._plan.test]
        score = self._score(models, test_images)
        plots = self._draw(winner, score, test_images, records)
        time = {
            "budget_s": self._budget.total_s if self._budget.has_clock else None,
            "used_s": round(self._budget.elapsed_s, 1),
            "first_model_s": self._first_model_s and round(self._first_model_s, 1),
        }
        settings = self._job.settings
        if (late_s := self._budget.elapsed_s - self._budget.total_s) > _LATE_S:
            self._observer.note(f"This took {late_s:.0f} s longer than asked: the photos need more time than that.")
        metrics = describe_result(described, score, settings, records, time, self._observer.notes)
        bundle = self._job.workspace / "model.zip"
        self._observer.activity("Packing the download")
        write_bundle(bundle, models, metrics, [plot.path for plot in plots])
        shutil.rmtree(self._job.workspace / "search", ignore_errors=True)
        return RunResult(bundle, metrics, tuple((plot.path, plot.title) for plot in plots))

    def _score(self, models: ExportedModels, test_images: list[ImageRecord]) -> TestScore:
        text = f"Scoring the best model on {self._n_test:,} photos it has never seen"

        def report(done: int, total: int) -> None:
            self._observer.activity(text, done / total)

        classes = self._job.manifest.classes
        return evaluate(Classifier(models.onnx), test_images, classes, self._targets.labels, report)

    def _draw(
        self, winner: Candidate, score: TestScore, test_images: list[ImageRecord], records: list[TrialRecord]
    ) -> list[Plot]:
        from automl.results.plots import draw_all  # Matplotlib: the first model should not wait for its import

        self._observer.activity("Drawing the plots")
        folder = self._job.workspace / "plots"
        return draw_all(folder, winner.curves, winner.best_epoch, score, test_images, records)


class _Notes:
    """An observer that also keeps the notes, for the report."""

    def __init__(self, observer: Observer) -> None:
        self.notes: list[str] = []
        self.state = observer.state
        self.activity = observer.activity
        self.space = observer.space
        self.trial = observer.trial
        self.best_so_far = observer.best_so_far
        self.winner = observer.winner
        self._observer = observer

    def note(self, text: str) -> None:
        self.notes.append(text)
        self._observer.note(text)


def _load_tensorflow() -> None:
    """Beside the search, which goes first: on Linux a thread has a priority of its own."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    import_tensorflow()
    import keras  # noqa: F401 - so that it is there when it is needed

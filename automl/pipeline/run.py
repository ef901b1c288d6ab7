"""Chains the stages: split -> pixels -> features -> search -> best -> evaluate once -> export -> bundle.

Where there is no test set, the held-out answers of the search choose and test the model.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from automl.datasets.split import ALWAYS_TRAINED, make_split
from automl.datasets.split_groups import together
from automl.delivery.bundle import write_bundle
from automl.delivery.exporter import ExportedModels, Exporter
from automl.delivery.photo_tables import answer_table, photo_table
from automl.delivery.report.building import describe_candidate, describe_result, labels_of
from automl.delivery.report.pareto import pareto_rows
from automl.delivery.report.pool_photos import doubted_labels, look_alike_pairs, worth_of_photos
from automl.delivery.report.small_model import small_model_report
from automl.errors import BadSetting, NoBackbone
from automl.evaluation.calibration import Calibration, calibrate, calibrated
from automl.evaluation.clips_by_features import ClipsByFeatures
from automl.evaluation.first_model import FirstModel, describe_first
from automl.evaluation.novelty import Novelty
from automl.evaluation.score import TestScore, evaluate
from automl.images.pixel_rules import described, rules_of
from automl.images.pixels import sweep
from automl.models.head.settings import Targets
from automl.models.measured import MEASURED
from automl.models.weights.cache import InstalledWeights
from automl.pipeline.aspect_choice import AspectChoice
from automl.pipeline.end_times import EndTimes, Part
from automl.pipeline.later_clips import later_clips, note_clips_in_test
from automl.pipeline.novelty import learned_novelty, novelty_report, why_unable
from automl.pipeline.pace import Pace
from automl.pipeline.packing import PackedModel, Packer
from automl.pipeline.tensorflow_loader import TensorFlowLoader
from automl.pipeline.testing import EveryPhotoTest, Tested
from automl.pipeline.thinning import affordable_share, thinned
from automl.processors import onnx_threads
from automl.records import (
    Aspect,
    DatasetManifest,
    ImageRecord,
    RememberedSides,
    RunResult,
    RunSettings,
    RunState,
    SplitPlan,
    TrialRecord,
)
from automl.records.learning_curve import CURVE_FILE, curve_table
from automl.records.report import CandidateReport, NoveltyReport, ReportedMistake, RunReport, RunTimes, SmallModelReport
from automl.search.budget import Budget
from automl.search.candidate import Candidate
from automl.search.context import SearchContext
from automl.search.frozen import FrozenFeatures
from automl.search.objective import Objective, objective_of
from automl.search.observer import NoteKeeper, Observer, Observers
from automl.search.plan import INPUT_SIZES_PX, block_seconds
from automl.search.search import Search
from automl.serving.predict import Classifier
from automl.text.messages import pipeline as pipeline_messages
from automl.text.messages import search as search_messages

if TYPE_CHECKING:
    from automl.evaluation.plots import Plot

_LATE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run to do.

    Attributes:
        manifest: the photos and their classes.
        settings: what the user asked for.
        weights: the installed backbones, by name.
        cache: folder of features, shared by all runs.
        workspace: an empty folder for this run's files.
        earlier: trials of an attempt at this run that was broken off.
        notes: what the report should say of what was before this attempt.
        start_s: seconds that starting this process took; 0 where it is not known.
        remembered: the sides of the split that photos had in earlier runs of the data set; None where there were none.
    """

    manifest: DatasetManifest
    settings: RunSettings
    weights: Mapping[str, InstalledWeights]
    cache: Path
    workspace: Path
    earlier: tuple[TrialRecord, ...] = ()
    notes: tuple[str, ...] = ()
    start_s: float = 0.0
    remembered: RememberedSides | None = None


def train(job: Job, budget: Budget, observer: Observer) -> RunResult:
    """Runs all stages within the budget and returns the bundle.

    Raises:
        NoBackbone: no pretrained weights are installed.
        RunFailed: no trial gave a model, or the delivered files do not agree with each other.
    """
    return _Run(job, budget, observer).run()


def choose_backbones(weights: Mapping[str, InstalledWeights], wanted: tuple[str, ...]) -> dict[str, InstalledWeights]:
    """The installed backbones that the user wants; all of them where none is named.

    Raises:
        NoBackbone: none is installed.
        BadSetting: one that is wanted is not installed.
    """
    if not weights:
        raise NoBackbone(pipeline_messages.NO_BACKBONE)
    missing = [name for name in wanted if name not in weights]
    if missing:
        raise BadSetting(
            pipeline_messages.BACKBONES_MISSING.format(missing=", ".join(missing), installed=", ".join(weights))
        )
    return {name: weights[name] for name in wanted or weights}


@dataclass(frozen=True, slots=True)
class _Final:
    """A model as it may be delivered, and what its held-out photos said of it."""

    candidate: Candidate
    calibration: Calibration
    novelty: Novelty | None


class _Run:
    def __init__(self, job: Job, budget: Budget, observer: Observer) -> None:
        self._job = job
        self._budget = budget
        self._notes = NoteKeeper()
        self._observer = Observers(self._notes, observer)
        self._weights = choose_backbones(job.weights, job.settings.backbones)
        self._plan: SplitPlan = make_split(
            job.manifest, job.settings.seed, scoring=job.settings.scoring, remembered=job.remembered
        )
        self._contract = job.manifest.contract
        self._rules = rules_of(self._contract)
        self._aspects: tuple[Aspect, ...] = ()
        self._tensorflow = TensorFlowLoader()
        self._clips: ClipsByFeatures | None = None
        self._features = self._make_features()
        self._kept = job.cache / MEASURED
        self._pace = Pace(self._kept, is_disturbed=lambda: self._tensorflow.is_busy, start_s=job.start_s)

    def run(self) -> RunResult:
        sweep(self._job.cache)
        for note in (*self._job.notes, *self._plan.notes, *(described(self._contract) if self._contract else ())):
            self._observer.note(note)
        self._leave_out_what_is_too_much()
        self._targets = self._make_targets()
        objective = objective_of(self._job.settings, self._targets.labels)
        self._goal = objective.goal
        self._aspects = self._choose_aspect(self._make_context(objective))
        self._packer = self._make_packer()
        search = self._make_search(objective)
        feature_plan = search.prepare()
        if search.look_first(feature_plan) and self._finds_more_clips():
            search = self._make_search(objective)
        best = search.run(feature_plan, self._tensorflow.start)
        self._observer.state(RunState.FINISHING)
        return self._finish(best, search)

    def _make_context(self, objective: Objective) -> SearchContext:
        return SearchContext(
            targets=self._targets,
            objective=objective,
            settings=self._job.settings,
            budget=self._budget,
            observer=self._observer,
            groups=together(self._images(self._plan.pool)),
            tests_every_photo=self._plan.tests_every_photo,
            aspects=self._aspects,
        )

    def _make_search(self, objective: Objective) -> Search:
        return Search(
            self._make_context(objective),
            features=self._features,
            weights=self._weights,
            packer=self._packer,
            scratch=self._job.workspace / "search",
            earlier=self._job.earlier,
        )

    def _finds_more_clips(self) -> bool:
        """Whether the first features show clips that were not known; then the folds are dealt out anew."""
        features = self._features.last_layer()
        if features is None:
            return False
        later = later_clips(self._job.manifest, self._plan, features, self._observer, remembered=self._job.remembered)
        if later is None:
            return False
        self._clips, self._plan = later
        self._job = replace(self._job, manifest=self._clips.manifest)
        self._targets = self._make_targets()
        return True

    def _make_features(self) -> FrozenFeatures:
        return FrozenFeatures(self._images(self._plan.pool), self._weights, self._job.cache, rules=self._rules)

    def _images(self, rows: Sequence[int]) -> list[ImageRecord]:
        return [self._job.manifest.images[i] for i in rows]

    def _make_targets(self) -> Targets:
        labels = labels_of(self._job.manifest, self._plan)
        return Targets(
            labels=labels,
            folds=np.array(self._plan.folds),
            n_folds=self._plan.n_folds,
            n_classes=len(self._job.manifest.classes),
        )

    def _make_packer(self) -> Packer:
        manifest = self._job.manifest
        self._exporter = Exporter(
            self._weights, manifest.classes, self._job.workspace / "graphs", contract=self._contract
        )
        return Packer(
            self._exporter,
            describe=self._describe,
            times=EndTimes(
                self._features,
                n_test=len(self._plan.test),
                budget=self._budget,
                n_answers=self._n_answers,
                pace=self._pace,
                kept=self._kept,
            ),
            photos=self._images(self._plan.pool),
            rules=self._rules,
            budget=self._budget,
            observer=self._observer,
            workspace=self._job.workspace,
            tensorflow=self._tensorflow,
        )

    @property
    def _n_answers(self) -> int:
        """Held-out answers of each trial that the score is made of; 0 where there is a test set."""
        return len(self._plan.tested_rows) * len(self._plan.folds[0]) if self._plan.tests_every_photo else 0

    def _leave_out_what_is_too_much(self) -> None:
        """Learns from a part of the photos where there is no time to read all of them.

        Until there is a model no clock ends the work, so what cannot be read in time must not be begun.
        """
        if not self._budget.has_clock or self._features.computed():
            return
        self._observer.activity(search_messages.MEASURING)
        n_all = len(self._plan.pool)
        fastest_s = min(self._features.seconds_per_image(name) for name in self._features.backbones)
        seconds = self._features.decode_seconds() + block_seconds(fastest_s, INPUT_SIZES_PX[0], n_all)
        share = affordable_share(seconds, self._budget.total_s - self._budget.elapsed_s)
        if share == 1:
            return
        plan = thinned(self._job.manifest, self._plan, share)
        if len(plan.pool) == n_all:
            return
        self._plan = plan
        self._features = self._make_features()
        self._observer.note(pipeline_messages.PART_OF_PHOTOS.format(n=len(plan.pool), n_all=n_all))

    def _choose_aspect(self, context: SearchContext) -> tuple[Aspect, ...]:
        """Decides how photos become square where most are not. The contract of the run then says so."""
        choice = AspectChoice(self._job.manifest, self._plan, features=self._features, context=context)
        aspect = choice.of_earlier(self._job.earlier) if self._job.earlier else choice.compared()
        if aspect is None or self._contract is None:
            return ()
        self._contract = self._contract.model_copy(update={"aspect": aspect})
        self._rules = rules_of(self._contract)
        self._features.decode_by(self._rules)
        return (aspect,)

    def _describe(self, candidate: Candidate) -> CandidateReport:
        return describe_candidate(
            candidate, goal=self._goal, manifest=self._job.manifest, plan=self._plan, weights=self._weights
        )

    def _finish(self, best: Candidate, search: Search) -> RunResult:
        """The winner is final once its files are written; only then is the first test picture read."""
        best_head, times = search.trials.models.best_head, self._packer.times
        searched_s = self._budget.elapsed_s
        self._observer.activity(pipeline_messages.PACKING_BEST)
        self._tensorflow.wait()
        finals: list[_Final] = []
        models_in_order = [best] if best_head is None or best_head is best else [best, best_head]
        packed = self._packer.deliver(self._completed_one_by_one(models_in_order, finals))
        winner = packed.candidate
        described = self._describe(winner)
        self._observer.winner(described)
        with times.timed(Part.TEST, winner, first=self._tested_too(winner)):
            tested = self._tested(winner, packed.models, search)
        if self._clips is not None and not self._plan.tests_every_photo:
            note_clips_in_test(self._clips, self._features, tested.images, self._observer)
        final = next((final for final in finals if final.candidate is winner), None)
        with times.timed(Part.REST, winner):
            result = self._written(packed, described, tested, final=final, search=search, searched_s=searched_s)
        self._pace.keep()
        return result

    def _written(
        self,
        packed: PackedModel,
        described: CandidateReport,
        tested: Tested,
        *,
        final: _Final | None,
        search: Search,
        searched_s: float,
    ) -> RunResult:
        """Draws the plots and writes the report and the download."""
        winner, models, score = packed.candidate, packed.models, tested.score
        best_head, records = search.trials.models.best_head, search.trials.records
        calibration = final.calibration if final else None
        plots = self._draw(winner, tested, records=records, calibration=calibration)
        first = self._packer.first
        report = describe_result(
            described,
            score,
            settings=self._used_settings(),
            n_trials=search.trials.n_trials,
            pareto=pareto_rows(records, winner, self._n_validated),
            small=self._small_model(search, winner),
            time=self._times(),
            calibration=calibration,
            novelty=self._novelty_report(final, score, models),
            first_model=describe_first(first, tested.first) if first and tested.first else None,
            mistakes=self._mistakes(tested),
            suspects=doubted_labels(best_head or winner, self._job.manifest, self._plan),
            look_alikes=look_alike_pairs(self._features.last_layer(), self._job.manifest, self._plan),
        )
        bundle = self._job.workspace / "model.zip"
        self._observer.activity(pipeline_messages.PACKING_DOWNLOAD)
        report = write_bundle(
            bundle,
            models,
            report,
            plots=[path for plot in plots for path in (plot.path, plot.svg) if path],
            tables={
                "photos.csv": photo_table(self._job.manifest, self._plan),
                "answers.csv": answer_table(
                    score, tested.images, calibration.threshold if calibration else None, tested.folds
                ),
                CURVE_FILE: curve_table(worth_of_photos(self._features.last_layer(), self._job.manifest, self._plan)),
            },
            complete=partial(self._completed, searched_s),
            write_documents=partial(self._write_documents, plots),
        )
        shutil.rmtree(self._job.workspace / "search", ignore_errors=True)
        return RunResult(bundle=bundle, report=report, plots=tuple((plot.path, plot.title) for plot in plots))

    def _small_model(self, search: Search, winner: Candidate) -> SmallModelReport | None:
        if search.distilled is None:
            return None
        clusters = together(self._images(self._plan.pool))
        return small_model_report(search.distilled, winner, labels=self._targets.labels, clusters=clusters)

    def _used_settings(self) -> RunSettings:
        """What was asked for, with the time that the run was given since."""
        if not self._budget.has_clock:
            return self._job.settings
        return self._job.settings.model_copy(update={"budget_s": self._budget.total_s})

    def _completed_one_by_one(self, models: Sequence[Candidate], finals: list[_Final]) -> Iterator[Candidate]:
        """Each model as it may be delivered, once it is asked for; what was found of it joins `finals`."""
        for model in models:
            finals.append(self._completed_model(model))
            yield finals[-1].candidate

    def _completed_model(self, candidate: Candidate) -> _Final:
        """The same model, scaled so that its confidence agrees with how often its validation answers were right, and
        with the distance of photos from what it learned from."""
        calibration = calibrate(candidate.held_out_logits, self._targets.labels)
        novelty = None
        if self._contract is not None:  # a model without one has nowhere to say what its distance means
            with self._packer.times.timed(Part.DISTANCE, candidate):
                novelty = learned_novelty(candidate, features=self._features, weights=self._weights, plan=self._plan)
        scaled = calibrated(candidate, calibration, self._targets.labels)
        return _Final(replace(scaled, distance=novelty.distance if novelty else None), calibration, novelty)

    def _novelty_report(self, final: _Final | None, score: TestScore, models: ExportedModels) -> NoveltyReport | None:
        if final is None or self._contract is None:
            return None
        if final.novelty is None:
            self._observer.note(why_unable(final.candidate, self._weights))
            return None
        self._observer.activity(pipeline_messages.ASKING_OTHER_PICTURES)
        return novelty_report(final.novelty, score, models.onnx)

    @property
    def _n_validated(self) -> int:
        """Number of photos that the score of every trial of stage 1 speaks of."""
        return sum(any(fold != ALWAYS_TRAINED for fold in folds) for folds in self._plan.folds)

    def _write_documents(self, plots: Sequence[Plot], report: RunReport) -> Sequence[Path]:
        from automl.delivery.report.model_card import write_model_card
        from automl.delivery.report.page import write_report

        page, card = self._job.workspace / "report.html", self._job.workspace / "model_card.md"
        write_report(page, report, plots)
        write_model_card(card, report)
        return page, card

    def _completed(self, searched_s: float, report: RunReport) -> RunReport:
        """Adds what is known only at the end: how long it took, and the notes.

        Args:
            searched_s: when the search had ended, on the run's clock.
        """
        times = self._times()
        self._note_if_late(times.used_s - self._budget.total_s, searched_s)
        return report.ended(time=times, notes=self._notes.notes)

    def _times(self) -> RunTimes:
        used_s, first = self._budget.elapsed_s, self._packer.first
        return RunTimes(
            budget_s=self._budget.total_s if self._budget.has_clock else None,
            used_s=round(used_s, 1),
            first_model_s=round(first.at_s if first else used_s, 1),
        )

    def _note_if_late(self, late_s: float, searched_s: float) -> None:
        if late_s <= _LATE_S:
            return
        is_search_late = searched_s > self._budget.total_s
        late = pipeline_messages.LATE_BY_FIRST_MODEL if is_search_late else pipeline_messages.LATE_BY_PACKING
        self._observer.note(late.format(late_s=late_s))

    def _tested_too(self, winner: Candidate) -> Candidate | None:
        """The first model, where it is tested beside the winner."""
        first = None if self._job.earlier else self._packer.first
        if first is None or first.candidate.is_same_model(winner):
            return None
        return first.candidate if self._packer.has_time_for_first(winner) else None

    def _tested(self, winner: Candidate, models: ExportedModels, search: Search) -> Tested:
        """The scores of the winner and of the first model that was found.

        The latter is lost in a continued run, with the attempt that was broken off.
        """
        first = None if self._job.earlier else self._packer.first
        if not self._plan.tests_every_photo:
            test_images = self._images(self._plan.test)
            return Tested(test_images, *self._score(winner, models, first, test_images))
        self._observer.activity(pipeline_messages.SCORING_EVERY_PHOTO.format(n=len(self._plan.tested_rows)))
        test = EveryPhotoTest(
            self._images(self._plan.pool),
            self._plan,
            classes=self._job.manifest.classes,
            search=search,
            seed=self._job.settings.seed,
        )
        return test.run(winner, first.candidate if first else None)

    def _mistakes(self, tested: Tested) -> tuple[ReportedMistake, ...]:
        from automl.pipeline.explaining import explained_mistakes, explained_mistakes_of_folds  # Matplotlib, as `_draw`

        learned = self._images(self._plan.pool)
        if tested.folds is not None:
            return explained_mistakes_of_folds(self._features, learned=learned, folds=tested.folds, score=tested.score)
        return explained_mistakes(self._features, learned=learned, tested=tested.images, score=tested.score)

    def _score(
        self, winner: Candidate, models: ExportedModels, first: FirstModel | None, test_images: list[ImageRecord]
    ) -> tuple[TestScore, TestScore | None]:
        """On the test photos, in one pass. The first model is not tested where there is no time for it."""
        is_same = first is not None and first.candidate.is_same_model(winner)
        files = [models.onnx]
        if first is not None and not is_same and self._packer.has_time_for_first(winner):
            files.append(first.onnx)
        elif not is_same:
            self._observer.note(pipeline_messages.FIRST_MODEL_NOT_TESTED)
        text = pipeline_messages.SCORING.format(n=len(test_images))

        def report(done: int, total: int) -> None:
            self._observer.activity(text, done / total)

        classes = self._job.manifest.classes
        classifiers = [Classifier(file, onnx_threads()) for file in files]
        score, *others = evaluate(
            classifiers, test_images, classes=classes, training_labels=self._targets.labels, on_progress=report
        )
        return score, others[0] if others else score if is_same else None

    def _draw(
        self,
        winner: Candidate,
        tested: Tested,
        *,
        records: list[TrialRecord],
        calibration: Calibration | None,
    ) -> list[Plot]:
        from automl.evaluation.plots import (  # Matplotlib: the first model should not wait for its import
            draw_all,
            legible_names,
        )
        from automl.pipeline.explaining import heat_maps, layers_of

        score, test_images = tested.score, tested.images
        maps, model = None, self._exporter.build_keras(winner)
        if self._budget.total_s - self._budget.elapsed_s > self._packer.times.drawing_s(winner):
            self._observer.activity(pipeline_messages.DRAWING_HEAT_MAPS)
            with self._packer.times.timed(Part.MAPS, winner):
                maps = heat_maps(
                    winner,
                    model,
                    weights=self._weights,
                    learned=self._images(self._plan.pool),
                    tested=test_images,
                    score=score,
                    rules=self._rules,
                )
        else:
            self._observer.note(pipeline_messages.NO_HEAT_MAPS)
        self._observer.activity(pipeline_messages.DRAWING_PLOTS)
        if note := legible_names(score.classes).note:
            self._observer.note(note)
        return draw_all(
            self._job.workspace / "plots",
            curves=winner.curves,
            best_epoch=winner.best_epoch,
            score=score,
            test_images=test_images,
            rules=self._rules,
            trials=records,
            goal=self._goal,
            calibration=calibration,
            maps=maps,
            layers=layers_of(winner, model),
        )

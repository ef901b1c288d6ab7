"""The whole chain on generated pictures, in one process."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from automl.delivery.bundle import unpack_bundle
from automl.errors import BadSetting, NoBackbone, RunFailed
from automl.evaluation.other_pictures import other_pictures
from automl.ingest.local import ingest_folder
from automl.models.weights.cache import installed
from automl.pipeline import run as pipeline
from automl.pipeline import testing
from automl.pipeline.run import Job, choose_backbones, train
from automl.records import RunSettings, RunState, Stage, TrialRecord, TunerKind
from automl.records.report import RunTimes
from automl.search import frozen
from automl.search.budget import Budget
from automl.search.observer import Observer
from automl.serving import predict_tensorflow
from automl.serving.predict import Classifier
from automl.settings import load_settings
from tests.end_to_end.patterns import write_patterns
from tests.reports import made_report


class Story(Observer):
    """Remembers what happened, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.notes: list[str] = []
        self.records: list[TrialRecord] = []
        self.best_models: list[list[str]] = []

    def state(self, state):
        self.events.append(f"state {state}")

    def activity(self, text, progress=None):
        assert progress is None or 0 <= progress <= 1

    def note(self, text):
        self.notes.append(text)

    def space(self, stage, space):
        self.events.append(f"space of {stage}")

    def trial(self, record, best):
        self.events.append(f"trial {record.number}")
        self.records.append(record)

    def best_so_far(self, bundle, score):
        assert 0 <= score <= 1
        with zipfile.ZipFile(bundle) as archive:
            self.best_models.append([name for name in archive.namelist() if name.startswith("model.")])
        self.events.append("best so far")

    def winner(self, report):
        self.events.append("winner")

    @property
    def outcomes(self) -> list[tuple]:
        """What must be the same again where no clock decides anything."""
        return [(one.number, one.stage, one.state, one.params, one.score, one.n_bytes) for one in self.records]


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Job:
    """Ninety noisy pictures of three patterns, a third of them to test: no model is always right."""
    folder = tmp_path_factory.mktemp("photos") / "patterns"
    write_patterns(folder, n_train=20, n_test=10)
    settings = load_settings()
    weights = {"mobilenet_v2": installed(settings.weights_dir)["mobilenet_v2"]}
    run = RunSettings(budget_s=60, max_trials=3, max_image_size_px=96, fine_tuning=False)
    work = tmp_path_factory.mktemp("work")
    return Job(
        manifest=ingest_folder(folder, settings), settings=run, weights=weights, cache=work / "cache", workspace=work
    )


@pytest.fixture(scope="module")
def finished(job):
    story = Story()
    with pytest.MonkeyPatch.context() as patch:
        honest = pipeline.evaluate

        def evaluate(*arguments, **named):
            story.events.append("test photos are read")
            return honest(*arguments, **named)

        patch.setattr(pipeline, "evaluate", evaluate)
        return train(job, Budget(60), story), story


@pytest.mark.slow
def test_the_winner_is_final_before_the_test_photos_are_read_once(finished):
    events = finished[1].events
    assert events.count("test photos are read") == 1
    assert events.index("winner") < events.index("test photos are read")
    assert events.index("trial 2") < events.index("winner")
    assert events[:2] == ["space of heads", f"state {RunState.SEARCHING}"]


@pytest.mark.slow
def test_patterns_are_told_apart(finished):
    assert finished[0].report.score.accuracy >= 0.6
    assert finished[0].report.n_trials == 3
    assert any("limit of 3 trials" in note for note in finished[0].report.notes)


@pytest.mark.slow
def test_the_first_download_has_the_quick_model_and_the_finished_one_has_both(finished):
    result, story = finished
    assert story.best_models[0] == ["model.onnx"]
    assert story.events.index("best so far") == story.events.index("trial 0") + 1
    with zipfile.ZipFile(result.bundle) as bundle:
        assert {"model.keras", "model.onnx"} < set(bundle.namelist())
    assert 0 < result.report.time.first_model_s <= result.report.time.used_s


@pytest.mark.slow
def test_the_first_model_is_scored_on_the_same_photos_as_the_winner(finished, job):
    result, story = finished
    first, test = result.report.first_model, result.report.score
    assert (first.trial, first.at_s) == (0, result.report.time.first_model_s)
    assert first.n_images == test.n_images == 30
    assert first.backbones == ("mobilenet_v2",) and first.image_size_px == story.records[0].image_size_px
    if result.report.winner.trial == 0:
        assert first.accuracy == test.accuracy


@pytest.mark.slow
def test_what_was_before_a_run_is_in_its_result(job, tmp_path):
    before = "You had seen the test result of another one."
    fresh = replace(
        job, workspace=tmp_path, settings=job.settings.model_copy(update={"max_trials": 1}), notes=(before,)
    )
    story = Story()
    assert train(fresh, Budget(60), story).report.notes[0] == story.notes[0] == before


@pytest.mark.slow
def test_the_answers_in_the_bundle_are_those_of_the_score(finished):
    result, _ = finished
    with zipfile.ZipFile(result.bundle) as bundle:
        rows = list(csv.DictReader(io.StringIO(bundle.read("answers.csv").decode())))
    assert sum(row["class"] == row["answer"] for row in rows) == result.report.score.n_correct
    assert len(rows) == 30


@pytest.mark.slow
def test_the_bundle_holds_the_model_that_was_scored(finished, job, tmp_path):
    result, _ = finished
    with zipfile.ZipFile(result.bundle) as bundle:
        assert json.loads(bundle.read("metrics.json")) == result.report.to_json()
    (model,) = unpack_bundle(result.bundle, tmp_path, ["model.onnx"])
    classifier = Classifier(model)
    right = [classifier.labels[classifier.predict(image.path).argmax()] == image.label for image in job.manifest.images]
    assert np.mean(right) >= 0.9


@pytest.mark.slow
def test_the_model_knows_what_it_has_not_learned_in_each_file(finished, job, tmp_path):
    result, _ = finished
    novelty = result.report.novelty
    assert (novelty.is_tested, novelty.n_photos) == (True, 30)
    assert novelty.flagged_95[0] <= 0.05
    assert novelty.n_recognised >= 0.9 * novelty.n_others > 30
    onnx, keras = unpack_bundle(result.bundle, tmp_path, ["model.onnx", "model.keras"])
    photo, other = job.manifest.images[0].path, tmp_path / "coffee.png"
    other_pictures()[6].save(other)
    by_onnx, by_keras = (
        [classifier.ask(path)[1] for path in (photo, other)]
        for classifier in (Classifier(onnx), predict_tensorflow.Classifier(keras))
    )
    assert by_onnx[0] < 1 < by_onnx[1]
    assert by_keras == pytest.approx(by_onnx, rel=0.02)


def files_of_features(job: Job) -> dict[str, int]:
    """A file that is written anew has another inode; opening one touches its time."""
    return {path.name: path.stat().st_ino for path in job.cache.glob("features-*")}


@pytest.mark.slow
def test_a_second_run_finds_the_features_of_the_first(finished, job, tmp_path):
    before = files_of_features(job)
    train(replace(job, workspace=tmp_path), Budget(60), Story())
    assert before and files_of_features(job) == before


@pytest.mark.slow
@pytest.mark.parametrize("tuner", list(TunerKind))
def test_without_a_clock_one_seed_gives_the_same_trials_and_the_same_winner(job, tmp_path, tuner):
    settings = job.settings.model_copy(update={"budget_s": None, "max_trials": 8, "tuner": tuner, "seed": 3})
    stories = [Story(), Story()]
    winners = []
    for number, story in enumerate(stories):
        (tmp_path / str(number)).mkdir()
        again = replace(job, settings=settings, workspace=tmp_path / str(number), cache=tmp_path / f"cache {number}")
        winners.append(train(again, Budget(None), story).report.winner.sha256)
    assert len([one for one in stories[0].records if one.stage is not Stage.ENSEMBLE]) == 8
    assert stories[0].outcomes == stories[1].outcomes
    assert winners[0] == winners[1]


@pytest.mark.slow
def test_fine_tuning_is_as_repeatable_and_averaged_with_the_best_head(job, tmp_path):
    settings = job.settings.model_copy(update={"budget_s": None, "max_trials": 5, "fine_tuning": True, "epochs": 2})
    stories = [Story(), Story()]
    winners = []
    for number, story in enumerate(stories):
        (tmp_path / str(number)).mkdir()
        result = train(replace(job, settings=settings, workspace=tmp_path / str(number)), Budget(None), story)
        winners.append(result.report.winner.sha256)
    assert [one.stage for one in stories[0].records] == [Stage.HEADS] * 4 + [Stage.FINE_TUNING, Stage.ENSEMBLE]
    assert [one.message for one in stories[0].records] == [""] * 6
    assert result.report.n_trials == 5  # the mean of two models is no try
    assert stories[0].outcomes == stories[1].outcomes
    assert winners[0] == winners[1]


class Killed(BaseException):
    """As if the process had died."""


class Mortal(Story):
    """A story that ends after so many trials."""

    def __init__(self, n_trials: int) -> None:
        super().__init__()
        self._n_trials = n_trials

    def trial(self, record, best):
        super().trial(record, best)
        if len(self.records) == self._n_trials:
            raise Killed


@pytest.mark.slow
def test_a_run_that_was_interrupted_goes_on_without_computing_a_feature_twice(job, tmp_path, monkeypatch):
    fresh = replace(job, settings=job.settings.model_copy(update={"max_trials": 6}), cache=tmp_path / "cache")
    story, workspaces = Mortal(4), [tmp_path / "1", tmp_path / "2"]
    for folder in workspaces:
        folder.mkdir()
    with pytest.raises(Killed):
        train(replace(fresh, workspace=workspaces[0]), Budget(60), story)
    before, extracted = files_of_features(fresh), []
    monkeypatch.setattr(frozen, "extract_features", lambda *_: extracted.append("again"))
    again = Story()
    result = train(replace(fresh, workspace=workspaces[1], earlier=tuple(story.records)), Budget(60), again)
    assert before and files_of_features(fresh) == before
    assert extracted == []
    assert [record.number for record in again.records if record.stage is not Stage.ENSEMBLE] == [4, 5]
    assert result.report.n_trials == 6


@pytest.mark.slow
def test_stop_by_hand_delivers_the_best_model_so_far(job, tmp_path):
    budget, story = Budget(600), Story()
    remember = story.trial

    def stop(record, best):
        remember(record, best)
        budget.stop()

    story.trial = stop
    result = train(replace(job, workspace=tmp_path), budget, story)
    assert result.report.n_trials == len(story.records) == 1
    assert any("stopped by hand" in note for note in result.report.notes)
    with zipfile.ZipFile(result.bundle) as bundle:
        assert {"model.keras", "model.onnx"} < set(bundle.namelist())


def test_limits_that_no_model_keeps_end_a_run_before_it_begins(job, tmp_path):
    story = Story()
    tiny = replace(job, settings=job.settings.model_copy(update={"max_model_mb": 0.1}), workspace=tmp_path)
    with pytest.raises(BadSetting, match=r"smallest one has about \d+\.\d MB"):
        train(tiny, Budget(60), story)
    assert story.events == []


@pytest.mark.slow
def test_pixels_are_deleted_when_the_features_are_there(finished, job):
    assert list(job.cache.glob("pixels-*.npy")) == []


@pytest.mark.slow
def test_models_that_disagree_are_not_delivered(job, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline.Exporter, "largest_difference", lambda *_: 0.5)
    with pytest.raises(RunFailed, match="disagree"):
        train(replace(job, workspace=tmp_path), Budget(60), Story())


@pytest.mark.slow
def test_photos_that_there_is_no_time_for_are_left_out_and_a_note_says_so(job, tmp_path, monkeypatch):
    monkeypatch.setattr(frozen.FrozenFeatures, "decode_seconds", lambda _self: 55.0)
    fresh = replace(
        job, workspace=tmp_path, cache=tmp_path / "cache", settings=job.settings.model_copy(update={"max_trials": 1})
    )
    story = Story()
    result = train(fresh, Budget(60), story)
    (note,) = (note for note in story.notes if note.startswith("Only"))
    assert "of 60 photos were learned from" in note
    assert result.report.validation.n_images == int(note.split()[1]) < 60
    assert result.report.score.n_images == 30


def test_the_result_tells_the_time_that_the_run_was_given_meanwhile(job, tmp_path):
    budget = Budget(60)
    run = pipeline._Run(replace(job, workspace=tmp_path), budget, Story())
    budget.extend(360)
    assert run._used_settings() == job.settings.model_copy(update={"budget_s": 360})
    clockless = pipeline._Run(replace(job, workspace=tmp_path), Budget(None), Story())
    assert clockless._used_settings() == job.settings


@pytest.mark.parametrize(("searched_s", "reason"), [(50, "writing and testing the model"), (65, "reading the photos")])
def test_a_late_run_says_what_took_so_long_and_counts_all_of_it(job, tmp_path, searched_s, reason):
    story, seconds = Story(), [0.0]
    run = pipeline._Run(replace(job, workspace=tmp_path), Budget(60, clock=lambda: seconds[0]), story)
    run._packer = SimpleNamespace(first=None)
    seconds[0] = 72.0
    report = run._completed(searched_s, made_report())
    assert report.time == RunTimes(budget_s=60, used_s=72.0, first_model_s=72.0)
    assert list(report.notes) == story.notes
    assert story.notes[0].startswith(f"This took 12 s longer than asked: {reason}")


def test_backbones_that_are_not_installed_are_named():
    with pytest.raises(BadSetting, match="mobilenet_v9"):
        choose_backbones({"mobilenet_v2": None}, ("mobilenet_v9",))


def test_no_weights_at_all_says_what_to_do():
    with pytest.raises(NoBackbone, match="automl weights fetch"):
        choose_backbones({}, ())


def test_plots_that_have_no_time_for_heat_maps_say_only_that(job, tmp_path, monkeypatch):
    story, seconds = Story(), [0.0]
    run = pipeline._Run(replace(job, workspace=tmp_path), Budget(60, clock=lambda: seconds[0]), story)
    run._exporter, run._goal = SimpleNamespace(build_keras=lambda _winner: None), "accuracy"
    run._packer = SimpleNamespace(times=SimpleNamespace(drawing_s=lambda _winner: 2.0))
    monkeypatch.setattr("automl.pipeline.explaining.layers_of", lambda *_: ())
    monkeypatch.setattr("automl.evaluation.plots.draw_all", lambda *_, **_values: [])
    seconds[0] = 58.5
    winner = SimpleNamespace(curves=None, best_epoch=None)
    tested = testing.Tested(images=[], score=SimpleNamespace(classes=("a", "b")), first=None)
    assert run._draw(winner, tested, records=[], calibration=None) == []
    assert story.notes == ["The page of heat maps is left out of the plots: there was no time left for it."]

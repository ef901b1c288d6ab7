"""The whole chain on generated pictures, in one process."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from automl import pipeline
from automl.data.ingest import ingest_folder
from automl.errors import BadSetting, NoBackbone, RunFailed
from automl.models.weights import installed
from automl.pipeline import Job, choose_backbones, train
from automl.records import RunSettings, RunState
from automl.results.bundle import unpack_bundle
from automl.search.budget import Budget
from automl.serving.predict import Classifier
from automl.settings import load_settings


class Story:
    """An observer that remembers what happened, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.notes: list[str] = []

    def state(self, state):
        self.events.append(f"state {state}")

    def activity(self, text, progress=None):
        assert progress is None or 0 <= progress <= 1

    def note(self, text):
        self.notes.append(text)

    def space(self, space):
        self.events.append("space")

    def trial(self, record, best):
        self.events.append(f"trial {record.number}")

    def best_so_far(self, bundle, score):
        assert bundle.exists() and 0 <= score <= 1
        self.events.append("best so far")

    def winner(self, description):
        self.events.append("winner")


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Job:
    """Forty pictures of stripes, upright or lying."""
    folder = tmp_path_factory.mktemp("stripes")
    random = np.random.default_rng(0)
    for label in ("lying", "upright"):
        (folder / label).mkdir()
        for number in range(20):
            stripes = np.repeat(random.integers(0, 256, (16, 1, 3), dtype=np.uint8), 16, axis=1)
            stripes = stripes if label == "lying" else stripes.transpose(1, 0, 2)
            Image.fromarray(stripes).resize((120, 90), Image.Resampling.NEAREST).save(folder / label / f"{number}.png")
    settings = load_settings()
    weights = {"mobilenet_v2": installed(settings.weights_dir)["mobilenet_v2"]}
    run = RunSettings(budget_s=60, max_trials=3, max_image_size_px=96)
    work = tmp_path_factory.mktemp("work")
    return Job(ingest_folder(folder, settings), run, weights, work / "cache", work)


@pytest.fixture(scope="module")
def finished(job):
    story = Story()
    with pytest.MonkeyPatch.context() as patch:
        honest = pipeline.evaluate

        def evaluate(*arguments):
            story.events.append("test photos are read")
            return honest(*arguments)

        patch.setattr(pipeline, "evaluate", evaluate)
        return train(job, Budget(60), story), story


@pytest.mark.slow
def test_the_winner_is_final_before_the_test_photos_are_read_once(finished):
    events = finished[1].events
    assert events.count("test photos are read") == 1
    assert events.index("winner") < events.index("test photos are read")
    assert events.index("trial 2") < events.index("winner")
    assert events[:2] == ["space", f"state {RunState.SEARCHING}"]


@pytest.mark.slow
def test_stripes_are_told_apart(finished):
    assert finished[0].metrics["test"]["accuracy"] >= 0.8
    assert finished[0].metrics["n_trials"] == 3


@pytest.mark.slow
def test_the_bundle_holds_the_model_that_was_scored(finished, job, tmp_path):
    result, _ = finished
    with zipfile.ZipFile(result.bundle) as bundle:
        assert json.loads(bundle.read("metrics.json")) == json.loads(json.dumps(result.metrics))
    (model,) = unpack_bundle(result.bundle, tmp_path, ["model.onnx"])
    classifier = Classifier(model)
    right = [classifier.labels[classifier.predict(image.path).argmax()] == image.label for image in job.manifest.images]
    assert np.mean(right) >= 0.9


@pytest.mark.slow
def test_a_second_run_finds_the_features_of_the_first(finished, job, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in job.cache.glob("features-*.npy")}
    second = Job(job.manifest, job.settings, job.weights, job.cache, tmp_path)
    result = train(second, Budget(60), Story())
    assert {path: path.stat().st_mtime_ns for path in job.cache.glob("features-*.npy")} == before
    assert result.metrics["winner"]["params"] == finished[0].metrics["winner"]["params"]


@pytest.mark.slow
def test_pixels_are_deleted_when_the_features_are_there(finished, job):
    assert list(job.cache.glob("pixels-*.npy")) == []


@pytest.mark.slow
def test_models_that_disagree_are_not_delivered(job, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "largest_difference", lambda models, pictures: 0.5)
    with pytest.raises(RunFailed, match="disagree"):
        train(Job(job.manifest, job.settings, job.weights, job.cache, tmp_path), Budget(60), Story())


def test_backbones_that_are_not_installed_are_named():
    with pytest.raises(BadSetting, match="mobilenet_v9"):
        choose_backbones({"mobilenet_v2": None}, ("mobilenet_v9",))


def test_no_weights_at_all_says_what_to_do():
    with pytest.raises(NoBackbone, match="automl weights fetch"):
        choose_backbones({}, ())

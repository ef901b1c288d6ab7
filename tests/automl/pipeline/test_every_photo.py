"""The whole chain without a test set: every photo teaches, and is tested by a model that has not seen it."""

import csv
import io
import shutil
import zipfile
from dataclasses import replace

import pytest

from automl.datasets.split import N_FOLDS_OF_FEW
from automl.delivery.conversion import Conversion
from automl.delivery.report.summary import summarise
from automl.formats import find_format
from automl.ingest.local import ingest_folder
from automl.models.weights.cache import installed
from automl.pipeline import run as pipeline
from automl.pipeline.run import Job, train
from automl.records import RunSettings, Scoring
from automl.records.learning_curve import CURVE_FILE
from automl.records.report import ScoreMethod
from automl.search.budget import Budget
from automl.search.observer import NoteKeeper
from automl.settings import load_settings
from tests.end_to_end.patterns import write_patterns

pytestmark = pytest.mark.slow

N = 45


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Job:
    """Noisy pictures of three patterns, without folders for the split."""
    folder = tmp_path_factory.mktemp("photos")
    write_patterns(folder / "all", n_train=N // 3, n_test=0)
    shutil.rmtree(folder / "all" / "test")
    settings = load_settings()
    weights = {"mobilenet_v2": installed(settings.weights_dir)["mobilenet_v2"]}
    run = RunSettings(budget_s=None, max_trials=4, max_image_size_px=96, fine_tuning=False)
    work = tmp_path_factory.mktemp("work")
    manifest = ingest_folder(folder / "all" / "train", settings)
    return Job(manifest=manifest, settings=run, weights=weights, cache=work / "cache", workspace=work)


@pytest.fixture(scope="module")
def finished(job):
    """No photo is read for a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "evaluate", lambda *_, **__: pytest.fail("a test photo was read"))
        return train(job, Budget(None), NoteKeeper())


def table(result, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(result.bundle) as bundle:
        return list(csv.DictReader(io.StringIO(bundle.read(name).decode())))


def test_the_report_speaks_of_every_photo_and_says_by_which_method(finished):
    report = finished.report
    score = report.score
    assert (score.method, score.n_images) == (ScoreMethod.CROSS_VALIDATED, N)
    assert (report.data.n_learned, report.data.n_test) == (N, 0)
    assert sum(map(sum, score.confusion)) == N
    assert score.interval_95[0] < score.accuracy <= score.interval_95[1] or score.accuracy == 1
    assert report.sentence.startswith("Each photo was tested by a model that had never seen it")
    assert report.first_model.n_images == N
    assert (report.novelty.is_tested, report.novelty.n_photos) == (False, N)


def test_it_is_said_how_score_and_count_belong_together(finished):
    summary = summarise(finished.report)
    assert summary.findings[0].startswith("Models of the same kind, each without some of the photos, answered ")
    assert "--scoring cross-validated" in summary.command
    words = f"{N}: each is learned from, and each is tested by a model that had not seen it"
    assert words in [fact.words for fact in summary.data]


def test_each_photo_has_one_answer_by_a_fold_that_had_not_seen_it(finished):
    rows = table(finished, "answers.csv")
    assert len(rows) == N and {row["fold"] for row in rows} == {str(fold) for fold in range(1, N_FOLDS_OF_FEW + 1)}
    assert sum(row["class"] == row["answer"] for row in rows) == finished.report.score.n_correct
    assert {row["part"] for row in table(finished, "photos.csv")} == {"learn and test"}


def test_it_is_measured_what_more_photos_are_worth(finished):
    rows = table(finished, CURVE_FILE)
    counts = [int(row["photos"]) for row in rows]
    assert counts == sorted(counts) and counts[-1] == pytest.approx(N * (1 - 1 / N_FOLDS_OF_FEW), abs=1)
    assert all(0 <= float(row["right"]) <= 1 for row in rows)


def test_a_mistake_is_shown_beside_photos_that_its_model_had_learned_from(finished):
    fold_of = {row["sha256"]: row["fold"] for row in table(finished, "answers.csv")}
    for mistake in finished.report.mistakes:
        assert all(fold_of[near.sha256] != fold_of[mistake.sha256] for near in mistake.nearest)


def test_a_format_is_proven_by_its_agreement_with_the_model(finished, job, tmp_path):
    model = Conversion(finished.bundle, job.manifest, tmp_path)
    proof = model.prove(find_format("onnx"), tmp_path / "model.onnx")
    assert model.n_tested == N
    assert (proof.is_true, proof.accuracy, proof.agreement) == (True, None, 1.0)


def test_the_user_can_still_have_some_photos_held_out(job, tmp_path):
    settings = job.settings.model_copy(update={"scoring": Scoring.HELD_OUT})
    run = pipeline._Run(replace(job, settings=settings, workspace=tmp_path), Budget(60), NoteKeeper())
    assert run._plan.test and not run._plan.tests_every_photo

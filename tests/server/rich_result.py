"""A finished run with every part that the page of a result can have, on real photos and with a real model."""

import io

import numpy as np
from PIL import Image

from automl.records import ExportState, RunState, Stage
from automl.records.learning_curve import CURVE_FILE
from automl.store.tables import TrialSummary
from tests.automl.images.faults import as_jpeg, photo
from tests.automl.serving.tiny_model import LABELS, tiny_model
from tests.server.answered import Row, answers_csv, result_of
from tests.server.conftest import World, zip_of
from tests.server.finished import BASE, add_exports, change_export, proof
from tests.server.pages.test_runs import PARETO, RESULT

_N_OF_A_CLASS = 6
CURVE = b"photos,right,gain,gain_error\n5,0.70,0.0,0.0\n10,0.75,0.05,0.01\n"
NOVELTY = {
    "is_tested": True,
    "n_photos": 6,
    "n_flagged": 0,
    "flagged_95": [0.0, 0.39],
    "n_others": 44,
    "n_recognised": 42,
    "recognised_95": [0.85, 0.99],
}
BINS = [{"confidence": 0.55, "accuracy": 0.5, "n": 4}, {"confidence": 0.93, "accuracy": 0.97, "n": 30}]


def add_rich_result(world: World) -> str:
    """Of three classes: "red", "green" and "blue". Two photos of each were tested, and of these three were mistaken."""
    dataset_id = world.add_checked(_photos())
    digests = {file.name: file.sha256 for file in world.files(dataset_id)}
    answers = [
        ("red/0.jpg", "red", 0.97),
        ("red/1.jpg", "green", 0.93),
        ("green/0.jpg", "green", 0.9),
        ("green/1.jpg", "blue", 0.55),
        ("blue/0.jpg", "blue", 0.99),
        ("blue/1.jpg", "red", 0.71),
    ]
    rows = [(digests[name], _label(name), said, confidence) for name, said, confidence in answers]
    run_id = world.add_run(
        RunState.DONE, dataset_id, result=_result(digests, rows), n_trials=3, best_trial=1, best_score=0.95
    )
    learned = "name,part,sha256\n" + "".join(f"{name},learn,{sha}\n" for name, sha in digests.items())
    bundle = {**BASE, "model.onnx": tiny_model(), "photos.csv": learned.encode(), "answers.csv": answers_csv(rows)}
    bundle[CURVE_FILE] = CURVE
    world.add_artifact(run_id, "bundle", zip_of(**bundle), "model.zip", "application/zip")
    for title in ("What it mixes up", "How the score grew"):
        world.add_artifact(run_id, "plot", _plot(), f"{title}.png", "image/png", title)
    _add_formats(world, run_id)
    _add_trials(world, run_id)
    return run_id


def _photos() -> dict[str, bytes]:
    """The photos are of no colour more than of the others; what the model says of them is in the table of answers."""
    return {
        f"{label}/{i}.jpg": as_jpeg(photo(np.random.default_rng(100 * number + i), (160, 120)))
        for number, label in enumerate(LABELS)
        for i in range(_N_OF_A_CLASS)
    }


def _result(digests: dict[str, str], rows: list[Row]) -> dict[str, object]:
    def named(name: str) -> dict[str, str]:
        return {"name": name, "label": _label(name), "sha256": digests[name]}

    def mistake(name: str, predicted: str, confidence: float) -> dict[str, object]:
        nearest = [named(f"{predicted}/{i}.jpg") for i in (3, 4, 5)]
        return {**named(name), "predicted": predicted, "confidence": confidence, "nearest": nearest}

    found = result_of(LABELS, rows)
    test = {**RESULT["test"], **found["test"], "balanced_accuracy": 0.5, "interval_95": [0.18, 0.82]}
    test["per_class"] = [
        {"label": label, "precision": 0.5, "recall": 0.5, "f1": 0.5, "n_images": 2} for label in LABELS
    ]
    return {
        **RESULT,
        "classes": list(LABELS),
        "goal": "balanced_accuracy",
        "test": test,
        "first_model": {"trial": 0, "accuracy": 0.4, "n_correct": 2, "n_images": 6, "at_s": 12.3},
        "pareto": PARETO,
        "calibration": {"threshold": 0.6, "ece_after": 0.06, "bins_after": BINS},
        "novelty": NOVELTY,
        "mistakes": [
            mistake("red/1.jpg", "green", 0.93),
            mistake("blue/1.jpg", "red", 0.71),
            mistake("green/1.jpg", "blue", 0.55),
        ],
        "suspects": [{**named("red/2.jpg"), "suggested": "blue", "confidence": 0.91}],
    }


def _label(name: str) -> str:
    return name.split("/")[0]


def _plot() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (120, 80), "white").save(buffer, "PNG")
    return buffer.getvalue()


def _add_formats(world: World, run_id: str) -> None:
    """One in each state that a tick box can be in."""
    add_exports(
        world, run_id, onnx=ExportState.PREPARING, saved_model=ExportState.PREPARING, litert_float16=ExportState.FAILED
    )
    change_export(world, run_id, "litert_int8", proof=proof(is_true=False, accuracy=1 / 3))


def _add_trials(world: World, run_id: str) -> None:
    with world.database.session() as session:
        for number, score in enumerate((0.9, 0.95, None)):
            trial = TrialSummary(run_id=run_id, number=number, state="failed" if score is None else "complete")
            trial.backbones, trial.image_size_px, trial.score = ["mobilenet_v2"], 224, score
            trial.stage, trial.n_bytes, trial.latency_s = Stage.FINE_TUNING, 13_200_000, 0.0123
            trial.params, trial.started_s, trial.duration_s = {"dropout": 0.25}, 1.0, 2.0
            session.add(trial)

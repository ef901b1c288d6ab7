"""A finished run whose formats are in the states that a test wants."""

import io

from automl.formats import FORMATS
from automl.records import ExportState, Proof, RunState
from automl.store.database import find_run
from automl.store.tables import Export
from tests.reports import made_report
from tests.server.conftest import World, zip_of

TEST = {"n_images": 10, "n_correct": 9, "accuracy": 0.9}
SENTENCE = "It was right on 9 of 10 photos it had never seen."
BASE = {
    "README.txt": b"old",
    "labels.txt": b"a\nb\n",
    "requirements.txt": b"old",
    "predict.py": b"old",
    "model.onnx": b"onnx" * 100,
    "model.keras": b"keras" * 100,
    "plots/confusion.png": b"png",
    "metrics.json": made_report(sentence=SENTENCE, classes=["a", "b"]).json_text().encode(),
}


def proof(is_true: bool = True, accuracy: float | None = 0.9, **values: object) -> Proof:
    words = "Loaded again, it was right on 9 of 10." if is_true else "So it is not quite the same model."
    same = {"format": "onnx", "words": words, "latency_s": 0.009, "n_bytes": 400}
    return Proof(is_true=is_true, accuracy=accuracy, **{**same, **values})


def add_finished(world: World, dataset: str = "beans", *, method: str = "held-out", **states: ExportState) -> str:
    """A run that is done, every format ready but those in `states`. method: that of its score."""
    result = {"sentence": SENTENCE, "test": {**TEST, "method": method}}
    run_id = world.add_run(RunState.DONE, world.add_dataset(name=dataset), result=result)
    world.add_artifact(run_id, "bundle", zip_of(**BASE), "model.zip", "application/zip")
    add_exports(world, run_id, **states)
    return run_id


def add_exports(world: World, run_id: str, **states: ExportState) -> None:
    """A row for each format of a run, ready but those in `states`."""
    with world.database.session() as session:
        for one in FORMATS:
            state = states.get(one.name, ExportState.READY)
            is_kept = state is ExportState.READY and not one.is_made_at_once
            key = _store(world, run_id, one.name) if is_kept else ""
            is_proven = state is ExportState.READY
            row = Export(run_id=run_id, format=one.name, state=state, key=key, proof=proof() if is_proven else None)
            row.n_bytes = world.store.size(key) or 0 if key else 0
            row.message = "There was no room." if state is ExportState.FAILED else ""
            session.add(row)


def change_export(world: World, run_id: str, name: str, **values: object) -> None:
    with world.database.session() as session:
        (export,) = [export for export in find_run(session, run_id).exports if export.format == name]
        for field, value in values.items():
            setattr(export, field, value)


def _store(world: World, run_id: str, name: str) -> str:
    content = name.encode() * 100
    if name == "saved_model":
        content = zip_of(**{"saved_model.pb": b"graph", "variables/variables.index": b"index"})
    return world.store.write(f"runs/{run_id}", io.BytesIO(content), max_bytes=1 << 20).key

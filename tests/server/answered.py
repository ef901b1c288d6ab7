"""Finished runs with the answers to their test photos."""

import csv
import io
from collections.abc import Mapping, Sequence

from automl.records import ClassSummary, DatasetState, DatasetSummary, FileState, RunState
from automl.store.tables import Dataset, DatasetFile
from tests.server.conftest import World, zip_of

COLUMNS = ("photo", "class", "answer", "confidence", "sure", "runner_up", "runner_up_confidence", "sha256")

Row = tuple[str, str, str, float]
"""SHA-256, the class, the answer, the confidence."""


def answers_csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for sha256, label, said, confidence in rows:
        sure = "yes" if confidence >= 0.6 else "no"
        writer.writerow(
            [f"test/{label}/{sha256}.jpg", label, said, f"{confidence:.4f}", sure, "other", "0.0100", sha256]
        )
    return text.getvalue().encode()


def confusion(classes: Sequence[str], rows: Sequence[Row]) -> list[list[int]]:
    return [[sum(row[1:3] == (really, said) for row in rows) for said in classes] for really in classes]


def result_of(classes: Sequence[str], rows: Sequence[Row], **more: object) -> dict[str, object]:
    n_right = sum(label == said for _, label, said, _ in rows)
    test = {"accuracy": n_right / max(1, len(rows)), "n_images": len(rows), "n_correct": n_right}
    test |= {"confusion": confusion(classes, rows), "per_class": []}
    return {"classes": list(classes), "sentence": "It was right.", "test": test, **more}


def add_answered(
    world: World,
    dataset_id: str,
    rows: Sequence[Row],
    classes: Sequence[str] = ("rose", "tulip"),
    result: Mapping[str, object] | None = None,
    **values: object,
) -> str:
    """A run that is done, whose download says what the model answered."""
    result = {**result_of(classes, rows), **(result or {})}
    run_id = world.add_run(RunState.DONE, dataset_id, result=result, **values)
    world.add_artifact(run_id, "bundle", zip_of(**{"answers.csv": answers_csv(rows)}), "model.zip", "application/zip")
    return run_id


def add_photos(world: World, **labels: str) -> str:
    """A data set with a photo of each of these contents (SHA-256) in that class, each with a thumbnail."""
    with world.database.session() as session:
        classes = tuple(ClassSummary(label=label, n_images=1) for label in sorted(set(labels.values())))
        files = [
            DatasetFile(name=f"{label}/{sha}.jpg", sha256=sha, label=label, state=FileState.ACCEPTED, thumbnail="t/1")
            for sha, label in labels.items()
        ]
        summary = DatasetSummary(classes=classes)
        dataset = Dataset(name="flowers", state=DatasetState.READY, summary=summary, files=files)
        session.add(dataset)
        session.flush()
        return dataset.id

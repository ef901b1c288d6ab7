"""The records of the API, and the JSON Schema that is kept of them."""

import json

import pytest
from pydantic import TypeAdapter

from automl.records import RunState
from automl.records.json_schema import schema_text
from automl.store.tables import TrialSummary
from server.api.resources.dataset import DatasetListResource, DatasetResource, FileListResource
from server.api.resources.resource import ErrorResource
from server.api.resources.run import RunResource
from server.api.resources.trial import TrialListResource
from server.api.schemas import FOLDER, SCHEMAS
from tests.automl.images.pictures import encoded


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_kept_schema_is_that_of_the_code(name: str) -> None:
    kept = FOLDER / f"{name}.json"
    assert kept.is_file() and kept.read_text() == schema_text(SCHEMAS[name]), "run python -m server.api.schemas"


def test_no_schema_is_kept_of_what_is_not_there_any_more() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(SCHEMAS)


def test_the_answers_are_what_the_schemas_say(client, world):
    pets = world.add_checked(
        {f"{label}/{n}.png": encoded(n + 50 * (label == "dog")) for label in ("cat", "dog") for n in range(6)}
    )
    client.post(f"/api/v1/datasets/{pets}/edits", json={"kind": "exclude", "values": {"files": [1]}})
    run_id = world.add_run(RunState.SEARCHING, pets, best_score=0.9, best_summary="MobileNetV2")
    with world.database.session() as session:
        session.add(
            TrialSummary(run_id=run_id, number=0, state="complete", image_size_px=96, started_s=0, duration_s=1)
        )
    answers = {
        DatasetListResource: "datasets",
        DatasetResource: f"datasets/{pets}",
        FileListResource: f"datasets/{pets}/files",
        RunResource: f"runs/{run_id}",
        TrialListResource: f"runs/{run_id}/trials",
        ErrorResource: "runs/nope",
    }
    for kind, address in answers.items():
        answer = client.get(f"/api/v1/{address}").text
        read = TypeAdapter(kind).validate_json(answer)
        assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == json.loads(answer)

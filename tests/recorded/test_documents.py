"""The report and the model card of runs that an earlier version made are written anew when their formats are done."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from automl.delivery.redocument import redocument
from tests.recorded.loading import older_metrics, recorded_metrics

FINISHED = {name: metrics for name, metrics in {**recorded_metrics(), **older_metrics()}.items() if "test" in metrics}


@pytest.mark.parametrize("metrics", FINISHED.values(), ids=FINISHED)
def test_the_documents_tell_the_score(metrics: dict[str, Any], tmp_path: Path) -> None:
    bundle, again = tmp_path / "model.zip", tmp_path / "again.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("metrics.json", json.dumps(metrics))
    redocument(bundle, again, exports=[], titles=[])
    with zipfile.ZipFile(again) as archive:
        report, card = (archive.read(name).decode() for name in ("report.html", "model_card.md"))
        told = json.loads(archive.read("metrics.json"))["test"]
        assert {**told, **metrics["test"]} == told
    for document in (report, card):
        assert metrics["sentence"] in document and metrics["winner"]["sha256"] in document
        assert "None" not in document and "Undefined" not in document

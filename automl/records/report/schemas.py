"""The records of a download. `python -m automl.records.report.schemas` writes their JSON Schema to `docs/schemas/`."""

from pathlib import Path

from automl.records import DeliveredContract
from automl.records.json_schema import Schemas, write_schemas
from automl.records.report import CandidateReport, RunReport

SCHEMAS: Schemas = {"report": RunReport, "candidate-report": CandidateReport, "serving": DeliveredContract}

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"

if __name__ == "__main__":
    write_schemas(SCHEMAS, FOLDER)

"""The records of the API by name. `python -m server.api.schemas` writes their JSON Schema to `docs/schemas/api/`."""

from pathlib import Path

from automl.datasets.edits import EDITS
from automl.records.json_schema import Schemas, write_schemas
from server.api.bodies import (
    DatasetBody,
    DeletionQuery,
    EditBody,
    ExtensionBody,
    FixBody,
    MissingFilesBody,
    NameBody,
    PredictionQuery,
    RunBody,
)
from server.api.resources.bin import BinResource
from server.api.resources.dataset import (
    DatasetListResource,
    DatasetResource,
    FileListResource,
    MissingFilesResource,
    UploadedDatasetResource,
    UploadResource,
)
from server.api.resources.export import ExportListResource
from server.api.resources.prediction import FeedbackResource, PredictionListResource
from server.api.resources.resource import ErrorResource
from server.api.resources.run import RunResource, StartedRunResource
from server.api.resources.sorting import SortingResource
from server.api.resources.trial import TrialListResource

SCHEMAS: Schemas = {
    "bin": BinResource,
    "dataset": DatasetResource,
    "dataset-created": UploadedDatasetResource,
    "dataset-list": DatasetListResource,
    "dataset-request": DatasetBody,
    "deletion-query": DeletionQuery,
    "edit-request": EditBody,
    **{f"edit-{kind}": edit for kind, edit in EDITS.items()},
    "error": ErrorResource,
    "export-list": ExportListResource,
    "extension-request": ExtensionBody,
    "feedback": FeedbackResource,
    "file-list": FileListResource,
    "fix-request": FixBody,
    "missing-files": MissingFilesResource,
    "missing-files-request": MissingFilesBody,
    "name-request": NameBody,
    "prediction-list": PredictionListResource,
    "prediction-query": PredictionQuery,
    "run": RunResource,
    "run-request": RunBody,
    "run-started": StartedRunResource,
    "sorting": SortingResource,
    "trial-list": TrialListResource,
    "upload": UploadResource,
}

FOLDER = Path(__file__).parents[2] / "docs" / "schemas" / "api"

if __name__ == "__main__":
    write_schemas(SCHEMAS, FOLDER)

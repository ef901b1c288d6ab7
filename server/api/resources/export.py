"""The formats of a model, as the API shows them."""

from collections.abc import Iterable

from automl.formats import find_format
from automl.records import ExportState, Proof
from automl.store.tables import Export
from server.api.resources.resource import Resource


class ExportResource(Resource):
    """One format of the model of a run."""

    format: str
    """Name of the format, such as "onnx"."""

    title: str
    """Its name for people."""

    state: ExportState
    """Where it is."""

    n_bytes: int | None
    """Size of its file; null until it is there."""

    proof: Proof | None
    """How it did when it was loaded again and tested; null until then."""

    message: str
    """Why it cannot be had."""

    @classmethod
    def of(cls, export: Export) -> "ExportResource":
        return cls(
            format=export.format,
            title=find_format(export.format).title,
            state=export.state,
            n_bytes=export.n_bytes or None,
            proof=export.proof,
            message=export.message,
        )


class ExportListResource(Resource):
    """The formats of the model of a run."""

    exports: list[ExportResource]
    """Empty before the run is finished."""

    @classmethod
    def of(cls, exports: Iterable[Export]) -> "ExportListResource":
        return cls(exports=[ExportResource.of(export) for export in exports])
